const token = String.raw`[!#$%&'*+.^_\x60|~\w-]+`;
const word = String.raw`(?:${token}|"(?:[^"\\]|\\.)*")`;
const parameter = String.raw`${token}[\t ]*(?:=[\t ]*${word}[\t ]*)?`;
const value = String.raw`[\t ]*(?:=[\t ]*(${word})[\t ]*)?`;
const preference = String.raw`[\t ,]*(${token})${value}(?:;[\t ]*(?:${parameter})?)*(?:,[\t ,]*|$)`;

// RFC 9111, section 1.2.2: larger numbers of seconds count as this one.
const maxDeltaSeconds = 2 ** 31;

/** The preference for errors by cause, in `Prefer` and in `Preference-Applied`. */
export const ERRORS_BY_CAUSE = 'errors=by-cause';

/** What a client prefers. */
export interface Preferences {
  /** How long the client will wait; at least a second, because a call takes time. undefined: it did not say. */
  readonly waitSeconds: number | undefined;
  /** The client wants only the first error of each cause. */
  readonly areErrorsGrouped: boolean;
}

/**
 * Reads the preferences `wait` and `errors` of the request header `Prefer`.
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
 * Reads how many seconds a client will wait from the request header `Prefer: wait=<seconds>`. The first `wait` counts.
 *
 * @param header - The header's value; several headers joined by commas.
 * @returns Whole seconds, at most 2^31; undefined without a `wait`, or if it or the header is malformed.
 * @see RFC 7240, sections 2 and 4.3
 */
export function parsePreferWait(header: string | null): number | undefined {
  return toDeltaSeconds(readPreference(header, 'wait'));
}

/**
 * The unparsed value of the first preference of a name; undefined if there is none, or the header is malformed before
 * it.
 */
function readPreference(header: string | null, requestedName: string): string | undefined {
  if (header === null) return undefined;
  const next = new RegExp(preference, 'y');
  while (next.lastIndex < header.length) {
    const match = next.exec(header);
    if (match === null) return undefined;
    const [, name, text] = match;
    if (name?.toLowerCase() === requestedName) return text;
  }
  return undefined;
}

function toDeltaSeconds(text: string | undefined): number | undefined {
  const digits = /^("?)(\d+)\1$/.exec(text ?? '')?.[2];
  return digits === undefined ? undefined : Math.min(Number(digits), maxDeltaSeconds);
}
