/** Writes one path segment, whatever the identifier holds: it can come from upstream's own data, and a dot has no encoding of its own. */
export function toSegment(identifier: string): string {
  return /^\.{1,2}$/.test(identifier) ? identifier.replaceAll('.', '%2E') : encode(identifier);
}

/** Writes a path with the query parameters that are set. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | null | undefined>>): string {
  const query = Object.entries(parameters).flatMap(([name, value]) =>
    value == null ? [] : [`${name}=${encode(value)}`],
  );
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}

/** Half a surrogate pair, which JSON can carry and a URL cannot, is written as what it is printed as. */
const encode = (text: string) => encodeURIComponent(text.toWellFormed());
