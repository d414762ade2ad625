import { isJsonObject, type JsonObject, toId } from './collection-format/json.ts';
import { isSameThing, toIdOfUid } from './uid.ts';

/** Who an API key belongs to. */
export interface User {
  readonly id: string;
  readonly username: string | null;
  readonly fullName: string | null;
  readonly email: string | null;
  readonly avatarUrl: string | null;
  /** null: no team. */
  readonly teamId: string | null;
  readonly teamName: string | null;
  readonly roles: readonly string[] | null;
}

/** What stands inside a workspace about one of its collections or environments. */
export interface Ref {
  readonly id: string;
  readonly uid: string;
  /** undefined: the answer does not carry it. */
  readonly name: string | null | undefined;
}

/** An item of `GET /workspaces`. */
export interface WorkspaceSummary {
  readonly id: string;
  readonly name: string | null;
  readonly type: string | null;
  readonly visibility: string | null;
  readonly about: string | null;
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
  readonly createdBy: string | null;
}

/** `GET /workspaces/{id}`: a summary and what only the single read has. */
export interface WorkspaceDetail extends WorkspaceSummary {
  readonly description: string | null;
  readonly updatedBy: string | null;
  readonly teamId: string | null;
  /** null: the answer does not carry the uid of each. */
  readonly collections: readonly Ref[] | null;
  /** null: the answer does not carry the uid of each. */
  readonly environments: readonly Ref[] | null;
}

/** Where a collection was forked from. */
export interface Fork {
  readonly label: string | null;
  readonly createdAt: string | null;
  readonly parentUid: string | null;
}

/** What a collection says of itself in lists and in single reads alike. */
export interface CollectionSummary extends Ref {
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
  readonly fork: Fork | null;
  /** Lists only: absent from single reads. */
  readonly isPublic?: boolean | null;
}

/** `GET /collections/{uid}`, also with `model=minimal`. */
export interface CollectionDetail extends CollectionSummary {
  readonly description: unknown;
  readonly lastUpdatedBy: string | null;
  /** The collection as sent; with `model=minimal` it has no `item` tree. */
  readonly document: JsonObject;
}

/** An item of `GET /environments`. */
export interface EnvironmentSummary extends Ref {
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
  readonly isPublic: boolean | null;
}

/** `GET /environments/{uid}`. */
export interface EnvironmentDetail extends EnvironmentSummary {
  /** As sent. */
  readonly values: unknown;
}

/** One page of `GET /workspaces`. */
export interface WorkspacePage {
  readonly items: readonly WorkspaceSummary[];
  /** null: this is the last page. */
  readonly nextCursor: string | null;
}

/** One page of `GET /collections`. */
export interface CollectionPage {
  readonly items: readonly CollectionSummary[];
  /** How many the whole list has; null where upstream did not say, because it sent the whole list. */
  readonly total: number | null;
}

/** Thrown for a body that is not what its route answers with. */
export class UnexpectedShapeError extends Error {
  override readonly name = 'UnexpectedShapeError';
}

/** Reads `GET /me`. @throws {UnexpectedShapeError} */
export function parseUser(body: unknown): User {
  const user = objectAt(body, 'user');
  return {
    id: requiredId(user['id'], 'user.id'),
    username: toPlainText(user['username']),
    fullName: toPlainText(user['fullName']),
    email: toPlainText(user['email']),
    avatarUrl: toPlainText(user['avatar']),
    teamId: toTeamId(user['teamId']),
    teamName: toPlainText(user['teamName']),
    roles: Array.isArray(user['roles']) ? user['roles'].filter((role) => typeof role === 'string') : null,
  };
}

/** Reads one page of `GET /workspaces`. @throws {UnexpectedShapeError} */
export function parseWorkspacePage(body: unknown): WorkspacePage {
  const meta = isJsonObject(body) && isJsonObject(body['meta']) ? body['meta'] : {};
  return {
    items: listAt(body, 'workspaces').flatMap((item) => toWorkspaceSummary(item) ?? []),
    // Absent, null and "" all mean the end.
    nextCursor: toPlainText(meta['nextCursor']) || null,
  };
}

/**
 * Reads `GET /workspaces/{id}`.
 *
 * @param id - What was asked for.
 * @throws {UnexpectedShapeError} Also for the answer of another workspace.
 */
