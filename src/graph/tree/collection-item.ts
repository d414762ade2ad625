import type { CollectionItem, CollectionTree } from '../../upstream/collection-format/tree/collection-tree.ts';
import { itemDescription, itemName, itemPath, MAX_PATH_LENGTH } from '../../upstream/collection-format/tree/item.ts';
import { toNodeId } from '../node-id.ts';
import { childRefs, type CollectionNode, NodeRef } from '../refs.ts';
import { CollectionItemRef, FolderRef } from './refs.ts';

CollectionItemRef.implement({
  description:
    'A folder or request in the tree of a collection. An item that has a list of items, even an empty one, is ' +
    'a folder; every other item is a request.',
  interfaces: [NodeRef],
  resolveType: toItemType,
  fields: (t) => ({
    id: t.id({
      nullable: false,
      description:
        'Id for caches and `node`, unique across all types: `Folder:` or `Request:`, the uid of the collection, ' +
        '`/` and `itemId`.',
      resolve: (item) => toNodeId({ type: toItemType(item), collectionUid: item.tree.uid, itemId: item.id }),
    }),
    itemId: t.exposeID('id', {
      nullable: false,
      description:
        'Id that Postman gave the item, usually a UUID, unique within the collection. An item that has no id, or the id of an ' +
        'earlier item, gets an id made from the uid of the collection and its position.',
    }),
    uid: t.exposeID('uid', {
      nullable: true,
      description: 'Unique id across all of Postman: `<ownerId>-<id>`. null when Postman gives none.',
    }),
    name: t.string({
      nullable: true,
      description: 'Name of the item; null when it has none. Names are not unique, even within a folder.',
      resolve: itemName,
    }),
    description: t.string({
      nullable: true,
      description: 'Description of the item by its author, usually Markdown; null when there is none.',
      resolve: itemDescription,
    }),
    path: t.stringList({
      nullable: false,
      description:
        'Names of the folders above the item, outermost first; a folder without a name counts as empty text. ' +
        `Empty at the top level. At most the nearest ${MAX_PATH_LENGTH} folders.`,
      resolve: (item) => itemPath(item),
    }),
    parent: t.field({
      type: FolderRef,
      nullable: true,
      description: 'The folder that contains the item; null at the top level of the collection.',
      resolve: ({ parent }) => parent,
    }),
    collection: t.field({
      type: childRefs.Collection,
      nullable: false,
      description:
        'The collection that contains the item.\n' +
        'Cost: nothing for what the read of its tree carries, which is all but `isPublic` and `workspace`; for these, ' +
        'and for what `fork` leads to, as on any collection.',
      resolve: ({ tree }) => toCollectionNode(tree),
    }),
  }),
});

/** Makes the node of the collection that a tree belongs to. What the read of the tree carries costs it nothing. */
function toCollectionNode({ uid, readAs }: CollectionTree): CollectionNode {
  return { uid: readAs, known: { uid, name: undefined } };
}

function toItemType({ kind }: CollectionItem): 'Folder' | 'Request' {
  return kind === 'folder' ? 'Folder' : 'Request';
}
