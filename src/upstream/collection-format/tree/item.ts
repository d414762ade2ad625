import { type Auth, toAuth } from '../fields/auth.ts';
import type { CollectionItem, RequestItem } from './collection-tree.ts';
import { toDescription } from '../syntax/description.ts';
import { type JsonObject, toText } from '../syntax/json.ts';
import { toRequestDefinition } from '../fields/request-definition.ts';

/** Names that `itemPath` gives at most: what a hundred rows answer has to stay in bounds in a tree nested to no end. */
export const MAX_PATH_LENGTH = 500;

/** Gives the name of a folder or request; null where it has none. */
export function itemName(item: CollectionItem): string | null {
  return toText(item.json.name);
}

/** Gives the description of a folder or request; that of a request stands in its definition, or beside it. */
export function itemDescription(item: CollectionItem): string | null {
  const description = toDescription(item.json.description);
  return item.kind === 'folder' ? description : toDescription(definitionOf(item).description) || description;
}

/** Gives the names of the folders above an item, outermost first; an empty name for a folder without one. At most the nearest `MAX_PATH_LENGTH`. */
export function itemPath(item: CollectionItem): string[] {
  const names: string[] = [];
  for (let folder = item.parent; folder !== null && names.length < MAX_PATH_LENGTH; folder = folder.parent) {
    names.push(itemName(folder) ?? '');
  }
  return names.reverse();
}

/** Gives what a request sends, as upstream sent it. */
export function definitionOf(request: RequestItem): JsonObject {
  return toRequestDefinition(request.json.request);
}

/** An auth block and what it is written on. */
export interface DefinedAuth extends Auth {
  /** The request or folder; null for the collection. */
  readonly definedOn: CollectionItem | null;
}

/** Reads the auth block of a folder or request; null where it leaves that to what is above. */
export function authOf(item: CollectionItem): DefinedAuth | null {
  return toDefinedAuth(item.kind === 'folder' ? item.json.auth : definitionOf(item).auth, item);
}

/** Reads the auth block of a collection; null where it has none. */
export function collectionAuth(document: JsonObject): DefinedAuth | null {
  return toDefinedAuth(document.auth, null);
}

/** Gives how a request authenticates: its own auth, else that of the nearest folder that has one, else the collection's; null where none has. */
export function effectiveAuth(request: RequestItem): DefinedAuth | null {
  const requestAuth = authOf(request);
  if (requestAuth !== null) return requestAuth;
  const folder = request.parent?.authFolder ?? null;
  return folder === null ? collectionAuth(request.tree.json) : authOf(folder);
}

function toDefinedAuth(json: unknown, definedOn: CollectionItem | null): DefinedAuth | null {
  const auth = toAuth(json);
  return auth && { ...auth, definedOn };
}
