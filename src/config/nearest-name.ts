/**
 * Finds the known name that an unknown one was probably meant to be: the only one that begins with it and an
 * underscore, or else the one with the smallest edit distance.
 *
 * @returns undefined if none is close.
 */
export function nearestName(unknown: string, names: readonly string[]): string | undefined {
  const target = unknown.toUpperCase();
  const continued = names.filter((name) => name.toUpperCase().startsWith(`${target}_`));
  if (continued.length === 1) return continued[0];
  const near = names
    .map((name) => ({ name, distance: editDistance(target, name.toUpperCase()) }))
    // If more than a quarter of the letters differ, it is another word. Two may always differ: a swapped pair.
    .filter(({ name, distance }) => distance <= Math.max(2, Math.floor(Math.max(name.length, target.length) / 4)))
    .toSorted((a, b) => a.distance - b.distance);
  return near[0]?.name;
}

/** The Levenshtein distance: the number of letters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 0; line < from.length; line++) {
    const next = [line + 1];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (from[line] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
