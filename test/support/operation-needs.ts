import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { requestedFields, type Field, type Page } from './any-operation.ts';
import type { Need } from './fewest-gets.ts';
import type { SmallAccount, SmallCollection, SmallMock } from './small-account.ts';
import { facts, lines, listedOf, type Named, passes, type PlainKind, plainKinds } from './upstream-model.ts';

/** A need, and the GETs that are sure to meet it, whatever else upstream holds. */
export interface SurveyedNeed extends Need {
  readonly fact: string;
  readonly sure: readonly string[];
  /** Number of responses that must have arrived before the need is known. */
  readonly round: number;
  /**
   * The response that led to the workspace; empty if the client named it. Two responses seldom arrive at the same time.
   */
  readonly via: string;
  /** Needed only by a planner that does not know the content of responses beforehand. */
  readonly isPrecaution?: true;
}

/** What an operation needs of an account. */
export interface Survey {
  /** The expected result. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly needs: readonly SurveyedNeed[];
  readonly named: Named;
  /** Facts that the client named. */
  readonly known: ReadonlySet<string>;
}

type Thing = object;

const { user: keyOwner, team = [] } = createDemoAccount();

const toKeys = (variables: readonly unknown[]) =>
  variables.map((one) => ({ key: (one as { readonly key: string }).key }));

/** Values of fields that an account stores under other names. */
const VALUES: Readonly<Record<string, (one: never) => unknown>> = {
  'Workspace.visibility': ({ visibility }: { readonly visibility: string }) => visibility.toUpperCase(),
  'Workspace.creatorId': ({ createdBy }: { readonly createdBy: string }) => createdBy,
  'Workspace.updaterId': ({ updatedBy }: { readonly updatedBy: string }) => updatedBy,
  'Workspace.teamId': () => String(keyOwner.teamId),
  'Workspace.globals': ({ globals }: { readonly globals: readonly unknown[] }) => toKeys(globals),
  'Collection.id': ({ uid }: SmallCollection) => `Collection:${uid}`,
  'Environment.id': ({ uid }: { readonly uid: string }) => `Environment:${uid}`,
  'Mock.id': ({ uid }: SmallMock) => `Mock:${uid}`,
  'Collection.ownerId': ({ owner }: SmallCollection) => owner,
  'Collection.updaterId': ({ lastUpdatedBy }: SmallCollection) => lastUpdatedBy,
  'Collection.description': ({ document }: SmallCollection) => document.info.description,
  'Collection.formatVersion': () => '2.1.0',
  'Collection.variables': () => [],
  'Collection.auth': () => null,
  'Collection.scripts': () => [],
  'Collection.settings': () => null,
  'Collection.items': () => [],
  'Collection.folders': () => ({ __typename: 'FolderConnection' }),
  'Collection.requests': () => ({ __typename: 'RequestConnection' }),
  'Collection.json': () => ({ asymmetricMatch: (value: unknown) => typeof value === 'object' && value !== null }),
  'ForkInfo.parentUid': ({ from }: { readonly from: string }) => from,
  'Environment.ownerId': ({ owner }: { readonly owner: string }) => owner,
  'Mock.ownerId': ({ owner }: SmallMock) => owner,
  'Mock.isActive': ({ deactivated }: SmallMock) => !deactivated,
  'Mock.url': ({ id }: SmallMock) => `https://${id}.mock.pstmn.io`,
  'Mock.matching': () => ({ __typename: 'MockMatching' }),
  'Mock.delayMs': () => null,
  'Mock.collectionUid': ({ collection }: SmallMock) => collection,
  'Mock.environmentUid': ({ environment }: SmallMock) => environment ?? null,
  'User.id': ({ id }: { readonly id: number }) => String(id),
  'User.fullName': ({ name }: { readonly name: string }) => name,
  'User.avatarUrl': ({ avatar }: { readonly avatar?: string }) => avatar ?? null,
  'User.teamId': ({ teamId }: { readonly teamId?: number }) => (teamId === undefined ? null : String(teamId)),
  'User.teamName': ({ teamName }: { readonly teamName?: string }) => teamName ?? null,
  'Environment.values': ({ values }: { readonly values: readonly unknown[] }) => toKeys(values),
  'Environment.valueCount': ({ values }: { readonly values: readonly unknown[] }) => values.length,
};

