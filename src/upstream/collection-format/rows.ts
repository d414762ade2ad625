import { isJsonObject, type JsonObject } from './json.ts';
import { cutOutsideReferences, splitOutsideReferences } from './references.ts';

/**
 * Brings a list of keyed rows (headers, query, form fields, variables) into one form.
 *
 * @param value - A list of objects and text, text, or an object that maps keys to values. Other list elements are skipped.
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
  return isJsonObject(value) ? Object.entries(value).map(([key, entry]) => ({ key, value: entry })) : [];
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
