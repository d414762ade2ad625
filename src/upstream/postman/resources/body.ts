import { isJsonObject, type JsonObject, toId } from '../../collection-format/syntax/json.ts';

/** Thrown for a body that is not what its route answers with. */
export class UnexpectedShapeError extends Error {
  override readonly name = 'UnexpectedShapeError';
}

/** The object at a key of a body. @throws {UnexpectedShapeError} */
export function objectAt(body: unknown, key: string): JsonObject {
  const value = isJsonObject(body) ? body[key] : undefined;
  if (!isJsonObject(value)) throw new UnexpectedShapeError(`The answer has no object "${key}".`);
  return value;
}

/** The list at a key of a body. @throws {UnexpectedShapeError} */
export function listAt(body: unknown, key: string): readonly unknown[] {
  const value = isJsonObject(body) ? body[key] : undefined;
  if (!Array.isArray(value)) throw new UnexpectedShapeError(`The answer has no list "${key}".`);
  return value;
}

/** What a page says of its list; empty where it says nothing. */
export function metaOf(body: unknown): JsonObject {
  return isJsonObject(body) && isJsonObject(body['meta']) ? body['meta'] : {};
}

/** Reads text alone, unlike `toText` of the collection format: what is something else was not meant to be read. */
export function toPlainText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Reads true and false; null for everything else. */
export function toBoolean(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

/** Reads the id of a team. 0 means no team. */
export function toTeamId(value: unknown): string | null {
  const id = toId(value);
  return id === '0' ? null : id;
}

const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?([Zz]|[+-]\d\d:?\d\d)?)?$/;

/** Reads a time: RFC 3339, with or without milliseconds, and in old material without a zone, which means UTC. What is no time is null. */
export function toMoment(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 64) return null;
  const [, date, time, zone = 'Z'] = MOMENT.exec(value) ?? [];
  // Without a zone it would be read in that of the process.
  const epochMs = date === undefined ? Number.NaN : Date.parse(`${date}T${time ?? '00:00'}${zone}`);
  return Number.isNaN(epochMs) ? null : new Date(epochMs).toISOString();
}
