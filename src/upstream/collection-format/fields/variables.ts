import { toDescription } from '../syntax/description.ts';
import { isJsonObject, type JsonObject, MAX_JSON_DEPTH, toText, toWritableJson } from '../syntax/json.ts';
import { isSecretRow, maskVariableValue, variableKey } from '../masking/mask-variables.ts';
import { isEnabled, toRows } from '../syntax/rows.ts';

/** A variable of a collection, folder, request, URL path, environment or of the globals. */
export interface Variable {
  readonly key: string | null;
  /** As upstream sent it, secrets in clear; null where it sent none. */
  readonly value: unknown;
  readonly type: string | null;
  readonly enabled: boolean;
  /** Of type `secret` or `password`, or held in a vault. */
  readonly isSecret: boolean;
  readonly description: string | null;
}

/**
 * Reads a list of variables.
 *
 * @param json - The list, or an object that maps keys to values; everything else holds none.
 */
export function toVariables(json: unknown): Variable[] {
  // A secret by itself need not have a value.
  const rows = isJsonObject(json) && isSecretRow(json) ? [json] : toRows(json);
  return rows.map((row) => ({
    key: variableKey(row),
    value: row.value ?? null,
    type: toText(row.type),
    enabled: isEnabled(row),
    isSecret: isSecretRow(row),
    description: toDescription(row.description),
  }));
}

/** Reads the variables of a collection, folder, request or URL, which call them `variable` or, in older answers, `variables`. */
export function variablesOf(owner: JsonObject): Variable[] {
  return toVariables(owner.variable ?? owner.variables);
}

/** A value as it may be shown. */
export interface ShownValue {
  readonly value: unknown;
  /** The value, or a part of it, was withheld. */
  readonly isMasked: boolean;
}

/**
 * Gives the value of a variable as it may be shown: null for that of a secret, and for one that has a credential's name.
 *
 * @throws {JsonTooDeepError} For a value that is nested too deep to be written out.
 */
export function toShownVariable({ key, isSecret, value }: Variable, revealSecrets: boolean): ShownValue {
  if (revealSecrets) return { value: toWritableJson(value), isMasked: false };
  const shown = maskVariableValue(key ?? '', isSecret, value, MAX_JSON_DEPTH);
  return { value: shown ?? null, isMasked: shown !== value };
}
