import { isJsonObject, type JsonObject, toText } from '../syntax/json.ts';

/**
 * Reads a `request` or `originalRequest`, which is an object or just the URL as text.
 *
 * @returns The object, or an object with that URL; an empty object for anything else.
 */
export function toRequestDefinition(json: unknown): JsonObject {
  if (typeof json === 'string') return { url: json };
  return isJsonObject(json) ? json : {};
}

/** Returns the method in upper case, which may be any word; `GET` where Postman sends none. */
export function methodOf(definition: JsonObject): string {
  return toText(definition.method)?.trim().toUpperCase() || 'GET';
}
