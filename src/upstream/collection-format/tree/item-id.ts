import { hash } from 'node:crypto';
import { type JsonObject, toId } from '../syntax/json.ts';

/** A longer one would not fit into a cursor, nor is it one of Postman's. */
const MAX_ID_LENGTH = 500;

/**
 * Gives out ids that are unique within one collection.
 *
 * An item keeps its own id (`id`, or `_postman_id` in older files) unless it is endless or an item before it has the same one. Otherwise its
 * id is made from the uid of the collection, the id of the folder around it and its position there, so it is the same
 * each time the collection is read.
 *
 * @returns A function to be called once per item, depth first.
 */
export function createItemIds(
  collectionUid: string,
): (item: JsonObject, parentId: string | null, position: number) => string {
  const used = new Set<string>();
  return (item, parentId, position) => {
    let id = toUsableId(item.id) ?? toUsableId(item._postman_id);
    for (let attempt = 0; id === null || used.has(id); attempt += 1) {
      id = toUuid([collectionUid, parentId, position, attempt]);
    }
    used.add(id);
    return id;
  };
}

function toUsableId(value: unknown): string | null {
  const id = toId(value);
  return id !== null && id.length <= MAX_ID_LENGTH ? id : null;
}

/** Shapes a hash like a UUID of version 8, the version for ids of one's own making. */
function toUuid(parts: readonly unknown[]): string {
  const hex = hash('sha256', JSON.stringify(parts), 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
