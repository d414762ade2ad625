import { isJsonObject, MAX_JSON_DEPTH, toName, toWritableJson } from '../syntax/json.ts';
import { maskSetting } from '../masking/mask-settings.ts';
import { mapRows, toRows } from '../syntax/rows.ts';
import type { ShownValue } from './variables.ts';

/** The authentication of a request, or of everything in a folder or collection. */
export interface Auth {
  /** Postman's name of the scheme, for example `bearer`; `noauth` for none. */
  readonly type: string;
  readonly parameters: readonly AuthParameter[];
}

/** One setting of an auth scheme. */
export interface AuthParameter {
  /** The type of the auth, which decides what may be shown. */
  readonly type: string;
  readonly key: string;
  /** As Postman sent it, credentials in clear. */
  readonly value: unknown;
}

/**
 * Reads an auth block. Its parameters are under the name of its type, as a list (format 2.1) or as a map (2.0).
 *
 * @returns null where the block names no scheme (missing, null, empty): then the auth of the parent applies.
 */
export function toAuth(json: unknown): Auth | null {
  const type = authTypeOf(json);
  if (type === null || !isJsonObject(json)) return null;
  const block = Object.hasOwn(json, type) ? json[type] : undefined;
  // The settings of an API key are named `key` and `value`, so the map looks like a row.
  const rows = type === 'apikey' && isJsonObject(block) ? mapRows(block) : toRows(block);
  return {
    type,
    parameters: rows.map((row) => ({ type, key: toName(row.key) ?? '', value: row.value ?? null })),
  };
}

/** Reads the scheme of an auth block from `type` or, without it, from its only block of parameters; null if neither. */
export function authTypeOf(json: unknown): string | null {
  if (!isJsonObject(json)) return null;
  if (typeof json.type === 'string' && json.type !== '') return json.type;
  const blocks = Object.keys(json).filter((key) => typeof json[key] === 'object' && json[key] !== null);
  return blocks.length === 1 ? (blocks[0] ?? null) : null;
}

/**
 * Returns the value of a parameter, masked unless secrets are revealed.
 *
 * @throws {JsonTooDeepError} For a value that is nested too deep to be serialised.
 */
export function toShownParameter({ type, key, value }: AuthParameter, revealSecrets: boolean): ShownValue {
  if (revealSecrets) return { value: toWritableJson(value), isMasked: false };
  const shown = maskSetting(type, key, value, MAX_JSON_DEPTH);
  return { value: shown, isMasked: shown !== value };
}
