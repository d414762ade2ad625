/**
 * Entry of the module `collection-format`, which reads collections in the Postman Collection formats 2.0 and 2.1. This
 * file reads the tree of items, `fields/` their fields; `syntax/` parses values, and `masking/` hides secrets in them.
 *
 * The module reads JSON and makes no calls: it may not import `postman`, `http`, `rate-limiter`, `cache`,
 * `calls`, undici, p-queue or lru-cache.
 */
import { authTypeOf } from '../fields/auth.ts';
import { createItemIds } from './item-id.ts';
import { runAtOnce, type Steps } from '../../steps.ts';
import { isJsonObject, type JsonObject, toId, toList } from '../syntax/json.ts';

/** The items of a collection, indexed once. All other fields of an item are read from its `json` on demand. */
export interface CollectionTree {
  readonly uid: string;
  /** The uid or bare id with which the collection was read. Reading it with that again needs no further call. */
  readonly readAs: string;
  /** The collection as Postman sent it. */
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

/** The common fields of folders and requests. */
interface ItemBase {
  readonly tree: CollectionTree;
  /** Unique within the collection. */
  readonly id: string;
  /** null where Postman sends none. */
  readonly uid: string | null;
  /** The item as Postman sent it. */
  readonly json: JsonObject;
  /** null on the top level. */
  readonly parent: FolderItem | null;
}

/** An item that has a list of items, even an empty one. */
export interface FolderItem extends ItemBase {
  readonly kind: 'folder';
  readonly items: readonly CollectionItem[];
  /** Index in `tree.requests` of the first request below it. */
  readonly firstRequest: number;
  /** Index after the last request below it. */
  readonly endRequest: number;
  /** Index in `tree.folders` of the first folder below it. */
  readonly firstFolder: number;
  /** Index after the last folder below it. */
  readonly endFolder: number;
  /** This folder or its nearest ancestor with an auth block; null where none has one and the collection's applies. */
  readonly authFolder: FolderItem | null;
}

/** Any other item, also one without a `request`. */
export interface RequestItem extends ItemBase {
  readonly kind: 'request';
  /** Its index in `tree.requests`. */
  readonly position: number;
}

/** A folder under construction: its ends are not known yet. */
type OpenFolder = { -readonly [Key in keyof FolderItem]: FolderItem[Key] };

// Traversing these takes a third of a millisecond.
const ITEMS_PER_STEP = 500;

/** A list of items that is being traversed. */
interface OpenList {
  readonly source: readonly unknown[];
  readonly items: CollectionItem[];
  readonly folder: OpenFolder | null;
  readonly parent: FolderItem | null;
  next: number;
}

/**
 * Indexes the folders and requests of a collection at any depth.
 *
 * @param document - The value of `collection` in the response of GET /collections/{uid}. It is referenced, not copied.
 * @param collectionUid - Used to derive ids for items without an id of their own.
 * @param readAs - The uid or bare id with which the collection was read. Default: its uid.
 */
export function createCollectionTree(document: JsonObject, collectionUid: string, readAs?: string): CollectionTree {
  return runAtOnce(buildCollectionTree(document, collectionUid, readAs));
}

/** Like `createCollectionTree`, in steps: it yields after every 500 items. */
export function* buildCollectionTree(
  document: JsonObject,
  collectionUid: string,
  readAs = collectionUid,
): Steps<CollectionTree> {
  const items: CollectionItem[] = [];
  const folders: FolderItem[] = [];
  const requests: RequestItem[] = [];
  const tree: CollectionTree = { uid: collectionUid, readAs, json: document, items, folders, requests };
  const toItemId = createItemIds(collectionUid);
  let visited = 0;
  // An explicit stack instead of recursion: 100,000 nested folders must not overflow the call stack.
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
    const index = list.next;
    list.next += 1;
    visited += 1;
    if (visited % ITEMS_PER_STEP === 0) yield;
    const json = list.source[index];
    if (!isJsonObject(json)) continue;
    const { parent } = list;
    const id = toItemId(json, parent?.id ?? null, index);
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
