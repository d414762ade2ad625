/** Adds the names of request headers to `Vary`, each once. */
export function addVary(headers: Headers, ...names: readonly string[]): void {
  const known = (headers.get('vary') ?? '').split(',').map((name) => name.trim());
  const all = new Map([...known, ...names].map((name) => [name.toLowerCase(), name]));
  all.delete('');
  headers.set('Vary', [...all.values()].join(', '));
}
