import type { CollectionItem, FolderItem, RequestItem } from '../../upstream/collection-format/tree/collection-tree.ts';
import { builder } from '../builder.ts';

/** GraphQL interface `CollectionItem`. These refs stand here because the types name each other. */
export const CollectionItemRef = builder.interfaceRef<CollectionItem>('CollectionItem');
/** GraphQL type `Folder`. */
export const FolderRef = builder.objectRef<FolderItem>('Folder');
/** GraphQL type `Request`. */
export const RequestRef = builder.objectRef<RequestItem>('Request');