/** A field that only the read of a whole collection has. */
const TREE: Field = {
  name: 'formatVersion',
  on: 'Collection',
  to: undefined,
  levels: ['detail'],
  args: {},
  select: [],
  written: 'plainly',
  through: 'nodes',
};

const unknown = (what: string, { on, name }: Field) =>
  new Error(`test/support/operation-needs.ts does not know ${what} of ${on}.${name}: add it to VALUES`);

/** @throws {Error} Names a field for which the accounts have no data. */
function valueOf(one: Thing, field: Field): unknown {
  const toValue = VALUES[`${field.on}.${field.name}`];
  if (toValue) return toValue(one as never);
  if (!(field.name in one)) throw unknown('the value', field);
  return (one as Readonly<Record<string, unknown>>)[field.name];
}

const has = ({ levels }: Field, ...any: readonly Field['levels'][number][]) => any.some((one) => levels.includes(one));
const isDedicated = (field: Field) => has(field, 'dedicated');
/** Fields that only a single read has. */
const isInReads = (field: Field) => has(field, 'minimal', 'detail') && !has(field, 'ref', 'summary');
/** Fields that only the read of the whole collection has. */
const isInTree = (field: Field) => field.levels.join() === 'detail';
// Known from the object's identifier; other fields of refs come with a response.
const isIdentifying = ({ name }: Field) => ['id', 'uid', 'ownerId', 'owner'].includes(name);

/** The id of the user whom a field of an object names. */
function userIdOf(one: Thing, { name }: Field): string {
  const members = { owner: ['owner'], creator: ['createdBy'], updater: ['updatedBy', 'lastUpdatedBy'] }[name] ?? [];
  const ids = members.flatMap((member) => (one as Readonly<Record<string, string>>)[member] ?? []);
  return ids[0] ?? '';
}

/** The rows of a list that a page has. */
export function pageOf<Item>(list: readonly Item[], { first, after }: Page): readonly Item[] {
  const start = after === undefined || list.length === 0 ? 0 : Math.min(after, list.length - 1) + 1;
  return list.slice(start, start + first);
}

/** Whether the order or the filter of a list needs the dates of its items. */
const needsDates = ({ args: { orderBy = '', updatedAfter } }: Field) =>
  updatedAfter !== undefined || orderBy.includes('_AT');

/** What lists are ordered by. */
type Dated = Readonly<Record<'name' | 'createdAt' | 'updatedAt', string>>;

/** The items of a list in the requested order, without those that its filter leaves out. */
function arrange<Item>(items: readonly Item[], { args: { orderBy, updatedAfter } }: Field): readonly Item[] {
  const [, by = '', direction] = /field: (\w+), direction: (\w+)/.exec(orderBy ?? '') ?? [];
  const member = ({ NAME: 'name', CREATED_AT: 'createdAt', UPDATED_AT: 'updatedAt' } as const)[by];
  const isRecent = (item: Item) =>
    updatedAfter === undefined || Date.parse((item as Dated).updatedAt) > Date.parse(updatedAfter);
  const recent = items.filter(isRecent);
  if (!member) return recent;
  const sign = direction === 'DESC' ? -1 : 1;
  // Names and dates of accounts are plain ASCII, each kind of the same form.
  return recent.sort((a, b) => sign * (a as Dated)[member].localeCompare((b as Dated)[member]));
}

