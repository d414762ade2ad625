import { isJsonObject, type JsonObject, toId } from '../../collection-format/syntax/json.ts';
import { isSameObject } from '../uid.ts';
import { toPlainText, UnexpectedShapeError } from './body.ts';

/** A reference to an object, as a workspace lists it. */
export interface Ref {
  readonly uid: string;
  /** undefined: the response does not carry it. */
  readonly name: string | null | undefined;
  /**
   * Only in dry runs, of an object whose dates and name are unknown: whether the requested pages of ordered and filtered
   * lists have it.
   */
  readonly isOnPage?: boolean;
}

/** Reads the uid and name of a list item. @throws {UnexpectedShapeError} For an item without a uid. */
export function toListedRef(item: JsonObject): Ref {
  const ref = toRef(item);
  if (!ref) throw new UnexpectedShapeError('A list item has no uid.');
  return ref;
}

/**
 * Reads the refs in one list of a workspace.
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
export function uidOf(object: JsonObject): string | null {
  const uid = toPlainText(object['uid']);
  if (uid) return uid;
  const id = toPlainText(object['id']);
  const owner = toId(object['owner']);
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

function toRef(object: JsonObject): Ref | null {
  const uid = uidOf(object);
  if (uid === null) return null;
  const name = Object.hasOwn(object, 'name') ? toPlainText(object['name']) : undefined;
  return { uid, name };
}
