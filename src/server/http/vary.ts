// By the header and the names that are added. Only this server makes them, so there are few.
const joined = new Map<string, string>();

/** Adds the names of request headers to `Vary`, each once. `names`: separated by commas. */
export function addVary(headers: Headers, names: string): void {
  const all = `${headers.get('vary') ?? ''},${names}`;
  const known = joined.get(all) ?? join(all);
  joined.set(all, known);
  headers.set('Vary', known);
}

function join(names: string): string {
  const all = names.split(',').map((name) => name.trim());
  const byName = new Map(all.map((name) => [name.toLowerCase(), name]));
  byName.delete('');
  return [...byName.values()].join(', ');
}
