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

const MAX_CURSOR_LENGTH = 4_096;

/** Writes a cursor as the opaque text that clients pass as `after`. */
export function toCursorText({ page, index, id }: Cursor): string {
  return Buffer.from(JSON.stringify([page, index, id])).toString('base64url');
}

/**
 * Parses the `after` argument.
 *
 * @throws {GraphQLError} BAD_USER_INPUT for text that is not a cursor of this server.
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
      // Not JSON. The error below is the same as for JSON of another shape.
    }
  }
  throw badUserInput('"after" is not a cursor of this server: pass an endCursor, or the cursor of an edge, unchanged.');
}
