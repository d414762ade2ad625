import type { Steps } from '../../steps.ts';
import { mapElements, mapMembers } from '../syntax/copy-on-write.ts';
import {
  isJsonObject,
  type JsonObject,
  JsonTooDeepError,
  MAX_JSON_DEPTH,
  toList,
  toWritablePart,
} from '../syntax/json.ts';
import { maskBody, maskForm, maskGraphQL } from './mask-body.ts';
import { maskCertificate, maskCookies, maskProxy } from './mask-connection.ts';
import { maskHeaders } from './mask-headers.ts';
import { rowName } from './mask-rows.ts';
import { maskAuth } from './mask-settings.ts';
import { maskUrl } from './mask-url.ts';
import { maskUrlText } from './mask-url-text.ts';
import { maskVariables } from './mask-variables.ts';
import { isCredential } from './secrets.ts';

/** Masks the credentials in the value of one kind of member. */
type Mask = (json: unknown, levels: number) => unknown;

const MASKS_BY_KEY: ReadonlyMap<string, Mask> = new Map<string, Mask>([
  ['auth', maskAuth],
  ['certificate', maskCertificate],
  ['proxy', maskProxy],
  ['header', maskHeaders],
  ['headers', maskHeaders],
  ['variable', maskVariables],
  ['variables', maskVariables],
  ['values', maskVariables],
  ['cookie', maskCookies],
  ['cookies', maskCookies],
  ['url', maskUrl],
  ['request', maskRequest],
  ['originalRequest', maskRequest],
  ['body', maskBody],
  ['urlencoded', maskForm],
  ['formdata', maskForm],
  ['graphql', maskGraphQL],
  // Free text and scripts are left unchanged.
  ['event', toWritablePart],
  ['events', toWritablePart],
  ['description', toWritablePart],
]);

/**
 * Masks the secrets in a collection: `MASKED_TEXT` replaces those in headers, cookies, rows and URLs, and null all
 * others. It yields after each item.
 *
 * @param json - Not changed. The result shares the parts without secrets instead of copying them.
 * @throws {JsonTooDeepError} For a value nested deeper than `MAX_JSON_DEPTH`, which could not be serialised anyway.
 */
export const maskItems = (json: unknown): Steps<unknown> => changeItems(json, maskAnything);

/**
 * Returns a collection unchanged after checking that it can be serialised. It yields after each item.
 *
 * @throws {JsonTooDeepError} For a value nested deeper than `MAX_JSON_DEPTH`.
 */
export const toWritableItems = (json: unknown): Steps<unknown> => changeItems(json, toWritablePart);

function* changeItems(json: unknown, change: Mask, levels = MAX_JSON_DEPTH): Steps<unknown> {
  if (!isJsonObject(json) || !Array.isArray(json.item)) return change(json, levels) ?? null;
  // The object and its list of items take two levels.
  if (levels < 2) throw new JsonTooDeepError();
  const items: readonly unknown[] = json.item;
  const changedItems: unknown[] = [];
  for (const item of items) {
    changedItems.push(yield* changeItems(item, change, levels - 2));
    yield;
  }
  // An empty list keeps the position of `item` among the members, and the items are not masked twice.
  const shell = { ...json, item: [] };
  const changed = change(shell, levels);
  if (changed === shell && changedItems.every((item, index) => item === items[index])) return json;
  return { ...(changed as JsonObject), item: changedItems };
}

/** Masks the secrets in any part of a collection without a mask of its own in `MASKS_BY_KEY`. */
export function maskAnything(json: unknown, levels = MAX_JSON_DEPTH): unknown {
  if (typeof json !== 'object' || json === null) return json;
  return isJsonObject(json) ? maskMembers(json, levels) : mapElements(toList(json), levels, maskAnything);
}

function maskMembers(object: JsonObject, levels: number): JsonObject {
  return mapMembers(object, levels, (value, key, below) => {
    const mask = MASKS_BY_KEY.get(key);
    if (mask !== undefined) return mask(value, below);
    // An object under the name of a credential may as well describe one, so only its members are judged.
    if (typeof value === 'object' || key === 'key') return maskAnything(value, below);
    return isCredential(key === 'value' ? rowName(object) : key, value) ? null : value;
  });
}

function maskRequest(json: unknown, levels: number): unknown {
  return typeof json === 'string' ? maskUrlText(json) : maskAnything(json, levels);
}
