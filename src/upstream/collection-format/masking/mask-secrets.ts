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

/** Takes the credentials out of what stands at a place; typed fields and the JSON use the same one. */
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
  // Text of somebody's own, and its names.
  ['event', toWritablePart],
  ['events', toWritablePart],
  ['description', toWritablePart],
]);

/**
 * Takes the secrets out of a collection: headers, cookies, rows and URLs read `MASKED_TEXT` where there was one, everything else null.
 * There is a pause after each item.
 *
 * @param json - Left as it is. Parts without a secret are shared with the answer, not copied.
 * @throws {JsonTooDeepError} For a value nested deeper than `MAX_JSON_DEPTH`, which could not be written out anyway.
 */
export const maskItems = (json: unknown): Steps<unknown> => changeItems(json, maskAnything);

/**
 * Hands a whole collection on once it is known that it can be written out, with a pause after each item.
 *
 * @throws {JsonTooDeepError} As `maskItems`.
 */
export const toWritableItems = (json: unknown): Steps<unknown> => changeItems(json, toWritablePart);

function* changeItems(json: unknown, change: Mask, levels = MAX_JSON_DEPTH): Steps<unknown> {
  if (!isJsonObject(json) || !Array.isArray(json.item)) return change(json, levels) ?? null;
  // It and its list of items are two.
  if (levels < 2) throw new JsonTooDeepError();
  const items: readonly unknown[] = json.item;
  const changedItems: unknown[] = [];
  for (const item of items) {
    changedItems.push(yield* changeItems(item, change, levels - 2));
    yield;
  }
  // Items are where they were among the members, but need not be looked at again.
  const shell = { ...json, item: [] };
  const changed = change(shell, levels);
  if (changed === shell && changedItems.every((item, index) => item === items[index])) return json;
  return { ...(changed as JsonObject), item: changedItems };
}

/** Takes the secrets out of any part of a collection that is no place of its own. */
export function maskAnything(json: unknown, levels = MAX_JSON_DEPTH): unknown {
  if (typeof json !== 'object' || json === null) return json;
  return isJsonObject(json) ? maskMembers(json, levels) : mapElements(toList(json), levels, maskAnything);
}

function maskMembers(object: JsonObject, levels: number): JsonObject {
  return mapMembers(object, levels, (value, key, below) => {
    const mask = MASKS_BY_KEY.get(key);
    if (mask !== undefined) return mask(value, below);
    // A member that is named so and holds an object is as likely to describe a credential as to be one.
    if (typeof value === 'object' || key === 'key') return maskAnything(value, below);
    return isCredential(key === 'value' ? rowName(object) : key, value) ? null : value;
  });
}

function maskRequest(json: unknown, levels: number): unknown {
  return typeof json === 'string' ? maskUrlText(json) : maskAnything(json, levels);
}
