/** What the lists of one operation say about things that can also be asked for singly. */
export interface Listed<Item> {
  get(key: string): Item | undefined;
  has(key: string): boolean;
  /** Takes the items of a list that has been read. */
  add(items: readonly Item[]): void;
  /** Says that a list is being read. Whether it fails is not looked at here. */
  expect<List>(list: Promise<List>): Promise<List>;
  /** Whether lists are being read that may have more. */
  isExpecting(): boolean;
  /** Waits until these are listed, or no list is being read any more. */
  expected(keys: readonly string[]): Promise<void>;
}

/** @param keyOf - The id or uid of an item. */
export function createListed<Item>(keyOf: (item: Item) => string): Listed<Item> {
  const items = new Map<string, Item>();
  let expecting = 0;
  // Told one by one: to race all lists for each that waits takes the product of their numbers.
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
