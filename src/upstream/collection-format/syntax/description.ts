import { isJsonObject, toText } from './json.ts';

/**
 * Reads a description, which anywhere in the format is text or `{ content, type, version }`.
 *
 * @returns Its text, usually Markdown; null where there is none.
 */
export function toDescription(value: unknown): string | null {
  return toText(isJsonObject(value) ? value.content : value);
}
