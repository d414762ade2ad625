import { isJsonObject, type JsonObject, toId } from '../../collection-format/syntax/json.ts';
import { isSameObject, toIdOfUid } from '../uid.ts';
import { toPlainText, UnexpectedShapeError } from './body.ts';

/** A reference to an object, as a workspace lists it. */
export interface Ref {
  readonly id: string;
  readonly uid: string;
  /** undefined: the response does not carry it. */
  readonly name: string | null | undefined;
}

/** Reads the identifiers of a list item. @throws {UnexpectedShapeError} For one without a uid: nothing else has it. */
export function toListedRef(item: JsonObject): Ref {
  const ref = toRef(item);
  if (!ref) throw new UnexpectedShapeError('A list item has no uid.');
  return ref;
}

/**
 * Reads the refs of a workspace.
 *
 * @returns null where some have no uid, as in older responses: a uid guessed from a bare id would be wrong.
 */
export function toRefs(value: unknown = []): readonly Ref[] | null {
  if (value === null) return [];
  if (!Array.isArray(value)) return null;
  const refs = value.map((item) => (isJsonObject(item) ? toRef(item) : null));
  return refs.every((ref) => ref !== null) ? refs : null;
}

/** The uid that an object carries, either as `uid` or as `owner` and `id`. null: neither. */
export function uidOf(thing: JsonObject): string | null {
  const uid = toPlainText(thing['uid']);
  if (uid) return uid;
  const id = toPlainText(thing['id']);
  const owner = toId(thing['owner']);
  return id && owner ? `${owner}-${id}` : null;
}

/**
 * Checks that a response describes the requested object.
 *
 * @param actual - The id or uid in the response; null: it has none, which passes.
 * @throws {UnexpectedShapeError} For another object.
 */
export function checkIsRequested(actual: string | null, requested: string): void {
  if (actual !== null && !isSameObject(actual, requested))
    throw new UnexpectedShapeError('The response describes a different object than the requested one.');
}

function toRef(thing: JsonObject): Ref | null {
  const uid = uidOf(thing);
  if (uid === null) return null;
  const name = Object.hasOwn(thing, 'name') ? toPlainText(thing['name']) : undefined;
  return { id: toPlainText(thing['id']) ?? toIdOfUid(uid), uid, name };
}
