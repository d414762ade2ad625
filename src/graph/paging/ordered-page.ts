import { type Connection, type PageRequest, toConnection } from './connection.ts';
import type { OrderedCursor } from './cursor.ts';
import { type ListOrder, type ListPageRequest, type OrderField, type Ordering, toOrderName } from './list-order.ts';

/** What lists are ordered and filtered by. Times are in UTC with milliseconds, so that the earlier text sorts first. */
export interface Orderable {
  readonly name?: string | null | undefined;
  readonly createdAt?: string | null;
  readonly updatedAt?: string | null;
  /** Only of simulated items, whose dates and names are unknown: whether they count as being on the page, or as not. */
  readonly isOnPage?: boolean;
}

/** An item of an ordered list. */
interface Row<Item> {
  readonly item: Item;
  readonly value: string | null;
  /** Position among the rows with the same value. */
  index: number;
}

/** Position of a list's chunk in the whole list. */
type Chunk = NonNullable<Parameters<typeof toConnection>[3]>;

/** Returns the part of a list that a page needs: all of it if this server orders or filters the list. */
export function toStretch({ first, after, ordering }: ListPageRequest): {
  readonly from: number;
  readonly count: number;
} {
  if (ordering) return { from: 0, count: Number.POSITIVE_INFINITY };
  return { from: after ? after.index + 1 : 0, count: first };
}

/**
 * Cuts a page out of a list that has been read, or out of the chunk that `toStretch` requests.
 *
 * @param idOf - Returns an item's id, unique in the list.
 * @param onSearch - Called with the number of items that are ordered or filtered.
 */
export function toListPage<Item extends Orderable>(
  items: readonly Item[],
  page: ListPageRequest,
  idOf: (item: Item) => string,
  onSearch: (count: number) => void,
  chunk?: Chunk,
): Connection<Item> {
  if (!page.ordering) return toConnection(items, page, idOf, chunk);
  onSearch(items.length);
  return toOrderedPage(items, page, page.ordering, idOf);
}

/** Orders and filters a whole list, and cuts a page out of it. The page starts after the position of the cursor. */
function toOrderedPage<Item extends Orderable>(
  items: readonly Item[],
  { first }: PageRequest,
  { order, updatedAfter, after }: Ordering,
  idOf: (item: Item) => string,
): Connection<Item> {
  const rows = toRows(items, order, idOf);
  const start = after ? positionAfter(rows, after, order, idOf) : 0;
  const passes = ({ item }: Row<Item>) =>
    item.isOnPage ?? (updatedAfter === undefined || (item.updatedAt != null && item.updatedAt > updatedAfter));
  const matching = rows.filter(passes);
  // Simulated items are in front, but may in reality come after any cursor.
  const rest = rows.filter((row, index) => (index >= start || row.item.isOnPage) && passes(row));
  const name = toOrderName(order);
  return {
    edges: rest.slice(0, first).map(({ item, value, index }) => ({
      node: item,
      cursor: { order: name, value, index, id: idOf(item) },
    })),
    hasNextPage: rest.length > first,
    hasPreviousPage: rest.length < matching.length,
    totalCount: matching.length,
  };
}

/** Returns the rows of a list in its order, each item once: a list that changes while it is read can repeat some. */
function toRows<Item extends Orderable>(
  items: readonly Item[],
  order: ListOrder | undefined,
  idOf: (item: Item) => string,
): readonly Row<Item>[] {
  const byId = new Map(items.map((item) => [idOf(item), item]));
  const rows = [...byId.values()].map((item): Row<Item> => ({ item, value: valueOf(item, order?.field), index: 0 }));
  const compare = toComparison(order);
  const isUnknown = ({ item }: Row<Item>) => item.isOnPage !== undefined;
  // Whether simulated items displace others from the page is unknown. A bound assumes that they do.
  const sorted = [
    ...rows.filter(isUnknown),
    ...rows.filter((row) => !isUnknown(row)).sort((a, b) => compare(a.value, b.value)),
  ];
  let before: Row<Item> | undefined;
  for (const row of sorted) {
    row.index = before?.value === row.value ? before.index + 1 : 0;
    before = row;
  }
  return sorted;
}

/** Returns the position of the first row after a cursor, whose node may have been changed or deleted. */
function positionAfter<Item extends Orderable>(
  rows: readonly Row<Item>[],
  after: OrderedCursor,
  order: ListOrder | undefined,
  idOf: (item: Item) => string,
): number {
  const found = rows.findIndex(({ item, value }) => value === after.value && idOf(item) === after.id);
  if (found !== -1) return found + 1;
  const compare = toComparison(order);
  // The row after the missing one has moved up to its position among those with the same value.
  const next = rows.findIndex(({ item, value, index }) => {
    if (item.isOnPage !== undefined) return false;
    const difference = compare(value, after.value);
    return difference > 0 || (difference === 0 && index >= after.index);
  });
  return next === -1 ? rows.length : next;
}

/** Returns the function that compares values of rows for `Array.sort`. null comes last. */
function toComparison(order: ListOrder | undefined): (a: string | null, b: string | null) => number {
  const sign = order?.direction === 'DESC' ? -1 : 1;
  return (a, b) => {
    if (a === b) return 0;
    if (a === null) return 1;
    if (b === null) return -1;
    return a < b ? -sign : sign;
  };
}

// Bounds the work of comparing long names, and the length of cursors.
const NAME_LENGTH = 200;

/** Returns the value that orders an item; null if it has none, or the list is in Postman's order. */
function valueOf(item: Orderable, field: OrderField | undefined): string | null {
  if (field === undefined) return null;
  const value = item[field] ?? null;
  return field === 'name' && value !== null ? toNameKey(value) : value;
}

/** Returns a key by which names are ordered: without case and accents. */
function toNameKey(name: string): string {
  const plain = name.slice(0, NAME_LENGTH).normalize('NFKD').replaceAll(/\p{M}/gu, '');
  return plain.toLowerCase().slice(0, NAME_LENGTH);
}
