/** The facts about one object, by field. undefined: the source leaves it open. */
export type Facts = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Contents of a collection as one source has them: the file, the SDK, or a result. All in the order of the document.
 */
export interface Contents {
  readonly collection: readonly Facts[];
  readonly folders: readonly Facts[];
  readonly requests: readonly Facts[];
  /** Saved responses of all requests. */
  readonly examples: readonly Facts[];
}

const longestShown = 60;

/**
 * Compares the contents of a collection from two sources.
 *
 * @param expected - The facts to find. Facts that it leaves open are not compared.
 * @param title - Prefix of each line: the sources compared.
 * @returns One line per list of a different length. Otherwise, per kind of difference, its first case and the number of
 *   further cases.
 */
export function compareContents(title: string, expected: Contents, actual: Contents): string[] {
  return (['collection', 'folders', 'requests', 'examples'] as const).flatMap((list) =>
    compareFacts(`${title}: ${list}`, expected[list], actual[list]),
  );
}

/** Compares two lists of facts in the same way. */
export function compareFacts(title: string, expected: readonly Facts[], actual: readonly Facts[]): string[] {
  if (expected.length !== actual.length) return [`${title}: ${expected.length} expected, ${actual.length} found`];
  const first = new Map<string, { readonly text: string; more: number }>();
  for (const [index, facts] of expected.entries()) {
    for (const [field, value] of Object.entries(facts)) {
      const found = actual[index]?.[field];
      if (value === undefined || value === found) continue;
      const before = first.get(field);
      if (before) before.more += 1;
      else first.set(field, { text: `[${index}] ${field}: ${show(value)} expected, ${show(found)} found`, more: 0 });
    }
  }
  return [...first.values()].map(({ text, more }) => `${title}${text}${more === 0 ? '' : `, and ${more} more`}`);
}

function show(value: Facts[string]): string {
  if (typeof value !== 'string') return value === undefined ? 'nothing' : String(value);
  return value.length > longestShown ? `'${value.slice(0, longestShown)}…'` : `'${value}'`;
}
