import { badUserInput } from '../errors/bad-user-input.ts';

/** Where a node stands in a list. It names upstream's own page, so that a cursor still works after a restart, and at the cost of one page. */
export interface Cursor {
  /** Upstream's page: its opaque cursor or offset; empty for the first page, and for lists that come whole. */
  readonly page: string;
  /** Position on that page, from 0. */
  readonly index: number;
  /** The node's id: it is found again by this when the list has moved since. */
  readonly id: string;
}

const MAX_CURSOR_LENGTH = 4_096;

/** Writes a cursor as the opaque text clients hand back as `after`. */
export function toCursorText({ page, index, id }: Cursor): string {
  return Buffer.from(JSON.stringify([page, index, id])).toString('base64url');
}

/**
 * Reads what a client gave as `after`.
 *
 * @throws {GraphQLError} BAD_USER_INPUT for text that no connection of this server hands out.
 */
export function parseCursor(text: string): Cursor {
  if (text.length <= MAX_CURSOR_LENGTH) {
    try {
      const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
      if (Array.isArray(parts) && parts.length === 3) {
        const [page, index, id] = parts as unknown[];
        if (typeof page === 'string' && typeof id === 'string' && Number.isSafeInteger(index) && Number(index) >= 0) {
          return { page, index: Number(index), id };
        }
      }
    } catch {
      // Not JSON: as unreadable as JSON of another shape, answered below.
    }
  }
  throw badUserInput(
    '"after" is not a cursor of this server: give an endCursor or an edge\'s cursor as it was answered.',
  );
}
