import { badUserInput } from '../errors/bad-user-input.ts';

/**
 * Position of a node in a list. It names the page of Postman's list, so a cursor stays valid after a restart, and
 * using it costs the call for one page.
 */
export interface Cursor {
  /**
   * Postman's opaque cursor of the page; empty for the first page, and if `index` counts from the start of the list.
   */
  readonly page: string;
  /** Position on that page, starting at 0. */
  readonly index: number;
  /** Id of the node, to find it again when positions have changed. */
  readonly id: string;
}

/**
 * Position of a node in a list that this server orders or filters. It names the value that orders the list, so a page
 * continues at the same point even if the node has been changed or deleted.
 */
export interface OrderedCursor {
  /** Name of the order, for example `UPDATED_AT DESC`; empty for Postman's order. */
  readonly order: string;
  /** The node's value that orders the list; null: it has none. */
  readonly value: string | null;
  /** Position of the node among those with the same value, starting at 0. */
  readonly index: number;
  /** Id of the node, to find it among those with the same value. */
  readonly id: string;
}

const MAX_CURSOR_LENGTH = 4_096;

/** Writes a cursor as the opaque text that clients pass as `after`. */
export function toCursorText(cursor: Cursor | OrderedCursor): string {
  const parts =
    'page' in cursor ? [cursor.page, cursor.index, cursor.id] : [cursor.order, cursor.value, cursor.index, cursor.id];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * Parses the `after` argument of a list in Postman's order.
 *
 * @throws {GraphQLError} BAD_USER_INPUT for text that is not a cursor of such a list.
 */
export function parseCursor(text: string): Cursor {
  const cursor = parseAny(text);
  if ('page' in cursor) return cursor;
  throw inOtherOrder();
}

/**
 * Parses the `after` argument of a list that this server orders or filters.
 *
 * @param order - Name of the order of the list.
 * @throws {GraphQLError} BAD_USER_INPUT for text that is not a cursor of a list in that order.
 */
export function parseOrderedCursor(text: string, order: string): OrderedCursor {
  const cursor = parseAny(text);
  if ('order' in cursor && cursor.order === order) return cursor;
  throw inOtherOrder();
}

function parseAny(text: string): Cursor | OrderedCursor {
  const parts = toParts(text);
  const [id, index, ...rest] = [...parts].reverse();
  if (typeof id === 'string' && Number.isSafeInteger(index) && Number(index) >= 0) {
    const [value, order] = rest;
    if (parts.length === 3 && typeof value === 'string') return { page: value, index: Number(index), id };
    if (parts.length === 4 && typeof order === 'string' && (typeof value === 'string' || value === null))
      return { order, value, index: Number(index), id };
  }
  throw badUserInput('"after" is not a cursor of this server: pass an endCursor, or the cursor of an edge, unchanged.');
}

function toParts(text: string): readonly unknown[] {
  if (text.length > MAX_CURSOR_LENGTH) return [];
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}

const inOtherOrder = () =>
  badUserInput(
    '"after" is a cursor of a list in another order: pass it with the "orderBy" that it came from, and with ' +
      '"updatedAfter" if it came with that.',
  );
