import { type JsonObject, MAX_JSON_DEPTH, toText } from '../syntax/json.ts';
import { maskMember, rowName } from './mask-rows.ts';

/** Gives the value of a row as it may be shown, with `MASKED_TEXT` for a credential; null for one nested too deep to be written. */
export function shownOf(row: JsonObject): unknown {
  return toText(row.value) === null ? null : maskMember(rowName(row), row.value, MAX_JSON_DEPTH);
}

/** The same as text, and whether it, or a part of it, was withheld. */
export function shownText(row: JsonObject, revealSecrets: boolean): { value: string | null; isMasked: boolean } {
  const shown = revealSecrets ? row.value : shownOf(row);
  const value = toText(shown);
  return { value, isMasked: value !== null && shown !== row.value };
}
