import { mapElements, mapMembers } from '../syntax/copy-on-write.ts';
import { isJsonObject, type JsonObject, toList, toText, toWritablePart } from '../syntax/json.ts';
import { maskMember } from './mask-rows.ts';
import { isRow } from '../syntax/rows.ts';
import { isCredential, isSecretValue } from './secrets.ts';

const SECRET_TYPES = new Set(['secret', 'password']);
/** The members of a secret variable that are shown. All others, also future ones, could hold its value. */
const SHOWN_MEMBERS = new Set('key id name type description enabled disabled secret system'.split(' '));
/** The members of a variable's `source` that are shown: they identify a secret and its vault. */
const SHOWN_SOURCE_MEMBERS = new Set('provider type secretId vaultId'.split(' '));

/** Masks the values of secrets in a list of variables, a single variable, or an object that maps keys to values. */
export function maskVariables(json: unknown, levels: number): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (!isJsonObject(json))
    return mapElements(toList(json), levels, (row, below) =>
      isJsonObject(row) ? maskVariable(row, below) : maskMember('', row, below),
    );
  if (isRow(json) || isSecretRow(json)) return maskVariable(json, levels);
  return mapMembers(json, levels, (value, key, below) => maskVariableValue(key, false, value, below));
}

/**
 * Masks the value of a variable: it becomes null for a secret, and for a variable with the name of a credential.
 *
 * @param isSecret - Whether the variable is declared a secret.
 * @returns The very same value if nothing in it is masked.
 * @throws {JsonTooDeepError} For a value nested deeper than `levels`.
 */
export function maskVariableValue(key: string, isSecret: boolean, value: unknown, levels: number): unknown {
  if (isSecret ? isSecretValue(value) : isCredential(key, value)) return null;
  return isJsonObject(value) && isSecretRow(value) ? maskVariable(value, levels) : maskMember('', value, levels);
}

/** Returns the name of a variable; null where it has none. */
export function variableKey(row: JsonObject): string | null {
  return toText(row.key ?? row.id ?? row.name);
}

/** Whether a variable, as Postman sent it, is declared a secret. */
export function isSecretRow(row: JsonObject): boolean {
  return row.secret === true || (typeof row.type === 'string' && SECRET_TYPES.has(row.type.trim().toLowerCase()));
}

function maskVariable(row: JsonObject, levels: number): JsonObject {
  const key = variableKey(row) ?? '';
  const isSecret = isSecretRow(row);
  const isValueHidden = isSecret || isCredential(key, row.value);
  return mapMembers(row, levels, (value, name, below) => {
    if (name === 'value') return maskVariableValue(key, isSecret, value, below);
    if (isValueHidden && name === 'source') return maskSource(value, below);
    if (SHOWN_MEMBERS.has(name)) return toWritablePart(value, below);
    if (!isValueHidden) return maskMember(name, value, below);
    return isSecretValue(value) ? null : value;
  });
}

function maskSource(value: unknown, levels: number): unknown {
  if (!isJsonObject(value)) return isSecretValue(value) ? null : value;
  return mapMembers(value, levels, (member, name, below) => {
    if (isJsonObject(member)) return maskSource(member, below);
    return SHOWN_SOURCE_MEMBERS.has(name) || !isSecretValue(member) ? member : null;
  });
}
