const token = String.raw`[!#$%&'*+.^_\x60|~\w-]+`;
const word = String.raw`(?:${token}|"(?:[^"\\]|\\.)*")`;
const parameter = String.raw`${token}[\t ]*(?:=[\t ]*${word}[\t ]*)?`;
const preference = String.raw`[\t ,]*(${token})[\t ]*(?:=[\t ]*(${word})[\t ]*)?(?:;[\t ]*(?:${parameter})?)*(?:,[\t ,]*|$)`;

// RFC 9111, section 1.2.2: a larger number of seconds is read as this one.
const maxDeltaSeconds = 2 ** 31;

/**
 * Reads how many seconds a client is ready to wait from the request header `Prefer: wait=<seconds>`.
 *
 * @param header - The header's value; several headers joined by commas.
 * @returns Whole seconds, at most 2^31; undefined without a `wait`, or if it or the header is malformed. The first `wait` counts.
 * @see RFC 7240, sections 2 and 4.3
 */
export function parsePreferWait(header: string | null): number | undefined {
  if (header === null) return undefined;
  const next = new RegExp(preference, 'y');
  while (next.lastIndex < header.length) {
    const match = next.exec(header);
    if (match === null) return undefined;
    const [, name, value] = match;
    if (name?.toLowerCase() === 'wait') return toDeltaSeconds(value);
  }
  return undefined;
}

function toDeltaSeconds(value: string | undefined): number | undefined {
  const digits = /^("?)(\d+)\1$/.exec(value ?? '')?.[2];
  return digits === undefined ? undefined : Math.min(Number(digits), maxDeltaSeconds);
}
