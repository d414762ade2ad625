import { isJsonObject } from '../collection-format/syntax/json.ts';
import { toPlainText } from './resources/body.ts';
import { childTypes, leveledTypes, type LeveledType } from './levels.ts';
import { anyOf, changedObject } from './subjects.ts';

const IDENTIFIER = /^[\da-z-]{1,64}$/i;
/** Actions that change what an object holds or its name, but not where it is. */
const UPDATE = /^(?:update|edit|rename|modif|change)/i;

/**
 * Reads one event of a team's activity, as a custom webhook of Postman sends it. Only `model`, `model_uid`,
 * `collection_uid` and `action` are read, and each may be missing.
 *
 * - An event about something inside a collection (`model_uid` is not `collection_uid`) changes the collection.
 * - One about a collection, an environment, a mock server or a workspace changes the object, its name and its place.
 *   Unless its action is known to leave the object where it is, lists that do not show the object may show it now.
 *
 * @param body - JSON, already parsed.
 * @returns The subjects that have changed, as in `subjects.ts`; none for any other body.
 */
export function toChangedSubjects(body: unknown): readonly string[] {
  // Results of monitors name the collection that has run: nothing was changed.
  if (!isJsonObject(body) || Object.hasOwn(body, 'monitor_uid')) return [];
  const collectionUid = toIdentifier(body['collection_uid']);
  const modelUid = toIdentifier(body['model_uid']) ?? collectionUid;
  if (modelUid === undefined) return [];
  const isCollection = modelUid.toLowerCase() === collectionUid?.toLowerCase();
  const type = isCollection ? 'Collection' : toType(body['model']);
  const isInside = type === undefined && collectionUid !== undefined;
  const isUpdate = UPDATE.test(toPlainText(body['action']) ?? '');
  return [
    ...(isInside ? [] : changedObject(modelUid, true)),
    ...(collectionUid !== undefined && !isCollection ? changedObject(collectionUid, false) : []),
    ...(type === undefined || isUpdate ? [] : [anyOf(leveledTypes[type].list)]),
  ];
}

function toIdentifier(value: unknown): string | undefined {
  return typeof value === 'string' && IDENTIFIER.test(value) ? value : undefined;
}

/** The type that an event calls `collection`, `environment`, `mock` or `workspace`. */
function toType(model: unknown): LeveledType | undefined {
  const name = (toPlainText(model) ?? '').toLowerCase();
  return (['Workspace', ...childTypes] as const).find((type) => type.toLowerCase() === name);
}
