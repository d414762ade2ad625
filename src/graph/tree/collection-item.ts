import { itemDescription, itemName, itemPath, MAX_PATH_LENGTH } from '../../upstream/collection-format/tree/item.ts';
import { CollectionItemRef, FolderRef } from './refs.ts';

CollectionItemRef.implement({
  description:
    'Something in the tree of a collection: a folder or a request. Whatever holds a list of items, be it empty, is a folder; everything else is a request.',
  resolveType: ({ kind }) => (kind === 'folder' ? 'Folder' : 'Request'),
  fields: (t) => ({
    id: t.exposeID('id', {
      nullable: false,
      description:
        'Id of the item, usually a UUID, unique within the collection. An item without an id, or with one that an item before it has, is given one made from the uid of the collection and its position.',
    }),
    uid: t.exposeID('uid', {
      nullable: true,
      description: 'Unique id across all of Postman: `<ownerId>-<id>`. null when upstream gives none.',
    }),
    name: t.string({
      nullable: true,
      description: 'Name of the item. Names are not unique, also not within a folder; null when it has none.',
      resolve: itemName,
    }),
    description: t.string({
      nullable: true,
      description: 'What its author wrote about the item, usually Markdown; null when nothing.',
      resolve: itemDescription,
    }),
    path: t.stringList({
      nullable: false,
      description: `Names of the folders above the item, outermost first, an empty one for a folder without a name; empty on the top level. Of more than ${MAX_PATH_LENGTH} folders, the nearest ${MAX_PATH_LENGTH}.`,
      resolve: (item) => itemPath(item),
    }),
    parent: t.field({
      type: FolderRef,
      nullable: true,
      description: 'The folder the item is in; null on the top level of the collection.',
      resolve: ({ parent }) => parent,
    }),
  }),
});
