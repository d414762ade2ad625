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
  const lists = new Set<Promise<void>>();

  return {
    get: (key) => items.get(key),
    has: (key) => items.has(key),
    add(more) {
      for (const item of more) items.set(keyOf(item), item);
    },
    expect(list) {
      const end = () => void lists.delete(ended);
      const ended: Promise<void> = list.then(end, end);
      lists.add(ended);
      return list;
    },
    isExpecting: () => lists.size > 0,
    async expected(keys) {
      while (lists.size > 0 && !keys.every((key) => items.has(key))) await Promise.race(lists);
    },
  };
}
