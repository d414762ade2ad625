import { runAtOnce, type Steps } from '../steps.ts';
import { headerLines, headerName } from './headers.ts';
import { isJsonObject, type JsonObject, JsonTooDeepError, MAX_JSON_DEPTH, toName } from './json.ts';
import { isCredentialName, isCredentialParameter, isSecretValue, MASKED_TEXT } from './secrets.ts';
import { isSecretRow } from './variables.ts';

/** Where in a collection a value stands, which decides what in it is a secret. */
type Place = 'anywhere' | 'auth' | 'apikeyRows' | 'apikeyMap' | 'credentials' | 'headers' | 'variables' | 'cookies';

/** What stands there instead of a secret. */
const MASKED: Readonly<Record<Place, string | null>> = {
  anywhere: null,
  auth: null,
  apikeyRows: null,
  apikeyMap: null,
  credentials: null,
  headers: MASKED_TEXT,
  variables: null,
  cookies: MASKED_TEXT,
};

const PLACES: ReadonlyMap<string, Place> = new Map<string, Place>([
  ['auth', 'auth'],
  ['certificate', 'credentials'],
  ['proxy', 'credentials'],
  ['header', 'headers'],
  ['headers', 'headers'],
  ['variable', 'variables'],
  ['variables', 'variables'],
  ['values', 'variables'],
  ['cookie', 'cookies'],
  ['cookies', 'cookies'],
]);

/**
 * Takes the secrets out of a collection: credentials in auth blocks and of variables of type secret become null,
 * headers that hold credentials and cookies read `MASKED_TEXT`.
 *
 * @param json - Left as it is. Parts without a secret are shared with the answer, not copied.
 * @throws {JsonTooDeepError} For a value nested deeper than `MAX_JSON_DEPTH`, which could not be written out anyway.
 */
export function maskSecrets(json: unknown): unknown {
  return runAtOnce(maskItems(json));
}

/** The same with a pause after each item of a collection. */
export function* maskItems(json: unknown, levels = MAX_JSON_DEPTH): Steps<unknown> {
  if (!isJsonObject(json) || !Array.isArray(json.item)) return mask(json, 'anywhere', levels);
  // It and its list of items are two.
  if (levels < 2) throw new JsonTooDeepError();
  const items: readonly unknown[] = json.item;
  const maskedItems: unknown[] = [];
  for (const item of items) {
    maskedItems.push(yield* maskItems(item, levels - 2));
    yield;
  }
  // Items are where they were among the members, but need not be looked at again.
  const shell = { ...json, item: [] };
  const masked = maskMembers(shell, 'anywhere', levels);
  const isShared = masked === shell && maskedItems.every((item, index) => item === items[index]);
  return isShared ? json : { ...masked, item: maskedItems };
}

/**
 * Takes the credentials out of a list or object inside an auth parameter.
 *
 * @returns The very same value where there is none.
 * @throws {JsonTooDeepError} As `maskSecrets`.
 */
export function maskCredentials(json: unknown): unknown {
  return mask(json, 'credentials', MAX_JSON_DEPTH);
}

function mask(value: unknown, place: Place, levels: number): unknown {
  if (typeof value === 'string') return maskText(value, place);
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) throw new JsonTooDeepError();
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    let copy: unknown[] | undefined;
    for (const [index, element] of list.entries()) {
      const masked = mask(element, place, levels - 1);
      if (masked === element) continue;
      copy ??= [...list];
      copy[index] = masked;
    }
    return copy ?? list;
  }
  return isJsonObject(value) ? maskMembers(value, place, levels) : value;
}

function maskMembers(object: JsonObject, place: Place, levels: number): JsonObject {
  let copy = object;
  for (const key of Object.keys(object)) {
    const value = object[key];
    const masked = isSecretMember(object, key, value, place)
      ? MASKED[place]
      : mask(value, placeOfMember(key, value, place), levels - 1);
    if (masked === value) continue;
    if (copy === object) copy = { ...object };
    // Plain assignment to a key `__proto__` would change the copy's prototype.
    Object.defineProperty(copy, key, { value: masked, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

function placeOfMember(key: string, value: unknown, place: Place): Place {
  switch (place) {
    case 'auth':
      if (key !== 'apikey') return 'credentials';
      return Array.isArray(value) ? 'apikeyRows' : 'apikeyMap';
    case 'apikeyRows':
    case 'apikeyMap':
    case 'credentials':
      return 'credentials';
    default:
      return (place === 'anywhere' ? PLACES.get(key) : undefined) ?? 'anywhere';
  }
}

function isSecretMember(row: JsonObject, key: string, value: unknown, place: Place): boolean {
  if (place === 'anywhere' || !isSecretValue(value)) return false;
  const isValue = key === 'value';
  if (place === 'variables') return isValue && isSecretRow(row);
  if (place === 'cookies') return isValue;
  const name = place === 'headers' ? headerName(row) : (toName(row.key) ?? '');
  if (place === 'apikeyMap') return isCredentialParameter('apikey', key);
  if (place === 'apikeyRows' && isValue && isCredentialParameter('apikey', name)) return true;
  if (place === 'auth' && (key === row.type || key === 'apikey' || key === 'jwt')) {
    // The blocks of parameters of an auth are named like credentials and hold more than those.
    return key !== 'type' && typeof value !== 'object';
  }
  return isCredentialName(key) || (isValue && isCredentialName(name));
}

function maskText(text: string, place: Place): string {
  if (place === 'cookies') return isSecretValue(text) ? MASKED_TEXT : text;
  if (place !== 'headers') return text;
  const lines = headerLines(text);
  const masked = lines.map(maskHeaderLine);
  return masked.some((line, index) => line !== lines[index]) ? masked.join('\n') : text;
}

function maskHeaderLine(line: string): string {
  const colon = line.indexOf(':');
  if (colon === -1 || !isCredentialName(line.slice(0, colon)) || !isSecretValue(line.slice(colon + 1).trim()))
    return line;
  return `${line.slice(0, colon)}: ${MASKED_TEXT}`;
}
