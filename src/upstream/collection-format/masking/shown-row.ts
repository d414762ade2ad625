import { type JsonObject, MAX_JSON_DEPTH, toText } from '../syntax/json.ts';
import { maskMember, rowName } from './mask-rows.ts';

/** Returns the value of a row, with `MASKED_TEXT` for credentials; null if it is nested too deep to be serialised. */
export function maskedValueOf(row: JsonObject): unknown {
  return toText(row.value) === null ? null : maskMember(rowName(row), row.value, MAX_JSON_DEPTH);
}

/** Returns the value of a row as text, masked unless secrets are revealed, and whether any of it was masked. */
export function shownText(row: JsonObject, revealSecrets: boolean): { value: string | null; isMasked: boolean } {
  const shown = revealSecrets ? row.value : maskedValueOf(row);
  const value = toText(shown);
  return { value, isMasked: value !== null && shown !== row.value };
}