/** Derives what an operation needs, and its expected result. */
export function surveyOperation(account: SmallAccount, operation: readonly Field[]): Survey {
  const needs: SurveyedNeed[] = [];
  let via = '';
  const named = {
    workspaces: new Set<string>(),
    collections: new Set<string>(),
    plain: Object.fromEntries(Object.keys(plainKinds).map((type) => [type, new Set<string>()])),
    names: new Set<string>(),
  };
  const need = (round: number, fact: string, ...sure: readonly string[]) => void needs.push({ fact, sure, round, via });
  const beCareful = (round: number, line: string) =>
    void needs.push({ fact: facts.precaution(line), sure: [line], round, via, isPrecaution: true });

  const connection = <Item>(
    field: Field,
    list: readonly Item[],
    select: (item: Item) => object,
  ): Readonly<Record<string, unknown>> => {
    const nodes = pageOf(arrange(list, field), field.page ?? { first: 100, after: undefined }).map(select);
    return {
      ...(field.through !== 'edges' && { nodes }),
      ...(field.through !== 'nodes' && { edges: nodes.map((node) => ({ node })) }),
    };
  };
  const object = (fields: readonly Field[], valueOf: (field: Field) => unknown): Record<string, unknown> =>
    Object.fromEntries(requestedFields(fields).map(([alias, field]) => [alias, valueOf(field)]));

  const user = (fields: readonly Field[], id: string, round: number): Record<string, unknown> => {
    const one = { ...team.find((member) => String(member.id) === id), ...(id === String(keyOwner.id) && keyOwner) };
    return object(fields, (field) => {
      if (has(field, 'summary', 'detail') && !has(field, 'detail')) need(round, facts.team, lines.users);
      else if (has(field, 'summary')) need(round, facts.names(id), lines.users);
      else if (has(field, 'detail')) need(round, facts.user, lines.me);
      return valueOf(one, field);
    });
  };
  const namedUser = ({ select: fields, isNode }: Field, id: string): unknown => {
    const exists = team.some((member) => String(member.id) === id);
    need(0, facts.names(id), lines.users);
    // The user may be the owner of the key, so `GET /me` is read at once; also by `node`, as there may be no team.
    const needsOwner = requestedFields(fields).some(([, field]) => has(field, 'detail') && !has(field, 'summary'));
    if (needsOwner && exists) need(0, facts.user, lines.me);
    else if (needsOwner || isNode) beCareful(0, lines.me);
    return exists ? user(fields, id, 1) : null;
  };

  /** Whether a list has to have more than names, as far as is known before it is read. */
  const needsRows = (list: Field): boolean => {
    if (needsDates(list)) return true;
    const selected = requestedFields(list.select).map(([, field]) => field);
    const isRead = selected.some(isInReads);
    return selected.some(
      (field) => has(field, 'summary') && !has(field, 'ref') && !(isRead && has(field, 'minimal', 'detail')),
    );
  };

  /** @param from - Lists that are sure to have it; undefined if a client or a fork named it. */
  const collection = (
    fields: readonly Field[],
    one: SmallCollection,
    round: number,
    from: readonly string[] | undefined,
    refsFrom: readonly string[] = [],
  ): Record<string, unknown> => {
    const { uid } = one;
    const reads = [lines.minimal(uid), lines.collection(uid)];
    const lists = from ?? [];
    return object(fields, (field) => {
      const { select } = field;
      if (isDedicated(field)) {
        if (field.to !== 'Workspace') throw unknown('what is read', field);
        return workspaceOf(select, uid, from || hasOnlyDedicatedFields(fields) ? round : round + 1);
      }
      const isListed = field.levels.join() === 'summary';
      if (has(field, 'ref')) {
        if (!isIdentifying(field)) need(round, facts.collection(uid, 'ref'), ...lists, ...refsFrom, ...reads);
      } else if (isListed)
        need(from ? round : round + 1, facts.collection(uid, 'public'), ...(from ?? [lines.named(one.name, null)]));
      else if (has(field, 'summary')) need(round, facts.collection(uid, 'summary'), ...lists, ...reads);
      else if (has(field, 'minimal')) need(round, facts.collection(uid, 'minimal'), ...reads);
      else need(round, facts.collection(uid, 'detail'), lines.collection(uid));
      if (isListed) return from || one.isListed ? valueOf(one, field) : ifSeen(one, valueOf(one, field));
      if (field.to === 'User') return user(select, userIdOf(one, field), has(field, 'ref') ? round : round + 1);
      if (field.to !== 'ForkInfo') return valueOf(one, field);
      const { fork } = one;
      return fork
        ? object(select, (part) => {
            if (part.to === undefined) return valueOf(fork, part);
            if (part.to !== 'Collection') throw unknown('what is read', part);
            return namedCollection(part.select, fork.from, round + 1);
          })
        : null;
    });
  };
  // Only the list of a workspace has it, and a client that named the object may not know that workspace.
  const ifSeen = ({ uid }: SmallCollection, known: unknown) =>
    account.workspaces.some(({ collections }) => collections.includes(uid))
      ? { asymmetricMatch: (value: unknown) => value === null || value === known }
      : null;

  const workspaceOf = (
    fields: readonly Field[],
    uid: string,
    round: number,
    member: 'collections' | PlainKind['member'] = 'collections',
  ): unknown => {
    // Environments have no lookup: only the contents of the workspaces show where they are.
    const hasLookUp = member === 'collections';
    const ways = [hasLookUp ? lines.workspacesWith(uid) : lines.workspaces({})];
    const index = account.workspaces.findIndex((one) => one[member]?.includes(uid));
    need(round, facts.workspaceOrder(uid), ...ways);
    // The first workspace that holds it counts, so that those before it must be known not to.
    for (const { id } of index === -1 ? account.workspaces : account.workspaces.slice(0, index + 1))
      need(round, facts.isIn(id, uid), ...(hasLookUp ? ways : [lines.environments(id), lines.workspace(id)]));
    if (hasLookUp && index === -1) need(round, facts.isInAccount(uid), ...ways);
    const containing = account.workspaces[index];
    return containing ? workspace(fields, containing, round + 1, ways) : null;
  };

  // A named object is looked up first, unless only its workspaces are selected.
  const hasOnlyDedicatedFields = (fields: readonly Field[]) =>
    requestedFields(fields).every(([, field]) => isDedicated(field));

  const namedCollection = (fields: readonly Field[], uid: string, round: number): unknown => {
    const one = account.collections.find((candidate) => candidate.uid === uid);
    const reads = [lines.minimal(uid), lines.collection(uid)];
    if (!one) {
      const hasTree = requestedFields(fields).some(([, field]) => isInTree(field));
      need(round, facts.collection(uid, 'absent'), hasTree ? lines.collection(uid) : lines.minimal(uid));
      if (hasOnlyDedicatedFields(fields)) beCareful(round, lines.workspacesWith(uid));
      return null;
    }
    need(
      round,
      facts.collection(uid, 'exists'),
      ...reads,
      ...(hasOnlyDedicatedFields(fields) ? [lines.workspacesWith(uid)] : []),
    );
    return collection(fields, one, round, undefined);
  };

  const plain = (
    kind: PlainKind,
    fields: readonly Field[],
    one: SmallAccount[PlainKind['member']][number],
    round: number,
    from: readonly string[],
    refsFrom: readonly string[] = [],
  ): Record<string, unknown> => {
    const { uid } = one;
    const read = kind.line(uid);
    return object(fields, (field) => {
      if (isDedicated(field)) {
        if (field.to !== 'Workspace') throw unknown('what is read', field);
        // A named object is read first, because it may not exist.
        return workspaceOf(field.select, uid, from.length > 0 ? round : round + 1, kind.member);
      }
      if (has(field, 'ref')) {
        if (!isIdentifying(field)) need(round, kind.fact(uid, 'ref'), ...from, ...refsFrom, read);
      } else if (has(field, 'summary')) need(round, kind.fact(uid, 'summary'), ...from, read);
      else need(round, kind.fact(uid, 'detail'), read);
      if (field.to === undefined) return valueOf(one, field);
      if (field.to === 'User') return user(field.select, userIdOf(one, field), round);
      const linked = Object.entries(one).find(([name]) => name === field.name)?.[1] as unknown;
      if (typeof linked !== 'string') return null;
      if (field.to === 'Collection') return namedCollection(field.select, linked, round + 1);
      return namedPlain(kindOf(field), field.select, linked, round + 1);
    });
  };

  const namedPlain = (kind: PlainKind, fields: readonly Field[], uid: string, round: number): unknown => {
    const one = account[kind.member].find((candidate) => candidate.uid === uid);
    need(round, kind.fact(uid, one ? 'exists' : 'absent'), kind.line(uid));
    return one ? plain(kind, fields, one, round, []) : null;
  };

  const collectionList = (field: Field, workspaceId: string | null, round: number): unknown => {
    const list = lines.collections(workspaceId);
    const refs = workspaceId === null ? [] : [lines.workspace(workspaceId)];
    need(round, facts.collections(workspaceId), list, ...refs);
    if (workspaceId !== null && needsRows(field)) beCareful(round, list);
    const uids = account.workspaces.find(({ id }) => id === workspaceId)?.collections;
    const items = account.collections.filter((one) => (workspaceId === null ? one.isListed : uids?.includes(one.uid)));
    for (const { uid } of items) {
      if (needsDates(field)) need(round, facts.collection(uid, 'summary'), list);
      else if (field.args['orderBy'] !== undefined) need(round, facts.collection(uid, 'ref'), list, ...refs);
    }
    return connection(field, items, (one) => collection(field.select, one, round + 1, [list], refs));
  };
  const plainList = (kind: PlainKind, field: Field, workspaceId: string | null, round: number): unknown => {
    const list = kind.listLine(workspaceId);
    const refs = workspaceId === null ? [] : [lines.workspace(workspaceId)];
    need(round, kind.listFact(workspaceId), list, ...refs);
    if (workspaceId !== null && needsRows(field)) beCareful(round, list);
    const items = listedOf(account, kind, workspaceId);
    for (const { uid } of items) {
      if (needsDates(field)) need(round, kind.fact(uid, 'summary'), list);
      else if (field.args['orderBy'] !== undefined) need(round, kind.fact(uid, 'ref'), list, ...refs);
    }
    return connection(field, items, (one) => plain(kind, field.select, one, round + 1, [list], refs));
  };
  /** A list of one workspace, or of everything. */
  const list = (field: Field, workspaceId: string | null, round: number): unknown =>
    field.to === 'Collection'
      ? collectionList(field, workspaceId, round)
      : plainList(kindOf(field), field, workspaceId, round);

  const workspace = (
    fields: readonly Field[],
    one: SmallAccount['workspaces'][number],
    round: number,
    from: readonly string[],
  ): Record<string, unknown> => {
    const outer = via;
    via = from.join();
    const result = object(fields, (field) => {
      const { id } = one;
      const read = lines.workspace(id);
      if (field.to !== undefined && field.to !== 'User') return list(field, id, round);
      if (field.name === 'globals') need(round, facts.globals(id), lines.globals(id));
      else if (isDedicated(field)) throw unknown('what is read', field);
      else if (has(field, 'summary')) need(round, facts.workspace(id, 'summary'), ...from, read);
      else if (!has(field, 'ref')) need(round, facts.workspace(id, 'detail'), read);
      if (field.to === 'User') return user(field.select, userIdOf(one, field), round + 1);
      return valueOf(one, field);
    });
    via = outer;
    return result;
  };

  /** Proves that a named workspace exists. */
  const namedWorkspace = (id: string, fieldsOfIt: readonly Field[]) => {
    const one = account.workspaces.find((candidate) => candidate.id === id);
    need(0, facts.workspace(id, one ? 'exists' : 'absent'), lines.workspace(id));
    const subfields = requestedFields(fieldsOfIt).map(([, field]) => field);
    const isGlobals = ({ name }: Field) => name === 'globals';
    const isPlain = subfields.every((field) => isGlobals(field) || has(field, 'ref'));
    const hasGlobals = subfields.some(isGlobals);
    // If there are no globals, only the read of the workspace itself is sure to prove it.
    if (fieldsOfIt.length > 0 && isPlain && !(hasGlobals && one?.globals.length)) {
      beCareful(hasGlobals ? 1 : 0, lines.workspace(id));
    }
    if (!one)
      for (const field of subfields) {
        if (isGlobals(field)) beCareful(0, lines.globals(id));
        if (field.page && needsRows(field)) beCareful(0, listLineOf(field, id));
      }
    return one;
  };

  const root = (field: Field): unknown => {
    const { name, args, select } = field;
    const workspaceId = args['workspaceId'] ?? null;
    switch (name) {
      case 'me':
        need(0, facts.user, lines.me);
        return user(select, String(keyOwner.id), 1);
      case 'user':
        return namedUser(field, args['id'] ?? '');
      case 'users':
        need(0, facts.team, lines.users);
        return connection(field, team, ({ id }) => user(select, String(id), 1));
      case 'workspaces': {
        const filter = { visibility: args['visibility'], createdBy: args['creatorId'] };
        const rows = account.workspaces.filter((one) => passes(one, filter));
        need(0, facts.workspaces(filter), lines.workspaces(filter));
        return connection(field, rows, (one) => workspace(select, one, 1, [lines.workspaces(filter)]));
      }
      case 'compareEnvironments': {
        const compared = [args['leftUid'] ?? '', args['rightUid'] ?? ''].map((uid) => {
          const one = account.environments.find((candidate) => candidate.uid === uid);
          need(0, facts.environment(uid, one ? 'detail' : 'absent'), lines.environment(uid));
          return one;
        });
        return compared.every(Boolean) ? { __typename: 'EnvironmentComparison' } : null;
      }
      case 'workspace': {
        const one = namedWorkspace(args['id'] ?? '', select);
        return one ? workspace(select, one, 0, []) : null;
      }
      case 'collections': {
        const requestedName = args['name'];
        if (requestedName !== undefined) {
          const byName = lines.named(requestedName, workspaceId);
          const uids = account.workspaces.find(({ id }) => id === workspaceId)?.collections;
          const items = account.collections.filter(
            (one) => one.name === requestedName && (workspaceId === null ? one.isListed : uids?.includes(one.uid)),
          );
          need(0, facts.named(requestedName, workspaceId), byName);
          if (workspaceId !== null && !namedWorkspace(workspaceId, [])) {
            beCareful(0, byName);
            return null;
          }
          return connection(field, items, (one) => collection(select, one, 1, [byName]));
        }
        return listIn(field, workspaceId);
      }
      case 'requests':
      case 'folders': {
        // Nothing matches, so every collection is read.
        const { page: _, ...list } = field;
        const found = listIn({ ...list, to: 'Collection', select: [TREE], through: 'nodes' }, workspaceId);
        return found && { searchedCollectionCount: (found as { readonly nodes: readonly unknown[] }).nodes.length };
      }
      case 'collection':
        return namedCollection(select, args['uid'] ?? '', 0);
    }
    const kind = kindOf(field);
    if (field.page) return listIn(field, workspaceId);
    return namedPlain(kind, select, args['uid'] ?? '', 0);
  };
  const listIn = (field: Field, workspaceId: string | null): unknown =>
    workspaceId === null || namedWorkspace(workspaceId, [field]) ? list(field, workspaceId, 0) : null;

  for (const [, { to = '', args }] of requestedFields(operation)) {
    const { id, workspaceId, uid, leftUid, rightUid, name: requestedName } = args;
    for (const one of [leftUid, rightUid]) if (one !== undefined) named.plain['Environment']?.add(one);
    if (id !== undefined && to === 'Workspace') named.workspaces.add(id);
    if (workspaceId !== undefined) named.workspaces.add(workspaceId);
    if (uid !== undefined) (named.plain[to] ?? named.collections).add(uid);
    if (requestedName !== undefined) named.names.add(requestedName);
  }
  return {
    data: object(operation, root),
    needs,
    named,
    known: new Set([
      ...[...named.workspaces].map((id) => facts.workspace(id, 'known')),
      ...[...named.collections].map((uid) => facts.collection(uid, 'known')),
      ...Object.entries(named.plain).flatMap(([type, uids]) =>
        [...uids].flatMap((uid) => plainKinds[type]?.fact(uid, 'known') ?? []),
      ),
      ...[...named.names].map((one) => facts.name(one)),
    ]),
  };
}

function kindOf(field: Field): PlainKind {
  const kind = plainKinds[field.to ?? ''];
  if (!kind) throw unknown('what is read', field);
  return kind;
}

/** The list from which a field of a workspace can be read. */
const listLineOf = (field: Field, workspaceId: string) =>
  field.to === 'Collection' ? lines.collections(workspaceId) : kindOf(field).listLine(workspaceId);
