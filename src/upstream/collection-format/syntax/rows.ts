import { isJsonObject, type JsonObject } from './json.ts';
import { cutOutsideReferences, splitOutsideReferences } from './references.ts';

const ROW_MEMBERS = ['key', 'name', 'id', 'type', 'secret'];

/**
 * Brings a list of keyed rows (headers, query, form fields, variables) into one form.
 *
 * @param value - A list of objects and text, text, a row by itself, or an object that maps keys to values. Other list elements are skipped.
 * @param parse - Reads rows out of text; without it text holds none.
 * @returns Rows with at least `key` and `value` where they came from text or a map, otherwise the objects themselves.
 */
export function toRows(
  value: unknown,
  parse: (text: string) => readonly JsonObject[] = () => [],
): readonly JsonObject[] {
  if (Array.isArray(value)) {
    return value.flatMap((row: unknown) => {
      if (typeof row === 'string') return parse(row);
      return isJsonObject(row) ? [row] : [];
    });
  }
  if (typeof value === 'string') return parse(value);
  if (!isJsonObject(value)) return [];
  return isRow(value) ? [value] : mapRows(value);
}

/** Makes a row of each member of an object. */
export function mapRows(map: JsonObject): readonly JsonObject[] {
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

/** Tells a row that stands by itself from an object that maps keys to values. */
export function isRow(object: JsonObject): boolean {
  return Object.hasOwn(object, 'value') && ROW_MEMBERS.some((name) => Object.hasOwn(object, name));
}

/** Reads `a=1&b=&c` into rows, undecoded: the value of `c` is null, that of `b` is empty. Empty parts are left out. */
export function parsePairs(text: string): JsonObject[] {
  return splitOutsideReferences(text, '&').flatMap((part) => {
    if (part === '') return [];
    const [key, value] = cutOutsideReferences(part, '=');
    return [{ key, value }];
  });
}

/** Whether a row is switched on. Rows say it with `disabled` or, in environments, with `enabled`. */
export function isEnabled(row: JsonObject): boolean {
  return row.disabled !== true && row.enabled !== false;
}
