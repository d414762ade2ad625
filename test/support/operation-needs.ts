import { asked, type Field, type Page } from './any-operation.ts';
import type { Need } from './fewest-gets.ts';
import type { SmallAccount, SmallCollection, SmallEnvironment } from './small-account.ts';
import { facts, lines, type Named } from './upstream-model.ts';

/** A need, and which GETs are sure to meet it: known beforehand to have it, whatever else upstream holds. */
export interface AskedNeed extends Need {
  readonly fact: string;
  readonly sure: readonly string[];
  /** How many answers have to be in before it can be known that this is needed. */
  readonly round: number;
  /** The answer that led to the workspace of which it is asked; empty: it was named. Two answers seldom come at the same time. */
  readonly via: string;
  /** It is needed only by who does not know beforehand how the answers will turn out. */
  readonly isPrecaution?: true;
}

/** What an operation asks for of an account. */
export interface Survey {
  /** The answer it ought to have. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly needs: readonly AskedNeed[];
  readonly named: Named;
  /** Facts the client has brought with it. */
  readonly known: ReadonlySet<string>;
}

/** Fields by the answers that have them: of a ref, of a list, of a single read. */
const MINIMAL = ['description', 'lastUpdatedBy'];
const SUMMARY = ['updatedAt', 'createdAt', 'fork'];
const REF = ['id', 'uid', 'name', 'ownerId'];

/** The part of a list that a page has. */
export function pageOf<Item>(list: readonly Item[], { first, after }: Page): readonly Item[] {
  const start = after === undefined || list.length === 0 ? 0 : Math.min(after, list.length - 1) + 1;
  return list.slice(start, start + first);
}

