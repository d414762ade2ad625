/**
 * Encodes an identifier as one path segment. Identifiers can come from Postman's own data and hold any characters;
 * `.` and `..` would change the path, and `encodeURIComponent` leaves them alone.
 */
export function toSegment(identifier: string): string {
  return /^\.{1,2}$/.test(identifier) ? identifier.replaceAll('.', '%2E') : encode(identifier);
}

/** Appends the query parameters that are set, encoded. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | null | undefined>>): string {
  let target = path;
  for (const name in parameters) {
    const value = parameters[name];
    if (value != null) target += `${target === path ? '?' : '&'}${name}=${encode(value)}`;
  }
  return target;
}

/** JSON can carry lone surrogates, which a URL cannot: they become U+FFFD. */
const encode = (text: string) => encodeURIComponent(text.toWellFormed());
