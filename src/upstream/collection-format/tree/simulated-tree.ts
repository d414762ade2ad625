import type { JsonObject } from '../syntax/json.ts';
import type { CollectionTree, FolderItem, RequestItem } from './collection-tree.ts';

// No variable has this name, so whatever could define it is read.
const URL = '{{simulated}}';
const AUTH = { type: 'noauth' };
const EXAMPLE = { name: 'simulated', originalRequest: { url: URL } };
const FOLDER: JsonObject = { auth: AUTH, item: [] };
const REQUEST: JsonObject = { request: { url: URL }, response: [EXAMPLE] };
const REQUEST_WITH_AUTH: JsonObject = { ...REQUEST, request: { url: URL, auth: AUTH } };

type Identity = Pick<CollectionTree, 'uid' | 'readAs'>;

/**
 * Creates the function that returns the trees of one run of a dry run. Which calls the fields of an item make depends only on its
 * collection and on arguments, so one item of each kind stands for all of them.
 *
 * @param exists - Whether trees have items. A tree that is cached could be empty, so its items lead to no certain call.
 */
export function createSimulatedTrees(exists: boolean): (collection: Identity) => Promise<CollectionTree> {
  const trees = new Map<string, Promise<CollectionTree>>();
  return (collection) => {
    const tree = trees.get(collection.readAs) ?? Promise.resolve((exists ? toTree : toEmptyTree)(collection));
    trees.set(collection.readAs, tree);
    return tree;
  };
}

function toEmptyTree({ uid, readAs }: Identity): CollectionTree {
  return { uid, readAs, json: {}, items: [], folders: [], requests: [] };
}

/**
 * Creates a tree of a folder and two requests in it. The folder also contains itself, so that it stands for folders at
 * any depth. One request inherits the settings of the folder, the other one has its own.
 */
function toTree(collection: Identity): CollectionTree {
  const tree = toEmptyTree(collection);
  const common = { tree, uid: null };
  const folder: { -readonly [Key in keyof FolderItem]: FolderItem[Key] } = {
    ...common,
    kind: 'folder',
    id: 'simulated folder',
    json: FOLDER,
    parent: null,
    items: [],
    firstRequest: 0,
    endRequest: 2,
    firstFolder: 0,
    endFolder: 1,
    authFolder: null,
  };
  const requests = [REQUEST, REQUEST_WITH_AUTH].map(
    (json, position): RequestItem => ({
      ...common,
      kind: 'request',
      id: `simulated request ${position}`,
      json,
      parent: folder,
      position,
    }),
  );
  folder.items = [folder, ...requests];
  folder.parent = folder;
  folder.authFolder = folder;
  return Object.assign(tree, { items: folder.items, folders: [folder], requests });
}
