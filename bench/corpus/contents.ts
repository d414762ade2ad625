/** What is known of one thing, by field. undefined: whoever tells it leaves it open. */
export type Facts = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** What a collection holds, as one source tells it: the file, the SDK, or an answer. Everything is in the order of the document. */
export interface Contents {
  readonly collection: readonly Facts[];
  readonly folders: readonly Facts[];
  readonly requests: readonly Facts[];
  /** Saved responses of all requests. */
  readonly examples: readonly Facts[];
}

const longestShown = 60;

/**
 * Says where one telling of a collection differs from another.
 *
 * @param expected - Its facts are looked for; what it leaves open is not compared.
 * @param title - Stands before each line: which two are compared.
 * @returns One line for each list of another length, and otherwise for each kind of difference its first case and how many more there are.
 */
export function compareContents(title: string, expected: Contents, actual: Contents): string[] {
  return (['collection', 'folders', 'requests', 'examples'] as const).flatMap((list) =>
    compareFacts(`${title}: ${list}`, expected[list], actual[list]),
  );
}

/** Does the same for two lists of facts. */
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
