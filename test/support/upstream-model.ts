import { identifierAt, KEY_OWNER, type SmallAccount, type SmallCollection, userIdAt } from './small-account.ts';

/** A possible GET of the Postman API, and the facts that its response reports. */
export interface PossibleGet {
  /** Request line as the sandbox records it, for example `GET /workspaces/{id}`. */
  readonly line: string;
  /** Whether it counts in the burst limit. */
  readonly isBurst: boolean;
  /** The fact that has to be known before the GET can be made; undefined: it can be made at any time. */
  readonly requires: string | undefined;
  readonly reveals: ReadonlySet<string>;
}

/** Which workspaces are listed. */
export interface WorkspaceFilter {
  /** A value of the GraphQL enum. */
  readonly visibility?: string | undefined;
  readonly createdBy?: string | undefined;
}

const at = (offset: number) => `limit=99&offset=${offset}`;

/** Request lines, by what they read. */
export const lines = {
  me: 'GET /me',
  users: 'GET /users',
  workspaces: ({ visibility, createdBy }: WorkspaceFilter) =>
    `GET /workspaces?${visibility === undefined ? '' : `type=${visibility.toLowerCase()}&`}${createdBy === undefined ? '' : `createdBy=${createdBy}&`}limit=100`,
  workspace: (id: string) => `GET /workspaces/${id}?include=team,mocks:deactivated`,
  globals: (id: string) => `GET /workspaces/${id}/global-variables`,
  workspacesWith: (uid: string) => `GET /workspaces?elementType=collection&elementId=${uid}`,
  /** null: list of everything. */
  collections: (workspaceId: string | null) =>
    `GET /collections?${workspaceId === null ? '' : `workspace=${workspaceId}&`}${at(0)}`,
  named: (name: string, workspaceId: string | null) =>
    `GET /collections?${workspaceId === null ? '' : `workspace=${workspaceId}&`}name=${encodeURIComponent(name)}`,
  minimal: (uid: string) => `GET /collections/${uid}?model=minimal`,
  collection: (uid: string) => `GET /collections/${uid}`,
  environments: (workspaceId: string | null) =>
    `GET /environments${workspaceId === null ? '' : `?workspace=${workspaceId}`}`,
  environment: (uid: string) => `GET /environments/${uid}`,
  /** null: list of everything of the key's user. */
  mocks: (workspaceId: string | null) => `GET /mocks${workspaceId === null ? '' : `?workspace=${workspaceId}`}`,
  mock: (uid: string) => `GET /mocks/${uid}`,
} as const;

/** Facts about an account. A fact is known once a response reports it, even if it is that there is nothing. */
export const facts = {
  /** The owner of the key, with a picture and a team. */
  user: 'the user',
  /** The members of the team, and since when they are. */
  team: 'the team',
  /** Name and address of a user; also that nobody of the team has the id. */
  names: (userId: string) => `names of ${userId}`,
  /** Not a fact: marks a call that turned out not to be needed. */
  precaution: (line: string) => `precaution: ${line}`,
  workspaces: (filter: WorkspaceFilter) => `which workspaces ${lines.workspaces(filter)}`,
  /** `known`: its id; `exists`; `absent`: that it does not exist. */
  workspace: (id: string, what: 'known' | 'exists' | 'absent' | 'summary' | 'detail') => `workspace ${id} ${what}`,
  globals: (id: string) => `globals of ${id}`,
  /** In which order Postman lists the workspaces that can hold an object. */
  workspaceOrder: (uid: string) => `order of the workspaces of ${uid}`,
  isIn: (workspaceId: string, uid: string) => `whether ${workspaceId} holds ${uid}`,
  /** Postman's list of workspaces can lack those of a collection that only the client named. */
  isInAccount: (uid: string) => `whether the list of workspaces has those of ${uid}`,
  collections: (workspaceId: string | null) => `which collections in ${workspaceId}`,
  named: (name: string, workspaceId: string | null) => `which collections named ${name} in ${workspaceId}`,
  name: (name: string) => `the name ${name}`,
  /** `public`: also that no list has it. */
  collection: (
    uid: string,
    what: 'known' | 'exists' | 'absent' | 'ref' | 'summary' | 'public' | 'minimal' | 'detail',
  ) => `collection ${uid} ${what}`,
  environments: (workspaceId: string | null) => `which environments in ${workspaceId}`,
  environment: (uid: string, what: 'known' | 'exists' | 'absent' | 'ref' | 'summary' | 'detail') =>
    `environment ${uid} ${what}`,
  mocks: (workspaceId: string | null) => `which mocks in ${workspaceId}`,
  mock: (uid: string, what: 'known' | 'exists' | 'absent' | 'ref' | 'summary' | 'detail') => `mock ${uid} ${what}`,
} as const;

