import { isJsonObject, type JsonObject, toList } from '../json.ts';
import { toStableId } from './stable-id.ts';

/**
 * Gives every folder, request and saved response a new id and uid, in place, as an import into Postman does: copies of
 * one file must not share ids. Ids are made from the collection's id and the position in the tree.
 *
 * @param owner - User id, the first part of every uid.
 * @returns Number of requests.
 */
export function stampItems(document: JsonObject, collectionId: string, owner: string): number {
  let requestCount = 0;
  const pending = [{ items: toList(document.item), parentId: collectionId }];
  for (let list = pending.pop(); list !== undefined; list = pending.pop()) {
    for (const [index, node] of list.items.entries()) {
      if (!isJsonObject(node)) continue;
      const id = toStableId(list.parentId, 'item', index);
      stamp(node, id, owner);
      if (Array.isArray(node.item)) pending.push({ items: node.item, parentId: id });
      else requestCount += 1;
      for (const [position, example] of toList(node.response).entries()) {
        if (isJsonObject(example)) stamp(example, toStableId(id, 'response', position), owner);
      }
    }
  }
  return requestCount;
}

function stamp(element: JsonObject, id: string, owner: string): void {
  element.id = id;
  element.uid = `${owner}-${id}`;
}
