/** Items that the lists of one operation have shown. They can also be read singly. */
export interface Listed<Item> {
  get(key: string): Item | undefined;
  has(key: string): boolean;
  /** Adds the items of a list that has been read. */
  add(items: readonly Item[]): void;
  /** Announces that a list is being read. Returns the same promise; its rejection is left to the caller. */
  expect<List>(list: Promise<List>): Promise<List>;
  /** Whether a list is being read, so that more items may be added. */
  isExpecting(): boolean;
  /** Resolves when all keys are listed, or when no list is being read any more. */
  expected(keys: readonly string[]): Promise<void>;
}

/**
 * Creates an empty set of listed items.
 *
 * @param keyOf - Returns the id or uid of an item.
 */
export function createListed<Item>(keyOf: (item: Item) => string): Listed<Item> {
  const items = new Map<string, Item>();
  let expecting = 0;
  // Callbacks by key. Racing all lists for each waiting caller would take lists × callers steps.
  const awaited = new Map<string, (() => void)[]>();
  const waiting = new Set<() => void>();
  const isExpecting = () => expecting > 0;

  const end = () => {
    expecting--;
    if (isExpecting()) return;
    for (const wake of waiting) wake();
    waiting.clear();
    awaited.clear();
  };

  const wait = (keys: readonly string[]) =>
    new Promise<void>((resolve) => {
      const missing = keys.filter((key) => !items.has(key));
      let remaining = missing.length;
      const wake = () => {
        waiting.delete(wake);
        resolve();
      };
      waiting.add(wake);
      for (const key of missing) {
        const found = () => {
          remaining--;
          if (remaining === 0) wake();
        };
        const others = awaited.get(key);
        if (others) others.push(found);
        else awaited.set(key, [found]);
      }
    });

  return {
    get: (key) => items.get(key),
    has: (key) => items.has(key),
    add(more) {
      for (const item of more) {
        const key = keyOf(item);
        items.set(key, item);
        const callbacks = awaited.get(key);
        if (!callbacks) continue;
        awaited.delete(key);
        for (const notify of callbacks) notify();
      }
    },
    expect(list) {
      expecting++;
      list.then(end, end);
      return list;
    },
    isExpecting,
    async expected(keys) {
      while (isExpecting() && !keys.every((key) => items.has(key))) await wait(keys);
    },
  };
}
