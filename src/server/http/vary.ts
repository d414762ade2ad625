/** Adds the names of request headers to `Vary`, each once. */
export function addVary(headers: Headers, ...names: readonly string[]): void {
  const vary = headers.get('vary');
  const known = vary === null ? [] : vary.toLowerCase().split(/ *, */);
  const added = names.filter((name) => !known.includes(name.toLowerCase()));
  if (added.length > 0) headers.set('Vary', (vary ? [vary, ...added] : added).join(', '));
}
