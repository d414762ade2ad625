/**
 * The `id` of every type that implements `Node`: unique across all types of one Postman account, and the same however
 * the object was reached. Formats and parses the ids; it must not know how their objects are read.
 */
import { childTypes, type ChildType } from '../upstream/postman/levels.ts';
import { isUuid } from '../upstream/postman/uid.ts';
import type { ExampleKey } from '../upstream/collection-format/tree/examples.ts';

/** The parts of an `id`. */
export type NodeKey =
  | { readonly type: 'User' | 'Workspace'; readonly id: string }
  | { readonly type: ChildType; readonly uid: string }
  | { readonly type: 'Folder' | 'Request'; readonly collectionUid: string; readonly itemId: string }
  | {
      readonly type: 'Example';
      readonly collectionUid: string;
      readonly itemId: string;
      readonly exampleKey: ExampleKey;
    };

/** The forms of an `id`, for messages and descriptions. */
export const NODE_ID_FORMS =
  `a UUID (workspace), digits (user), ${childTypes.map((type) => `\`${type}:<uid>\`, `).join('')}` +
  '`Folder:<collection uid>/<itemId>`, `Request:<collection uid>/<itemId>`, or ' +
  '`Example:<collection uid>/<itemId>/<exampleId or #position>`';

// A uid of 128 characters, and an item id and an example id of 500 characters, each of them escaped.
const MAX_LENGTH = 4_000;
const USER_ID = /^\d{1,23}$/;
const POSITION = /^#\d+$/;
const ESCAPED = /%(?:25|2F|23)/g;

/** Formats the `id` of an object. */
export function toNodeId(key: NodeKey): string {
  switch (key.type) {
    case 'User':
    case 'Workspace':
      return key.id;
    case 'Folder':
    case 'Request':
      return `${key.type}:${escape(key.collectionUid)}/${escape(key.itemId)}`;
    case 'Example': {
      const { collectionUid, itemId, exampleKey } = key;
      const last = typeof exampleKey === 'number' ? `#${exampleKey}` : escape(exampleKey);
      return `Example:${escape(collectionUid)}/${escape(itemId)}/${last}`;
    }
    default:
      return `${key.type}:${key.uid}`;
  }
}

/** Parses an `id`. Returns null for text that is not the `id` of any object. */
export function parseNodeId(id: string): NodeKey | null {
  if (id.length > MAX_LENGTH) return null;
  const key = toKey(id);
  // There is one way to write each id: caches compare them as text.
  return key !== null && toNodeId(key) === id ? key : null;
}

function toKey(id: string): NodeKey | null {
  const [, prefix, rest = ''] = /^([A-Za-z]+):(.+)$/s.exec(id) ?? [];
  if (prefix === undefined) return toUnprefixedKey(id);
  const type = childTypes.find((one) => one === prefix);
  if (type) return { type, uid: rest };
  const parts = rest.split('/');
  const [collectionUid = '', itemId, example] = parts.map(unescape);
  if (itemId === undefined) return null;
  if (prefix === 'Folder' || prefix === 'Request')
    return parts.length === 2 ? { type: prefix, collectionUid, itemId } : null;
  if (prefix !== 'Example' || example === undefined || parts.length !== 3) return null;
  const exampleKey = POSITION.test(parts[2] ?? '') ? Number(example.slice(1)) : example;
  return { type: 'Example', collectionUid, itemId, exampleKey };
}

function toUnprefixedKey(id: string): NodeKey | null {
  if (USER_ID.test(id)) return { type: 'User', id };
  return isUuid(id) ? { type: 'Workspace', id } : null;
}

/** Escapes the characters that separate parts, and `#`, which marks a position. */
const escape = (part: string) =>
  part.includes('%') || part.includes('/') || part.includes('#') ? part.replace(/[%/#]/g, encodeURIComponent) : part;
const unescape = (part: string) => part.replace(ESCAPED, decodeURIComponent);