export function parseWorkspaceDetail(body: unknown, id: string): WorkspaceDetail {
  // One documented answer lacks the wrapper.
  const workspace = isJsonObject(body) && !Object.hasOwn(body, 'workspace') ? body : objectAt(body, 'workspace');
  const summary = toWorkspaceSummary(workspace);
  if (!summary) throw new UnexpectedShapeError('The workspace has no id.');
  checkIsAsked(summary.id, id);
  return {
    ...summary,
    description: toPlainText(workspace['description']),
    updatedBy: toId(workspace['updatedBy']),
    teamId: toTeamId(workspace['team'] ?? workspace['teamId']),
    // Older answers leave empty lists out.
    collections: toRefs(workspace['collections']),
    environments: toRefs(workspace['environments']),
  };
}

/** Reads `GET /workspaces/{id}/global-variables`; the variables stay as sent. @throws {UnexpectedShapeError} */
export function parseGlobals(body: unknown): readonly unknown[] {
  return listAt(body, 'values');
}

/** Reads one page of `GET /collections`. @throws {UnexpectedShapeError} */
export function parseCollectionPage(body: unknown): CollectionPage {
  const meta = isJsonObject(body) && isJsonObject(body['meta']) ? body['meta'] : {};
  const total = meta['total'];
  return {
    items: listAt(body, 'collections').flatMap((item) => toCollectionSummary(item) ?? []),
    total: typeof total === 'number' && Number.isSafeInteger(total) && total >= 0 ? total : null,
  };
}

/**
 * Reads `GET /collections/{uid}`, with or without `model=minimal`. The tree stays as sent.
 *
 * @param uid - What was asked for, for answers that do not name themselves.
 * @throws {UnexpectedShapeError} Also for the answer of another collection.
 */
export function parseCollectionDetail(body: unknown, uid: string): CollectionDetail {
  const document = objectAt(body, 'collection');
  const info = objectAt(document, 'info');
  const namedUid = toPlainText(info['uid']);
  const namedId = toPlainText(info['_postman_id']);
  // Copies can share an id, so that it counts only where there is no uid.
  checkIsAsked(namedUid ?? namedId, uid);
  const ownUid = namedUid ?? uid;
  return {
    id: namedId ?? toIdOfUid(ownUid),
    uid: ownUid,
    name: toPlainText(info['name']),
    createdAt: toMoment(info['createdAt']),
    updatedAt: toMoment(info['updatedAt']),
    fork: toFork(info['fork']),
    description: info['description'],
    lastUpdatedBy: toId(info['lastUpdatedBy']),
    document,
  };
}

/** Reads `GET /environments`. @throws {UnexpectedShapeError} */
export function parseEnvironments(body: unknown): readonly EnvironmentSummary[] {
  return listAt(body, 'environments').flatMap((item) => {
    if (!isJsonObject(item)) return [];
    // Spread, each would be a hash table of its own: three times as large, and five times as slow.
    const { id, uid, name } = toListedRef(item);
    const { createdAt, updatedAt, isPublic } = toEnvironmentFacts(item);
    return { id, uid, name, createdAt, updatedAt, isPublic };
  });
}

/**
 * Reads `GET /environments/{uid}`, which names its id and owner but no uid.
 *
 * @param uid - What was asked for.
 * @throws {UnexpectedShapeError}
 */
export function parseEnvironmentDetail(body: unknown, uid: string): EnvironmentDetail {
  const environment = objectAt(body, 'environment');
  const namedId = toPlainText(environment['id']);
  const namedUid = toNamedUid(environment);
  checkIsAsked(namedUid ?? namedId, uid);
  return {
    id: namedId ?? toIdOfUid(uid),
    uid: namedUid ?? uid,
    name: toPlainText(environment['name']),
    ...toEnvironmentFacts(environment),
    values: environment['values'],
  };
}

/** 0 means no team. */
function toTeamId(value: unknown): string | null {
  const id = toId(value);
  return id === '0' ? null : id;
}

function checkIsAsked(named: string | null, asked: string): void {
  if (named !== null && !isSameThing(named, asked))
    throw new UnexpectedShapeError('It is of something else than what was asked for.');
}

