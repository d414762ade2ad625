import { toDescription } from './description.ts';
import { type JsonObject, toText } from './json.ts';
import { isEnabled, toRows } from './rows.ts';
import { isSecretValue } from './secrets.ts';

/** A variable of a collection, folder, request, URL path, environment or of the globals. */
export interface Variable {
  readonly key: string | null;
  /** As upstream sent it, secrets in clear; null where it sent none. */
  readonly value: unknown;
  readonly type: string | null;
  readonly enabled: boolean;
  /** Of type `secret`, or held in a vault. */
  readonly isSecret: boolean;
  readonly description: string | null;
}

/**
 * Reads a list of variables.
 *
 * @param json - The list, or an object that maps keys to values; everything else holds none.
 */
export function toVariables(json: unknown): Variable[] {
  return toRows(json).map((row) => ({
    key: toText(row.key ?? row.id ?? row.name),
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

/** Whether a variable, as upstream sent it, is declared a secret. */
export function isSecretRow(row: JsonObject): boolean {
  return row.secret === true || (typeof row.type === 'string' && row.type.toLowerCase() === 'secret');
}

/** Whether a variable has a value that is not to be shown. */
export function isWithheld(variable: Variable, revealSecrets: boolean): boolean {
  return !revealSecrets && variable.isSecret && isSecretValue(variable.value);
}
