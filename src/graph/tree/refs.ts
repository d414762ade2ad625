import type { CollectionItem, FolderItem, RequestItem } from '../../upstream/collection-format/tree/collection-tree.ts';
import { builder } from '../builder.ts';

/** GraphQL interface `CollectionItem`. The refs are in a file of their own because the types refer to each other. */
export const CollectionItemRef = builder.interfaceRef<CollectionItem>('CollectionItem');
/** GraphQL type `Folder`. */
export const FolderRef = builder.objectRef<FolderItem>('Folder');
/** GraphQL type `Request`. */
export const RequestRef = builder.objectRef<RequestItem>('Request');