/** Works out what an operation asks for, and what its answer is. */
export function surveyOperation(account: SmallAccount, operation: readonly Field[]): Survey {
  const needs: AskedNeed[] = [];
  let via = '';
  const named = {
    workspaces: new Set<string>(),
    collections: new Set<string>(),
    environments: new Set<string>(),
    mocks: new Set<string>(),
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
    const nodes = pageOf(list, field.page ?? { first: 100, after: undefined }).map(select);
    return {
      ...(field.through !== 'edges' && { nodes }),
      ...(field.through !== 'nodes' && { edges: nodes.map((node) => ({ node })) }),
    };
  };
  const object = (fields: readonly Field[], valueOf: (field: Field) => unknown): Record<string, unknown> =>
    Object.fromEntries(asked(fields).map(([alias, field]) => [alias, valueOf(field)]));

  /** Whether a list has to have more than names, for who has not seen yet what is in it. */
  const needsRows = (fields: readonly Field[]): boolean => {
    const names = asked(fields).map(([, { name }]) => name);
    const isRead = names.some((name) => [...MINIMAL, 'items', 'values'].includes(name));
    const isEnvironment = names.includes('values');
    return names.some(
      (name) => (name === 'isPublic' && !isEnvironment) || ([...SUMMARY, 'isPublic'].includes(name) && !isRead),
    );
  };

  /** @param from - Lists that are sure to have it; undefined: a client, or a fork, named it. */
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
      const { name, select } = field;
      if (name === 'name') need(round, facts.collection(uid, 'ref'), ...lists, ...refsFrom, ...reads);
      else if (SUMMARY.includes(name)) need(round, facts.collection(uid, 'summary'), ...lists, ...reads);
      else if (name === 'isPublic')
        need(from ? round : round + 1, facts.collection(uid, 'public'), ...(from ?? [lines.named(one.name, null)]));
      else if (MINIMAL.includes(name)) need(round, facts.collection(uid, 'minimal'), ...reads);
      else if (name === 'items') need(round, facts.collection(uid, 'detail'), lines.collection(uid));
      switch (name) {
        case 'ownerId':
          return one.owner;
        case 'isPublic':
          return from || one.isListed ? one.isPublic : maybePublic(one);
        case 'description':
          return one.document.info.description;
        case 'items':
          return [];
        case 'workspace':
          return workspaceOf(select, uid, from || isOnlyPlaced(fields) ? round : round + 1);
        case 'fork':
          return one.fork
            ? object(select, (part) => {
                if (part.name === 'label') return one.fork?.label;
                if (part.name === 'parentUid') return one.fork?.from;
                return namedCollection(part.select, one.fork?.from ?? '', round + 1);
              })
            : null;
        default:
          return one[name as 'id' | 'uid' | 'name' | 'updatedAt' | 'createdAt' | 'lastUpdatedBy'];
      }
    });
  };
  // Only the list of a workspace has it, of which who named it need not know.
  const maybePublic = ({ uid, isPublic }: SmallCollection) =>
    account.workspaces.some(({ collections }) => collections.includes(uid))
      ? { asymmetricMatch: (value: unknown) => value === null || value === isPublic }
      : null;

  const workspaceOf = (fields: readonly Field[], uid: string, round: number): unknown => {
    need(round, facts.holder(uid), lines.holders(uid));
    const holder = account.workspaces.find((one) => one.collections.includes(uid));
    return holder ? workspace(fields, holder, round + 1, [lines.holders(uid)]) : null;
  };

  // What was named is looked up first, unless nothing but its place is asked for.
  const isOnlyPlaced = (fields: readonly Field[]) => asked(fields).every(([, { name }]) => name === 'workspace');

  const namedCollection = (fields: readonly Field[], uid: string, round: number): unknown => {
    const one = account.collections.find((candidate) => candidate.uid === uid);
    const reads = [lines.minimal(uid), lines.collection(uid)];
    if (!one) {
      const hasTree = asked(fields).some(([, { name }]) => name === 'items');
      need(round, facts.collection(uid, 'absent'), hasTree ? lines.collection(uid) : lines.minimal(uid));
      if (isOnlyPlaced(fields)) beCareful(round, lines.holders(uid));
      return null;
    }
    need(round, facts.collection(uid, 'exists'), ...reads, ...(isOnlyPlaced(fields) ? [lines.holders(uid)] : []));
    return collection(fields, one, round, undefined);
  };

  const environment = (
    fields: readonly Field[],
    one: SmallEnvironment,
    round: number,
    from: readonly string[],
    refsFrom: readonly string[] = [],
  ): Record<string, unknown> => {
    const { uid } = one;
    const read = lines.environment(uid);
    return object(fields, ({ name }) => {
      if (name === 'name') need(round, facts.environment(uid, 'ref'), ...from, ...refsFrom, read);
      else if (name === 'values') need(round, facts.environment(uid, 'detail'), read);
      else if (!REF.includes(name)) need(round, facts.environment(uid, 'summary'), ...from, read);
      if (name === 'ownerId') return one.owner;
      if (name === 'values') return one.values.map((value) => ({ key: (value as { key: string }).key }));
      return one[name as 'id' | 'uid' | 'name' | 'updatedAt' | 'isPublic'];
    });
  };

  const collectionList = (field: Field, workspaceId: string | null, round: number): unknown => {
    const list = lines.collections(workspaceId);
    const refs = workspaceId === null ? [] : [lines.workspace(workspaceId)];
    need(round, facts.collections(workspaceId), list, ...refs);
    if (workspaceId !== null && needsRows(field.select)) beCareful(round, list);
    const uids = account.workspaces.find(({ id }) => id === workspaceId)?.collections;
    const items = account.collections.filter((one) => (workspaceId === null ? one.isListed : uids?.includes(one.uid)));
    return connection(field, items, (one) => collection(field.select, one, round + 1, [list], refs));
  };
  const environmentList = (field: Field, workspaceId: string | null, round: number): unknown => {
    const list = lines.environments(workspaceId);
    const refs = workspaceId === null ? [] : [lines.workspace(workspaceId)];
    need(round, facts.environments(workspaceId), list, ...refs);
    if (workspaceId !== null && needsRows(field.select)) beCareful(round, list);
    const uids = account.workspaces.find(({ id }) => id === workspaceId)?.environments;
    const items = account.environments.filter((one) => workspaceId === null || uids?.includes(one.uid));
    return connection(field, items, (one) => environment(field.select, one, round + 1, [list], refs));
  };

  const workspace = (
    fields: readonly Field[],
    one: SmallAccount['workspaces'][number],
    round: number,
    from: readonly string[],
  ): Record<string, unknown> => {
    const outer = via;
    via = from.join();
    const answer = object(fields, (field) => {
      const { name } = field;
      const { id } = one;
      const read = lines.workspace(id);
      if (['description', 'updatedBy'].includes(name)) need(round, facts.workspace(id, 'detail'), read);
      else if (['name', 'visibility'].includes(name)) need(round, facts.workspace(id, 'summary'), ...from, read);
      switch (name) {
        case 'visibility':
          return one.visibility.toUpperCase();
        case 'collections':
          return collectionList(field, id, round);
        case 'environments':
          return environmentList(field, id, round);
        case 'globals':
          need(round, facts.globals(id), lines.globals(id));
          return one.globals.map((value) => ({ key: (value as { key: string }).key }));
        default:
          return one[name as 'id' | 'name' | 'description' | 'updatedBy'];
      }
    });
    via = outer;
    return answer;
  };

  /** Proves that a named workspace is there. */
  const namedWorkspace = (id: string, fieldsOfIt: readonly Field[]) => {
    const one = account.workspaces.find((candidate) => candidate.id === id);
    need(0, facts.workspace(id, one ? 'exists' : 'absent'), lines.workspace(id));
    const [isPlain, hasGlobals] = [
      asked(fieldsOfIt).every(([, { name }]) => ['id', 'globals'].includes(name)),
      asked(fieldsOfIt).some(([, { name }]) => name === 'globals'),
    ];
    // Nothing but the workspace itself is sure to prove it, as soon as there turn out to be no globals.
    if (fieldsOfIt.length > 0 && isPlain && !(hasGlobals && one?.globals.length)) {
      beCareful(hasGlobals ? 1 : 0, lines.workspace(id));
    }
    if (!one)
      for (const [, field] of asked(fieldsOfIt)) {
        if (field.name === 'globals') beCareful(0, lines.globals(id));
        if (field.name === 'collections' && needsRows(field.select)) beCareful(0, lines.collections(id));
        if (field.name === 'environments' && needsRows(field.select)) beCareful(0, lines.environments(id));
      }
    return one;
  };

  const root = (field: Field): unknown => {
    const { name, args, select } = field;
    const workspaceId = args['workspaceId'] ?? null;
    switch (name) {
      case 'me':
        need(0, facts.user, lines.me);
        return { id: '41829063' };
      case 'workspaces': {
        const visibility = args['visibility'];
        const list = lines.workspaces(visibility);
        need(0, facts.workspaces(visibility), list);
        const rows = account.workspaces.filter(
          (one) => visibility === undefined || one.visibility === visibility.toLowerCase(),
        );
        return connection(field, rows, (one) => workspace(select, one, 1, [list]));
      }
      case 'workspace': {
        const one = namedWorkspace(args['id'] ?? '', select);
        return one ? workspace(select, one, 0, []) : null;
      }
      case 'collections': {
        const nameAsked = args['name'];
        if (nameAsked !== undefined) {
          const list = lines.named(nameAsked, workspaceId);
          const uids = account.workspaces.find(({ id }) => id === workspaceId)?.collections;
          const items = account.collections.filter(
            (one) => one.name === nameAsked && (workspaceId === null ? one.isListed : uids?.includes(one.uid)),
          );
          need(0, facts.named(nameAsked, workspaceId), list);
          if (workspaceId !== null && !namedWorkspace(workspaceId, [])) {
            beCareful(0, list);
            return null;
          }
          return connection(field, items, (one) => collection(select, one, 1, [list]));
        }
        if (workspaceId !== null && !namedWorkspace(workspaceId, [field])) return null;
        return collectionList(field, workspaceId, 0);
      }
      case 'collection':
        return namedCollection(select, args['uid'] ?? '', 0);
      case 'environments':
        if (workspaceId !== null && !namedWorkspace(workspaceId, [field])) return null;
        return environmentList(field, workspaceId, 0);
      case 'environment': {
        const uid = args['uid'] ?? '';
        const one = account.environments.find((candidate) => candidate.uid === uid);
        need(0, facts.environment(uid, one ? 'exists' : 'absent'), lines.environment(uid));
        return one ? environment(select, one, 0, []) : null;
      }
      default:
        throw new RangeError(`There is no root field ${name}`);
    }
  };

  for (const [, { name, args }] of asked(operation)) {
    const { id, workspaceId, uid, name: nameAsked } = args;
    if (id !== undefined) named.workspaces.add(id);
    if (workspaceId !== undefined) named.workspaces.add(workspaceId);
    if (uid !== undefined) (name === 'environment' ? named.environments : named.collections).add(uid);
    if (nameAsked !== undefined) named.names.add(nameAsked);
  }
  return {
    data: object(operation, root),
    needs,
    named,
    known: new Set([
      ...[...named.workspaces].map((id) => facts.workspace(id, 'known')),
      ...[...named.collections].map((uid) => facts.collection(uid, 'known')),
      ...[...named.environments].map((uid) => facts.environment(uid, 'known')),
      ...[...named.mocks].map((uid) => facts.mock(uid, 'known')),
      ...[...named.names].map((one) => facts.name(one)),
    ]),
  };
}