/** A type whose objects have one list, and one single read with everything that the list has. */
export interface PlainKind {
  /** Member of a workspace and of an account that holds them. */
  readonly member: 'environments' | 'mocks';
  readonly line: (uid: string) => string;
  /** null: list of everything. */
  readonly listLine: (workspaceId: string | null) => string;
  readonly fact: (uid: string, what: Parameters<typeof facts.environment>[1]) => string;
  readonly listFact: (workspaceId: string | null) => string;
}

/** The plain kinds, by their GraphQL types. */
export const plainKinds: Readonly<Record<string, PlainKind>> = {
  Environment: {
    member: 'environments',
    line: lines.environment,
    listLine: lines.environments,
    fact: facts.environment,
    listFact: facts.environments,
  },
  Mock: {
    member: 'mocks',
    line: lines.mock,
    listLine: lines.mocks,
    fact: facts.mock,
    listFact: facts.mocks,
  },
};

/**
 * The objects of a plain kind in a list. Deactivated mock servers are in no list; the list of everything has those of
 * the key's user.
 *
 * @param workspaceId - null: list of everything.
 */
export function listedOf(account: SmallAccount, { member }: PlainKind, workspaceId: string | null) {
  const uids = account.workspaces.find(({ id }) => id === workspaceId)?.[member] ?? [];
  return account[member].filter((one) => {
    if ('deactivated' in one && (one.deactivated || (workspaceId === null && one.owner !== KEY_OWNER))) return false;
    return workspaceId === null || uids.includes(one.uid);
  });
}

/** Whether a workspace's list of one member is empty. */
export function hasNone(
  account: SmallAccount,
  workspaceId: string,
  member: 'collections' | PlainKind['member'],
): boolean {
  const kind = Object.values(plainKinds).find((one) => one.member === member);
  if (kind) return listedOf(account, kind, workspaceId).length === 0;
  return !account.workspaces.find(({ id }) => id === workspaceId)?.collections.length;
}

/** The objects that an object refers to. */
const namesOf = (one: object): readonly string[] => {
  const { collection, environment } = one as { readonly collection?: string; readonly environment?: string };
  return [
    ...(collection === undefined ? [] : [facts.collection(collection, 'known')]),
    ...(environment === undefined ? [] : [facts.environment(environment, 'known')]),
  ];
};

/** Request lines of all lists of a workspace's elements, with its members; null: lists of everything. */
export const listsOf = (workspaceId: string | null) => [
  { member: 'collections' as const, line: lines.collections(workspaceId), fact: facts.collections(workspaceId) },
  ...Object.values(plainKinds).map(({ member, listLine, listFact }) => ({
    member,
    line: listLine(workspaceId),
    fact: listFact(workspaceId),
  })),
];

/** Objects that a client named; they may not exist. */
export interface Named {
  readonly workspaces: ReadonlySet<string>;
  readonly collections: ReadonlySet<string>;
  /** Objects of the plain kinds, by their types. */
  readonly plain: Readonly<Record<string, ReadonlySet<string>>>;
  readonly names: ReadonlySet<string>;
}

/**
 * Lists every possible GET of an account, with the facts that its response reports. It models the Postman API and not
 * the facade: lists have dates and flags, refs inside a workspace only names, single reads everything except whether a
 * collection is public. Lists of mock servers have everything that a single read has, but leave out deactivated ones.
 */
