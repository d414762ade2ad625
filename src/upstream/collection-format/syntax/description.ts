import { isJsonObject, toText } from './json.ts';

/**
 * Reads a description, which is text or `{ content, type, version }` anywhere in the format.
 *
 * @returns Its text, usually Markdown; null where there is none.
 */
export function toDescription(value: unknown): string | null {
  return toText(isJsonObject(value) ? value.content : value);
}