function objectAt(body: unknown, key: string): JsonObject {
  const value = isJsonObject(body) ? body[key] : undefined;
  if (!isJsonObject(value)) throw new UnexpectedShapeError(`The answer has no object "${key}".`);
  return value;
}

function listAt(body: unknown, key: string): readonly unknown[] {
  const value = isJsonObject(body) ? body[key] : undefined;
  if (!Array.isArray(value)) throw new UnexpectedShapeError(`The answer has no list "${key}".`);
  return value;
}

function requiredId(value: unknown, name: string): string {
  const id = toId(value);
  if (id === null) throw new UnexpectedShapeError(`The answer has no "${name}".`);
  return id;
}

/** Text alone, unlike `toText` of the collection format: what is something else was not meant to be read. */
function toPlainText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?([Zz]|[+-]\d\d:?\d\d)?)?$/;

/** Times come as RFC 3339, with or without milliseconds, and in old material without a zone, which means UTC. What is no time is null. */
function toMoment(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 64) return null;
  const [, date, time, zone = 'Z'] = MOMENT.exec(value) ?? [];
  // Without a zone it would be read in that of the process.
  const epochMs = date === undefined ? Number.NaN : Date.parse(`${date}T${time ?? '00:00'}${zone}`);
  return Number.isNaN(epochMs) ? null : new Date(epochMs).toISOString();
}

/** The uid by which something names itself, outright or as its owner and id. null: it does not. */
function toNamedUid(thing: JsonObject): string | null {
  const uid = toPlainText(thing['uid']);
  if (uid) return uid;
  const id = toPlainText(thing['id']);
  const owner = toId(thing['owner']);
  return id && owner ? `${owner}-${id}` : null;
}

function toRef(thing: JsonObject): Ref | null {
  const uid = toNamedUid(thing);
  if (uid === null) return null;
  const name = Object.hasOwn(thing, 'name') ? toPlainText(thing['name']) : undefined;
  return { id: toPlainText(thing['id']) ?? toIdOfUid(uid), uid, name };
}

/** An item of a list: there is no other answer that would have its uid. */
function toListedRef(item: JsonObject): Ref {
  const ref = toRef(item);
  if (!ref) throw new UnexpectedShapeError('An item of the list has no uid.');
  return ref;
}

/** Older answers have some refs without a uid. One made up of a bare id would be wrong wherever it went. */
function toRefs(value: unknown = []): readonly Ref[] | null {
  if (value === null) return [];
  if (!Array.isArray(value)) return null;
  const refs = value.map((item) => (isJsonObject(item) ? toRef(item) : null));
  return refs.every((ref) => ref !== null) ? refs : null;
}

function toWorkspaceSummary(value: unknown): WorkspaceSummary | null {
  if (!isJsonObject(value)) return null;
  const id = toPlainText(value['id']);
  if (id === null) return null;
  return {
    id,
    name: toPlainText(value['name']),
    type: toPlainText(value['type']),
    visibility: toPlainText(value['visibility']),
    about: toPlainText(value['about']),
    createdAt: toMoment(value['createdAt']),
    updatedAt: toMoment(value['updatedAt']),
    createdBy: toId(value['createdBy']),
  };
}

function toCollectionSummary(value: unknown): CollectionSummary | null {
  if (!isJsonObject(value)) return null;
  // Spread, each would be a hash table of its own: three times as large, and ten times as slow.
  const { id, uid, name } = toListedRef(value);
  return {
    id,
    uid,
    name,
    createdAt: toMoment(value['createdAt']),
    updatedAt: toMoment(value['updatedAt']),
    fork: toFork(value['fork']),
    isPublic: typeof value['isPublic'] === 'boolean' ? value['isPublic'] : null,
  };
}

function toFork(value: unknown): Fork | null {
  if (!isJsonObject(value)) return null;
  return {
    label: toPlainText(value['label']),
    createdAt: toMoment(value['createdAt']),
    parentUid: toPlainText(value['from']),
  };
}

function toEnvironmentFacts(environment: JsonObject) {
  return {
    createdAt: toMoment(environment['createdAt']),
    updatedAt: toMoment(environment['updatedAt']),
    isPublic: typeof environment['isPublic'] === 'boolean' ? environment['isPublic'] : null,
  };
}
