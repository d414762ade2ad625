import { isJsonObject, type JsonObject, toText } from '../syntax/json.ts';

/**
 * Reads a `request` or `originalRequest`, which is an object or the bare URL as text.
 *
 * @returns The object, or one with that URL; an empty one where there is neither.
 */
export function toRequestDefinition(json: unknown): JsonObject {
  if (typeof json === 'string') return { url: json };
  return isJsonObject(json) ? json : {};
}

/** Gives the method in upper case, which may be any word; `GET` where upstream has none. */
export function methodOf(definition: JsonObject): string {
  return toText(definition.method)?.trim().toUpperCase() || 'GET';
}
