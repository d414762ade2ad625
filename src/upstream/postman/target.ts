/** Writes one path segment, whatever the identifier holds: it can come from upstream's own data, and a dot has no encoding of its own. */
export function toSegment(identifier: string): string {
  return /^\.{1,2}$/.test(identifier) ? identifier.replaceAll('.', '%2E') : encodeURIComponent(identifier);
}

/** Writes a path with the query parameters that are set. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | null | undefined>>): string {
  const query = Object.entries(parameters).flatMap(([name, value]) =>
    // Half a surrogate pair, which JSON can carry and a URL cannot, is read as what it is printed as.
    value == null ? [] : [`${name}=${encodeURIComponent(value.replace(/\p{Cs}/gu, '\uFFFD'))}`],
  );
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}
