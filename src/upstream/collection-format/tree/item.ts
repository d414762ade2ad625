import { type Auth, toAuth } from '../fields/auth.ts';
import type { CollectionItem, RequestItem } from './collection-tree.ts';
import { toDescription } from '../syntax/description.ts';
import { type JsonObject, toText } from '../syntax/json.ts';
import { toRequestDefinition } from '../fields/request-definition.ts';

/** Maximum number of names in `itemPath`: it bounds the result of a hundred rows in an extremely deep tree. */
export const MAX_PATH_LENGTH = 500;

/** Returns the name of a folder or request; null where it has none. */
export function itemName(item: CollectionItem): string | null {
  return toText(item.json.name);
}

/** Returns the description of a folder or request. A request has it in its definition, or else beside it. */
export function itemDescription(item: CollectionItem): string | null {
  const description = toDescription(item.json.description);
  return item.kind === 'folder' ? description : toDescription(definitionOf(item).description) || description;
}

/**
 * Returns the names of the folders above an item, outermost first; an empty name for a folder without one. Above
 * `MAX_PATH_LENGTH` folders, the outermost ones are left out.
 */
export function itemPath(item: CollectionItem): string[] {
  const names: string[] = [];
  for (let folder = item.parent; folder !== null && names.length < MAX_PATH_LENGTH; folder = folder.parent) {
    names.push(itemName(folder) ?? '');
  }
  return names.reverse();
}

/**
 * Returns an item and the folders above it that define variables, scripts or settings, nearest first. Of the other
 * folders, it can contain the parent.
 */
export function definersOf(item: CollectionItem): readonly CollectionItem[] {
  const definers: CollectionItem[] = [item];
  const { parent } = item;
  for (let folder = item.kind === 'folder' ? item.outerDefiner : parent; folder; folder = folder.outerDefiner)
    definers.push(folder);
  return definers;
}

/** Returns the definition of a request (method, URL, headers, body), as Postman sent it. */
export function definitionOf(request: RequestItem): JsonObject {
  return toRequestDefinition(request.json.request);
}

/** An auth block, and the object that defines it. */
export interface DefinedAuth extends Auth {
  /** The request or folder; null for the collection. */
  readonly definedOn: CollectionItem | null;
}

/** Reads the auth block of a folder or request; null where it inherits that of its parent. */
export function authOf(item: CollectionItem): DefinedAuth | null {
  return toDefinedAuth(item.kind === 'folder' ? item.json.auth : definitionOf(item).auth, item);
}

/** Reads the auth block of a collection; null where it has none. */
export function collectionAuth(document: JsonObject): DefinedAuth | null {
  return toDefinedAuth(document.auth, null);
}

/**
 * Returns the auth that applies to a request: its own, else that of the nearest folder that has one, else the
 * collection's; null where none has one.
 */
export function effectiveAuth(request: RequestItem): DefinedAuth | null {
  const requestAuth = authOf(request);
  if (requestAuth !== null) return requestAuth;
  const folder = request.parent?.authFolder ?? null;
  return folder === null ? collectionAuth(request.tree.json) : authOf(folder);
}

function toDefinedAuth(json: unknown, definedOn: CollectionItem | null): DefinedAuth | null {
  const auth = toAuth(json);
  return auth && { type: auth.type, parameters: auth.parameters, definedOn };
}
