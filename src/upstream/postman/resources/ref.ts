import { isJsonObject, type JsonObject, toId } from '../../collection-format/syntax/json.ts';
import { isSameObject, toIdOfUid } from '../uid.ts';
import { toPlainText, UnexpectedShapeError } from './body.ts';

/** What stands inside a workspace about one of the things in it. */
export interface Ref {
  readonly id: string;
  readonly uid: string;
  /** undefined: the answer does not carry it. */
  readonly name: string | null | undefined;
}

/** Reads an item of a list: there is no other answer that would have its uid. @throws {UnexpectedShapeError} for one without. */
export function toListedRef(item: JsonObject): Ref {
  const ref = toRef(item);
  if (!ref) throw new UnexpectedShapeError('An item of the list has no uid.');
  return ref;
}

/** Reads the refs of a workspace. null: some have no uid, as in older answers. One made up of a bare id would be wrong wherever it went. */
export function toRefs(value: unknown = []): readonly Ref[] | null {
  if (value === null) return [];
  if (!Array.isArray(value)) return null;
  const refs = value.map((item) => (isJsonObject(item) ? toRef(item) : null));
  return refs.every((ref) => ref !== null) ? refs : null;
}

/** The uid by which something names itself, outright or as its owner and id. null: it does not. */
export function toNamedUid(thing: JsonObject): string | null {
  const uid = toPlainText(thing['uid']);
  if (uid) return uid;
  const id = toPlainText(thing['id']);
  const owner = toId(thing['owner']);
  return id && owner ? `${owner}-${id}` : null;
}

/**
 * Checks that an answer is of what was asked for.
 *
 * @param named - Id or uid by which it names itself; null: it does not.
 * @throws {UnexpectedShapeError}
 */
export function checkIsRequested(named: string | null, requested: string): void {
  if (named !== null && !isSameObject(named, requested))
    throw new UnexpectedShapeError('It is of something else than what was asked for.');
}

function toRef(thing: JsonObject): Ref | null {
  const uid = toNamedUid(thing);
  if (uid === null) return null;
  const name = Object.hasOwn(thing, 'name') ? toPlainText(thing['name']) : undefined;
  return { id: toPlainText(thing['id']) ?? toIdOfUid(uid), uid, name };
}
