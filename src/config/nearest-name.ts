/**
 * Finds the name that was probably meant by one that is not known: the one with the fewest letters to change, or one that it begins.
 *
 * @returns undefined when none is near.
 */
export function nearestName(unknown: string, names: readonly string[]): string | undefined {
  const target = unknown.toUpperCase();
  const begun = names.filter((name) => name.toUpperCase().startsWith(`${target}_`));
  if (begun.length === 1) return begun[0];
  const near = names
    .map((name) => ({ name, distance: editDistance(target, name.toUpperCase()) }))
    // More than a quarter of the letters is another word; two are a pair that was swapped.
    .filter(({ name, distance }) => distance <= Math.max(2, Math.floor(Math.max(name.length, target.length) / 4)))
    .toSorted((a, b) => a.distance - b.distance);
  return near[0]?.name;
}

/** How many letters have to be inserted, left out or replaced (Levenshtein). */
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
