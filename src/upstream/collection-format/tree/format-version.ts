import { isJsonObject, type JsonObject } from '../syntax/json.ts';

/**
 * Reads the version of the collection format that a collection declares in `info.schema`.
 *
 * @returns `2.1.0` or `2.0.0`; null for none or another one. A collection may have the shape of another version.
 */
export function toFormatVersion(document: JsonObject): string | null {
  const schema = isJsonObject(document.info) ? document.info.schema : undefined;
  if (typeof schema !== 'string') return null;
  const version = /\/collection\/v(2\.[01])(?!\d)/.exec(schema)?.[1];
  return version === undefined ? null : `${version}.0`;
}
