import { isJsonObject, type JsonObject } from '../syntax/json.ts';

/**
 * Tells the version of the collection format that a collection names in `info.schema`.
 *
 * @returns `2.1.0` or `2.0.0`; null where it names none or another one. The shape of a file need not agree with it.
 */
export function toFormatVersion(document: JsonObject): string | null {
  const schema = isJsonObject(document.info) ? document.info.schema : undefined;
  if (typeof schema !== 'string') return null;
  const version = /\/collection\/v(2\.[01])(?!\d)/.exec(schema)?.[1];
  return version === undefined ? null : `${version}.0`;
}
