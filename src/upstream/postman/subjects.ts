import type { ListName } from './levels.ts';
import { toIdOfUid, toOwnerOfUid } from './uid.ts';

/*
 * Subjects name what responses show and what changes, so that a change finds the responses that it affects:
 * - an identifier: what an object holds; single reads and items of lists show it
 * - `ref:` and an identifier: that the object exists where it is, and its name
 * - `any:` and a list: which objects there are
 *
 * A response and a change can name an object by uid or by bare id. `*-` and an id stand for all uids with this id.
 */

/** The prefix of a subject about the existence, the place and the name of an object. */
const REF = 'ref:';

/** The subject about which objects of a list there are. */
export const anyOf = (list: ListName) => `any:${list}`;

/** The subjects of a single read. @param uids - The requested uid, and that of the response, if it is known. */
export function* shownObject(...uids: readonly (string | undefined)[]): Generator<string> {
  for (const uid of new Set(uids)) if (uid !== undefined) yield* shown('', uid);
}

/** The subjects of items of a list. */
export function* shownItems(list: ListName, items: Iterable<{ readonly uid: string }> = []): Generator<string> {
  yield anyOf(list);
  for (const { uid } of items) yield* shown('', uid);
}

/** The subjects of a list that may be that of one workspace. */
export function* shownList(
  list: ListName,
  workspaceId: string | null,
  items: Iterable<{ readonly uid: string }> | undefined,
): Generator<string> {
  if (workspaceId !== null) yield* shown('', workspaceId);
  yield* shownItems(list, items);
}

/** The subjects of references to objects. */
export function* shownRefs(list: ListName, refs: Iterable<{ readonly uid: string }>): Generator<string> {
  yield anyOf(list);
  for (const { uid } of refs) yield* shown(REF, uid);
}

/**
 * The subjects that change with an object.
 *
 * @param includesRef - Whether its name or its place may have changed, too.
 */
export function changedObject(uid: string, includesRef: boolean): readonly string[] {
  return includesRef ? [...changed('', uid), ...changed(REF, uid)] : changed('', uid);
}

function* shown(prefix: string, uid: string): Generator<string> {
  const name = uid.toLowerCase();
  yield prefix + name;
  if (toOwnerOfUid(name) !== null) yield `${prefix}*-${toIdOfUid(name)}`;
}

function changed(prefix: string, uid: string): readonly string[] {
  const name = uid.toLowerCase();
  const id = toIdOfUid(name);
  return [prefix + name, id === name ? `${prefix}*-${id}` : prefix + id];
}