export function surveyGets(account: SmallAccount, named: Named): readonly PossibleGet[] {
  const { workspaces, collections } = account;
  const kinds = Object.entries(plainKinds);
  const gets: PossibleGet[] = [];
  const add = (
    line: string,
    isBurst: boolean,
    requires: string | undefined,
    ...revealed: readonly (readonly string[])[]
  ) => gets.push({ line, isBurst, requires, reveals: new Set(revealed.flat()) });
  const summaryOfWorkspace = (id: string) =>
    (['known', 'exists', 'summary'] as const).map((what) => facts.workspace(id, what));
  const refOf = ({ uid, name }: SmallCollection) => [
    ...(['known', 'exists', 'ref'] as const).map((what) => facts.collection(uid, what)),
    facts.name(name),
  ];
  const readOf = (collection: SmallCollection) => [
    ...refOf(collection),
    facts.collection(collection.uid, 'summary'),
    ...(collection.fork ? [facts.collection(collection.fork.from, 'known')] : []),
  ];
  const rowOf = (collection: SmallCollection) => [
    ...readOf(collection),
    facts.collection(collection.uid, 'public'),
    facts.isInAccount(collection.uid),
  ];
  const plainRef = ({ fact }: PlainKind, uid: string) =>
    (['known', 'exists', 'ref'] as const).map((what) => fact(uid, what));
  const plainRow = (kind: PlainKind, one: { readonly uid: string }) => [
    ...plainRef(kind, one.uid),
    kind.fact(one.uid, 'summary'),
    ...namesOf(one),
  ];
  const collectionsOf = (uids: readonly string[]) => collections.filter(({ uid }) => uids.includes(uid));
  const everywhere = collections.filter(({ isListed }) => isListed);
  const allUids = new Set([
    ...collections.map(({ uid }) => uid),
    ...collections.flatMap(({ fork }) => fork?.from ?? []),
    ...account.mocks.map(({ collection }) => collection),
    ...named.collections,
  ]);
  const names = new Set([...collections.map(({ name }) => name), ...named.names]);
  const environmentUids = account.environments.map(({ uid }) => uid);
  const heldUids = [...allUids, ...environmentUids];
  const areIn = (id: string, uids: Iterable<string>) => [...uids].map((uid) => facts.isIn(id, uid));

  add(lines.me, false, undefined, [facts.user, facts.names(KEY_OWNER)]);
  add(lines.users, false, undefined, [facts.team, ...[0, 1, 2].map((index) => facts.names(userIdAt(index)))]);
  for (const filter of workspaceFilters) {
    const rows = workspaces.filter((one) => passes(one, filter));
    add(
      lines.workspaces(filter),
      true,
      undefined,
      [facts.workspaces(filter)],
      rows.flatMap(({ id }) => summaryOfWorkspace(id)),
      filter.visibility === undefined && filter.createdBy === undefined ? heldUids.map(facts.workspaceOrder) : [],
    );
  }
  add(
    lines.collections(null),
    true,
    undefined,
    [facts.collections(null)],
    everywhere.flatMap(rowOf),
    // An object that is not in it is in no list.
    [...allUids].map((uid) => facts.collection(uid, 'public')),
  );
  for (const [, kind] of kinds)
    add(
      kind.listLine(null),
      false,
      undefined,
      [kind.listFact(null)],
      listedOf(account, kind, null).flatMap((one) => plainRow(kind, one)),
    );

  for (const id of new Set([...workspaces.map((one) => one.id), ...named.workspaces])) {
    const workspace = workspaces.find((one) => one.id === id);
    const known = facts.workspace(id, 'known');
    const inside = collectionsOf(workspace?.collections ?? []);
    const proof = (isEmpty: boolean) => (isEmpty ? [] : [facts.workspace(id, 'exists')]);
    if (!workspace) add(lines.workspace(id), true, known, [facts.workspace(id, 'absent')]);
    else {
      add(
        lines.workspace(id),
        true,
        known,
        summaryOfWorkspace(id),
        [facts.workspace(id, 'detail'), ...listsOf(id).map(({ fact }) => fact)],
        areIn(id, heldUids),
        inside.flatMap(refOf),
        kinds.flatMap(([, kind]) => (workspace[kind.member] ?? []).flatMap((uid) => plainRef(kind, uid))),
      );
    }
    add(lines.globals(id), false, known, [facts.globals(id)], proof(!workspace?.globals.length));
    add(
      lines.collections(id),
      true,
      known,
      [facts.collections(id)],
      areIn(id, allUids),
      inside.flatMap(rowOf),
      proof(inside.length === 0),
    );
    for (const [, kind] of kinds) {
      const listed = listedOf(account, kind, id);
      const rows = listed.flatMap((one) => plainRow(kind, one));
      const held = kind.member === 'environments' ? areIn(id, environmentUids) : [];
      add(kind.listLine(id), false, known, [kind.listFact(id)], held, rows, proof(listed.length === 0));
    }
    for (const name of names) {
      const rows = inside.filter((one) => one.name === name);
      // The GET needs both the name and the workspace.
      add(lines.named(name, id), true, known, [facts.named(name, id)], rows.flatMap(rowOf), proof(rows.length === 0));
    }
  }
  for (const name of names) {
    const rows = everywhere.filter((one) => one.name === name);
    add(
      lines.named(name, null),
      true,
      facts.name(name),
      [facts.named(name, null)],
      rows.flatMap(rowOf),
      collections.filter((one) => one.name === name).map(({ uid }) => facts.collection(uid, 'public')),
    );
  }
  for (const uid of allUids) {
    const collection = collections.find((one) => one.uid === uid);
    const known = facts.collection(uid, 'known');
    const containing = workspaces.filter((one) => one.collections.includes(uid));
    add(
      lines.workspacesWith(uid),
      true,
      known,
      [facts.workspaceOrder(uid), facts.isInAccount(uid), ...workspaces.map(({ id }) => facts.isIn(id, uid))],
      containing.flatMap(({ id }) => summaryOfWorkspace(id)),
      containing.length > 0 ? [facts.collection(uid, 'exists')] : [],
    );
    for (const what of ['minimal', 'detail'] as const) {
      add(
        what === 'minimal' ? lines.minimal(uid) : lines.collection(uid),
        false,
        known,
        collection
          ? [
              ...readOf(collection),
              facts.collection(uid, 'minimal'),
              ...(what === 'detail' ? [facts.collection(uid, 'detail')] : []),
            ]
          : [facts.collection(uid, 'absent')],
      );
    }
  }
  for (const [type, kind] of kinds) {
    const things = new Map(account[kind.member].map((one) => [one.uid, one]));
    const linked = type === 'Environment' ? account.mocks.flatMap(({ environment }) => environment ?? []) : [];
    for (const uid of new Set([...things.keys(), ...linked, ...(named.plain[type] ?? [])])) {
      const one = things.get(uid);
      add(
        kind.line(uid),
        false,
        kind.fact(uid, 'known'),
        one ? [...plainRow(kind, one), kind.fact(uid, 'detail')] : [kind.fact(uid, 'absent')],
      );
    }
  }
  return gets;
}

/** Whether a filtered list has a workspace. */
export function passes(
  { visibility, createdBy }: SmallAccount['workspaces'][number],
  filter: WorkspaceFilter,
): boolean {
  return (
    (filter.visibility === undefined || visibility === filter.visibility.toLowerCase()) &&
    (filter.createdBy === undefined || createdBy === filter.createdBy)
  );
}

const VISIBILITIES = [undefined, 'PERSONAL', 'TEAM', 'PRIVATE', 'PUBLIC', 'PARTNER'];
const workspaceFilters: readonly WorkspaceFilter[] = VISIBILITIES.flatMap((visibility) =>
  [undefined, 0, 1].map((index) => ({
    visibility,
    createdBy: index === undefined ? undefined : identifierAt('User')(index),
  })),
);
