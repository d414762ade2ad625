import { mapElements, mapMembers } from '../syntax/copy-on-write.ts';
import { isJsonObject, type JsonObject, toList, toName, toWritablePart } from '../syntax/json.ts';
import { maskRowText } from './mask-url-text.ts';
import { isRow } from '../syntax/rows.ts';
import { isCredential, MASKED_TEXT } from './secrets.ts';

/** The members of a row that are shown: everything that describes its value. */
const SHOWN_MEMBERS = new Set('key name id type description src contentType disabled enabled'.split(' '));

/**
 * Masks the credentials in rows with freely chosen names: headers, a query, a form. It accepts the same forms as
 * `toRows`.
 *
 * @param maskText - Masks text that contains rows; without it, text has no rows.
 */
export function maskRows(json: unknown, levels: number, maskText: (text: string) => string = (text) => text): unknown {
  if (typeof json === 'string') return maskText(json);
  if (typeof json !== 'object' || json === null) return json;
  if (!isJsonObject(json))
    return mapElements(toList(json), levels, (row, below) => {
      if (typeof row === 'string') return maskText(row);
      return isJsonObject(row) ? maskRow(row, below) : maskMember('', row, below);
    });
  return isRow(json) ? maskRow(json, levels) : maskMap(json, levels);
}

/** Returns the name of a row: its `key`, else its `name`, else an empty string. */
export function rowName(row: JsonObject): string {
  return toName(row.key) || toName(row.name) || '';
}

function maskRow(row: JsonObject, levels: number): JsonObject {
  return mapMembers(row, levels, (value, key, below) => {
    if (key === 'value') return maskMember(rowName(row), value, below);
    return SHOWN_MEMBERS.has(key) ? toWritablePart(value, below) : maskMember(key, value, below);
  });
}

function maskMap(map: JsonObject, levels: number): JsonObject {
  return mapMembers(map, levels, (value, key, below) => maskMember(key, value, below));
}

/**
 * Masks the credentials in a value: all of it if `name` is that of a credential, else the members with such a name.
 *
 * @returns The very same value if it has no credentials.
 * @throws {JsonTooDeepError} For a value nested deeper than `levels`.
 */
export function maskMember(name: string, value: unknown, levels: number): unknown {
  if (typeof value === 'string') return maskRowText(name, value);
  if (isCredential(name, value)) return MASKED_TEXT;
  if (typeof value !== 'object' || value === null) return value;
  if (!isJsonObject(value))
    return mapElements(toList(value), levels, (element, below) => maskMember('', element, below));
  return isRow(value) ? maskRow(value, levels) : maskMap(value, levels);
}
