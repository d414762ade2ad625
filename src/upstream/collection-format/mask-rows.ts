import { mapElements, mapMembers } from './copy-on-write.ts';
import { isJsonObject, type JsonObject, JsonTooDeepError, toName, toWritablePart } from './json.ts';
import { maskRowText } from './mask-url-text.ts';
import { isRow } from './rows.ts';
import { isCredential, MASKED_TEXT } from './secrets.ts';

/** What a row has beside its value: names, and what somebody wrote about it. */
const SHOWN_MEMBERS = new Set('key name id type description src contentType disabled enabled'.split(' '));

/**
 * Takes the credentials out of rows whose names are free: headers, a query, a form. Rows come in the forms that `toRows` reads.
 *
 * @param maskText - Does so for text that holds rows; without it text holds none.
 */
export function maskRows(json: unknown, levels: number, maskText: (text: string) => string = (text) => text): unknown {
  if (typeof json === 'string') return maskText(json);
  if (typeof json !== 'object' || json === null) return json;
  if (levels <= 0) throw new JsonTooDeepError();
  if (Array.isArray(json)) {
    return mapElements(json as readonly unknown[], (row) => {
      if (typeof row === 'string') return maskText(row);
      return isJsonObject(row) ? maskRow(row, levels - 1) : maskMember('', row, levels - 1);
    });
  }
  if (!isJsonObject(json)) return json;
  return isRow(json) ? maskRow(json, levels) : mapMembers(json, (value, key) => maskMember(key, value, levels - 1));
}

/** Gives the name of a row, which stands under `key`, or `name` where it has no key; empty where it has neither. */
export function rowName(row: JsonObject): string {
  return toName(row.key) || toName(row.name) || '';
}

function maskRow(row: JsonObject, levels: number): JsonObject {
  if (levels <= 0) throw new JsonTooDeepError();
  return mapMembers(row, (value, key) => {
    if (key === 'value') return maskMember(rowName(row), value, levels - 1);
    if (SHOWN_MEMBERS.has(key)) return toWritablePart(value, levels - 1);
    return maskMember(key, value, levels - 1);
  });
}

/**
 * Takes credentials out of a value: the whole of it where its name is a credential's, else whatever inside it has such a name.
 *
 * @returns The very same value where there is none.
 * @throws {JsonTooDeepError} For a value nested deeper than `levels`.
 */
export function maskMember(name: string, value: unknown, levels: number): unknown {
  if (typeof value === 'string') return maskRowText(name, value);
  if (isCredential(name, value)) return MASKED_TEXT;
  if (typeof value !== 'object' || value === null) return value;
  if (levels <= 0) throw new JsonTooDeepError();
  if (Array.isArray(value)) {
    return mapElements(value as readonly unknown[], (element) => maskMember('', element, levels - 1));
  }
  if (!isJsonObject(value)) return value;
  return isRow(value)
    ? maskRow(value, levels)
    : mapMembers(value, (member, key) => maskMember(key, member, levels - 1));
}
