import { toDescription } from '../syntax/description.ts';
import { isJsonObject, type JsonObject, MAX_JSON_DEPTH, toText, toWritableJson } from '../syntax/json.ts';
import { isSecretRow, maskVariableValue, variableKey } from '../masking/mask-variables.ts';
import { isEnabled, toRows } from '../syntax/rows.ts';

/** A variable of a collection, folder, request, URL path, environment or of the globals. */
export interface Variable {
  readonly key: string | null;
  /** As Postman sent it, secrets in clear; null where it sent none. */
  readonly value: unknown;
  readonly type: string | null;
  readonly enabled: boolean;
  /** Declared a secret: by the type `secret` or `password`, or, if it is stored in a vault, by `secret: true`. */
  readonly isSecret: boolean;
  readonly description: string | null;
}

/**
 * Reads a list of variables.
 *
 * @param json - A list, a single variable, or an object that maps keys to values; anything else has no variables.
 */
export function toVariables(json: unknown): Variable[] {
  // A single secret may lack the value that would identify it as a row.
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

/** Reads the variables of a collection, folder, request or URL: `variable` or, in older responses, `variables`. */
export function variablesOf(owner: JsonObject): Variable[] {
  return toVariables(owner.variable ?? owner.variables);
}

/** A value, masked unless secrets are revealed. */
export interface ShownValue {
  readonly value: unknown;
  /** The value, or a part of it, was masked. */
  readonly isMasked: boolean;
}

/**
 * Returns the value of a variable. Unless secrets are revealed, it is null for a secret and for a variable with the
 * name of a credential.
 *
 * @throws {JsonTooDeepError} For a value that is nested too deep to be serialised.
 */
export function toShownVariable({ key, isSecret, value }: Variable, revealSecrets: boolean): ShownValue {
  if (revealSecrets) return { value: toWritableJson(value), isMasked: false };
  const shown = maskVariableValue(key ?? '', isSecret, value, MAX_JSON_DEPTH);
  return { value: shown ?? null, isMasked: shown !== value };
}
