import { hash } from 'node:crypto';
import { type JsonObject, toId } from '../syntax/json.ts';

/** A longer id would not fit into a cursor, and Postman never assigns one. */
const MAX_ID_LENGTH = 500;

/**
 * Assigns ids that are unique within one collection.
 *
 * An item keeps its own id (`id`, or `_postman_id` in older files) unless that is longer than 500 characters or an
 * earlier item has it, too. Otherwise its id is derived from the collection's uid, the parent folder's id and its
 * position there, so it is the same each time the collection is read.
 *
 * @returns A function to call once per item, depth first.
 */
export function createItemIds(
  collectionUid: string,
): (item: JsonObject, parentId: string | null, position: number) => string {
  const used = new Set<string>();
  return (item, parentId, position) => {
    let id = usableIdOf(item);
    for (let attempt = 0; id === null || used.has(id); attempt += 1) {
      id = toUuid([collectionUid, parentId, position, attempt]);
    }
    used.add(id);
    return id;
  };
}

/** Returns the own id of an item or example; null where it has none, or one that is too long. */
export function usableIdOf({ id, _postman_id }: JsonObject): string | null {
  return toUsableId(id) ?? toUsableId(_postman_id);
}

function toUsableId(value: unknown): string | null {
  const id = toId(value);
  return id !== null && id.length <= MAX_ID_LENGTH ? id : null;
}

/** Formats a hash as a UUID of version 8, the version for custom formats. */
function toUuid(parts: readonly unknown[]): string {
  const hex = hash('sha256', JSON.stringify(parts), 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
