import { isJsonObject, type JsonObject } from './json.ts';
import { cutOutsideReferences, splitOutsideReferences } from './references.ts';

const ROW_MEMBERS = ['key', 'name', 'id', 'type', 'secret'];

/**
 * Converts rows (headers, query, form fields, variables) from any of their forms to a list of objects.
 *
 * @param value - A list of objects and text, text, a single row, or an object that maps keys to values. Other list
 *   elements are skipped.
 * @param parse - Parses rows out of text; without it, text has no rows.
 * @returns Rows with `key` and `value` if they came from a map or from text, otherwise the objects themselves.
 */
export function toRows(
  value: unknown,
  parse: (text: string) => readonly JsonObject[] = () => [],
): readonly JsonObject[] {
  if (Array.isArray(value)) {
    const rows: JsonObject[] = [];
    for (const row of value as readonly unknown[])
      if (typeof row === 'string') for (const parsed of parse(row)) rows.push(parsed);
      else if (isJsonObject(row)) rows.push(row);
    return rows;
  }
  if (typeof value === 'string') return parse(value);
  if (!isJsonObject(value)) return [];
  return isRow(value) ? [value] : mapRows(value);
}

/** Turns each member of an object into a row. */
export function mapRows(map: JsonObject): readonly JsonObject[] {
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

/** Whether an object is a single row, as opposed to an object that maps keys to values. */
export function isRow(object: JsonObject): boolean {
  return Object.hasOwn(object, 'value') && ROW_MEMBERS.some((name) => Object.hasOwn(object, name));
}

/** Parses `a=1&b=&c` into rows, undecoded: the value of `c` is null, that of `b` is empty. Empty parts are skipped. */
export function parsePairs(text: string): JsonObject[] {
  return splitOutsideReferences(text, '&').flatMap((part) => {
    if (part === '') return [];
    const [key, value] = cutOutsideReferences(part, '=');
    return [{ key, value }];
  });
}

/** Whether a row is enabled. Rows carry `disabled` or, in environments, `enabled`. */
export function isEnabled(row: JsonObject): boolean {
  return row.disabled !== true && row.enabled !== false;
}
