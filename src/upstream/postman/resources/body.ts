import { isJsonObject, type JsonObject, toId } from '../../collection-format/syntax/json.ts';

/** Thrown for a body that does not have the shape of its route's responses. */
export class UnexpectedShapeError extends Error {
  override readonly name = 'UnexpectedShapeError';
}

/** Returns the object at a key of a body. @throws {UnexpectedShapeError} */
export function objectAt(body: unknown, key: string): JsonObject {
  const value = isJsonObject(body) ? body[key] : undefined;
  if (!isJsonObject(value)) throw new UnexpectedShapeError(`The response has no object "${key}".`);
  return value;
}

/** Returns the list at a key of a body. @throws {UnexpectedShapeError} */
export function listAt(body: unknown, key: string): readonly unknown[] {
  const value = isJsonObject(body) ? body[key] : undefined;
  if (!Array.isArray(value)) throw new UnexpectedShapeError(`The response has no list "${key}".`);
  return value;
}

/** Returns the `meta` object of a page; empty where it has none. */
export function metaOf(body: unknown): JsonObject {
  return isJsonObject(body) && isJsonObject(body['meta']) ? body['meta'] : {};
}

/** Returns a string, and null for anything else. (`toText` of the collection format converts other values to text.) */
export function toPlainText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Returns the strings of a list, and null for anything but a list. */
export function toTexts(value: unknown): readonly string[] | null {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : null;
}

/** Returns a boolean, and null for anything else. */
export function toBoolean(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

/** Reads the id of a team. 0 means no team. */
export function toTeamId(value: unknown): string | null {
  const id = toId(value);
  return id === '0' ? null : id;
}

// As Postman writes times. The 29th and later days do not exist in every month.
const NORMAL_MOMENT = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?([Zz]|[+-]\d\d:?\d\d)?)?$/;

/**
 * Reads a time in RFC 3339, or a date alone. Old data lacks the zone, which means UTC.
 *
 * @returns RFC 3339 in UTC with milliseconds; null for anything that is not a time.
 */
export function toMoment(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 64) return null;
  if (NORMAL_MOMENT.test(value)) return value;
  const [, date, time, zone = 'Z'] = MOMENT.exec(value) ?? [];
  // Without a zone, Date.parse would use that of the process.
  const epochMs = date === undefined ? Number.NaN : Date.parse(`${date}T${time ?? '00:00'}${zone}`);
  return Number.isNaN(epochMs) ? null : new Date(epochMs).toISOString();
}
