const token = String.raw`[!#$%&'*+.^_\x60|~\w-]+`;
const word = String.raw`(?:${token}|"(?:[^"\\]|\\.)*")`;
const parameter = String.raw`${token}[\t ]*(?:=[\t ]*${word}[\t ]*)?`;
const preference = String.raw`[\t ,]*(${token})[\t ]*(?:=[\t ]*(${word})[\t ]*)?(?:;[\t ]*(?:${parameter})?)*(?:,[\t ,]*|$)`;

// RFC 9111, section 1.2.2: a larger number of seconds is read as this one.
const maxDeltaSeconds = 2 ** 31;

/** How `errors=by-cause` is sent, and how it is said to be applied. */
export const ERRORS_BY_CAUSE = 'errors=by-cause';

/** What a client would like. */
export interface Preferences {
  /** How long it is ready to wait. A second at least, because no call is made in no time; undefined: it does not say. */
  readonly waitSeconds: number | undefined;
  /** Of errors of one cause it wants the first alone. */
  readonly areErrorsGrouped: boolean;
}

/**
 * Reads the preferences that this server knows of the request header `Prefer`.
 *
 * @param header - The header's value; several headers joined by commas.
 * @see RFC 7240, section 2
 */
export function parsePreferences(header: string | null): Preferences {
  const waitSeconds = parsePreferWait(header);
  return {
    waitSeconds: waitSeconds === undefined ? undefined : Math.max(1, waitSeconds),
    areErrorsGrouped: /^("?)by-cause\1$/i.test(readPreference(header, 'errors') ?? ''),
  };
}

/**
 * Reads how many seconds a client is ready to wait from the request header `Prefer: wait=<seconds>`.
 *
 * @param header - The header's value; several headers joined by commas.
 * @returns Whole seconds, at most 2^31; undefined without a `wait`, or if it or the header is malformed. The first `wait` counts.
 * @see RFC 7240, sections 2 and 4.3
 */
export function parsePreferWait(header: string | null): number | undefined {
  return toDeltaSeconds(readPreference(header, 'wait'));
}

/** The value of the first preference of that name, as it is written; undefined where there is none, or the header is malformed before it. */
function readPreference(header: string | null, requestedName: string): string | undefined {
  if (header === null) return undefined;
  const next = new RegExp(preference, 'y');
  while (next.lastIndex < header.length) {
    const match = next.exec(header);
    if (match === null) return undefined;
    const [, name, value] = match;
    if (name?.toLowerCase() === requestedName) return value;
  }
  return undefined;
}

function toDeltaSeconds(value: string | undefined): number | undefined {
  const digits = /^("?)(\d+)\1$/.exec(value ?? '')?.[2];
  return digits === undefined ? undefined : Math.min(Number(digits), maxDeltaSeconds);
}
