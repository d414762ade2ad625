import { authTypeOf } from '../fields/auth.ts';
import { createItemIds } from './item-id.ts';
import { runAtOnce, type Steps } from '../../steps.ts';
import { isJsonObject, type JsonObject, toId, toList } from '../syntax/json.ts';

/** What a collection holds, found once; everything else about an item is read from its `json` when asked for. */
export interface CollectionTree {
  readonly uid: string;
  /** The collection as upstream sent it. */
  readonly json: JsonObject;
  /** The top level, in order. */
  readonly items: readonly CollectionItem[];
  /** Every folder, depth first. */
  readonly folders: readonly FolderItem[];
  /** Every request, depth first. */
  readonly requests: readonly RequestItem[];
}

/** A folder or a request. */
export type CollectionItem = FolderItem | RequestItem;

/** What folders and requests have in common. */
interface ItemBase {
  readonly tree: CollectionTree;
  /** Unique within the collection. */
  readonly id: string;
  /** null where upstream gives none. */
  readonly uid: string | null;
  /** The item as upstream sent it. */
  readonly json: JsonObject;
  /** null on the top level. */
  readonly parent: FolderItem | null;
}

/** An item that holds a list of items, be it empty. */
export interface FolderItem extends ItemBase {
  readonly kind: 'folder';
  readonly items: readonly CollectionItem[];
  /** The requests below it are `tree.requests` from here … */
  readonly firstRequest: number;
  /** … up to, but not including, here. */
  readonly endRequest: number;
  /** The folders below it are `tree.folders` from here … */
  readonly firstFolder: number;
  /** … up to, but not including, here. */
  readonly endFolder: number;
  /** Itself where it has an auth block, else the nearest folder above that has one; null where what is below is left to the collection. */
  readonly authFolder: FolderItem | null;
}

/** Any other item, also one without a `request`. */
export interface RequestItem extends ItemBase {
  readonly kind: 'request';
  /** Its place in `tree.requests`. */
  readonly position: number;
}

/** A folder whose end is not known yet. */
type OpenFolder = { -readonly [Key in keyof FolderItem]: FolderItem[Key] };

// Walked in a third of a millisecond.
const ITEMS_PER_STEP = 500;

/** A list of items that is being walked. */
interface OpenList {
  readonly source: readonly unknown[];
  readonly items: CollectionItem[];
  readonly folder: OpenFolder | null;
  readonly parent: FolderItem | null;
  next: number;
}

/**
 * Finds the folders and requests of a collection, however deep they are nested.
 *
 * @param document - The value under `collection` of the Postman API, GET /collections/{uid}. It is kept, not copied.
 * @param collectionUid - Goes into the ids of items that have none of their own.
 */
export function createCollectionTree(document: JsonObject, collectionUid: string): CollectionTree {
  return runAtOnce(buildCollectionTree(document, collectionUid));
}

/** The same with a pause after some items. */
export function* buildCollectionTree(document: JsonObject, collectionUid: string): Steps<CollectionTree> {
  const items: CollectionItem[] = [];
  const folders: FolderItem[] = [];
  const requests: RequestItem[] = [];
  const tree: CollectionTree = { uid: collectionUid, json: document, items, folders, requests };
  const toItemId = createItemIds(collectionUid);
  let visited = 0;
  // A stack of its own, not recursion: 100,000 folders inside each other must not overflow the program's.
  const open: OpenList[] = [{ source: toList(document.item), items, folder: null, parent: null, next: 0 }];
  for (let list = open.at(-1); list !== undefined; list = open.at(-1)) {
    if (list.next === list.source.length) {
      if (list.folder !== null) {
        list.folder.endRequest = requests.length;
        list.folder.endFolder = folders.length;
      }
      open.pop();
      continue;
    }
    const position = list.next;
    list.next += 1;
    visited += 1;
    if (visited % ITEMS_PER_STEP === 0) yield;
    const json = list.source[position];
    if (!isJsonObject(json)) continue;
    const { parent } = list;
    const id = toItemId(json, parent?.id ?? null, position);
    const uid = toId(json.uid);
    if (Array.isArray(json.item)) {
      const below: CollectionItem[] = [];
      const firstRequest = requests.length;
      const firstFolder = folders.length + 1;
      const folder: OpenFolder = {
        kind: 'folder',
        tree,
        id,
        uid,
        json,
        parent,
        items: below,
        firstRequest,
        endRequest: firstRequest,
        firstFolder,
        endFolder: firstFolder,
        authFolder: parent?.authFolder ?? null,
      };
      if (authTypeOf(json.auth) !== null) folder.authFolder = folder;
      folders.push(folder);
      list.items.push(folder);
      open.push({ source: json.item, items: below, folder, parent: folder, next: 0 });
    } else {
      const request: RequestItem = { kind: 'request', tree, id, uid, json, parent, position: requests.length };
      requests.push(request);
      list.items.push(request);
    }
  }
  return tree;
}
