import { KEY_OWNER, type SmallAccount, type SmallCollection, type SmallMock } from './small-account.ts';

/** A GET of the Postman API that could be made, and what its answer tells. */
export interface PossibleGet {
  /** As the simulated service notes it, for example `GET /workspaces/{id}`. */
  readonly line: string;
  /** Whether the burst limit counts it. */
  readonly isBurst: boolean;
  /** The fact without which nobody would know what to ask for; undefined: it can be asked for at any time. */
  readonly requires: string | undefined;
  readonly tells: ReadonlySet<string>;
}

const at = (offset: number) => `limit=99&offset=${offset}`;

/** Request lines, by what is asked for. */
export const lines = {
  me: 'GET /me',
  workspaces: (visibility: string | undefined) =>
    `GET /workspaces?${visibility === undefined ? '' : `type=${visibility.toLowerCase()}&`}limit=100`,
  workspace: (id: string) => `GET /workspaces/${id}?include=team,mocks:deactivated`,
  globals: (id: string) => `GET /workspaces/${id}/global-variables`,
  holders: (uid: string) => `GET /workspaces?elementType=collection&elementId=${uid}`,
  /** null: of everything. */
  collections: (workspaceId: string | null) =>
    `GET /collections?${workspaceId === null ? '' : `workspace=${workspaceId}&`}${at(0)}`,
  named: (name: string, workspaceId: string | null) =>
    `GET /collections?${workspaceId === null ? '' : `workspace=${workspaceId}&`}name=${encodeURIComponent(name)}`,
  minimal: (uid: string) => `GET /collections/${uid}?model=minimal`,
  collection: (uid: string) => `GET /collections/${uid}`,
  environments: (workspaceId: string | null) =>
    `GET /environments${workspaceId === null ? '' : `?workspace=${workspaceId}`}`,
  environment: (uid: string) => `GET /environments/${uid}`,
  /** null: of everything that the key's owner has. */
  mocks: (workspaceId: string | null) => `GET /mocks${workspaceId === null ? '' : `?workspace=${workspaceId}`}`,
  mock: (uid: string) => `GET /mocks/${uid}`,
} as const;

/** What there is to know. A fact that is told is known to be so, also when it is that there is nothing. */
export const facts = {
  user: 'the user',
  /** Not a fact, but that a call has been made which turned out not to be needed. */
  precaution: (line: string) => `precaution: ${line}`,
  workspaces: (visibility: string | undefined) => `which workspaces ${visibility ?? ''}`,
  /** `known`: its id; `exists`; `absent`: that it does not exist. */
  workspace: (id: string, what: 'known' | 'exists' | 'absent' | 'summary' | 'detail') => `workspace ${id} ${what}`,
  globals: (id: string) => `globals of ${id}`,
  holder: (uid: string) => `which workspace holds ${uid}`,
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
  /** Also those that are deactivated, which no list has. */
  mocks: (workspaceId: string) => `which mocks in ${workspaceId}`,
  /** The mock servers of the key's owner that are active. */
  ownMocks: 'which active mocks of mine',
  /** `detail`: all that is not in a ref; a list has it as well as a single read. */
  mock: (uid: string, what: 'known' | 'exists' | 'absent' | 'ref' | 'detail') => `mock ${uid} ${what}`,
} as const;

/** What a client named, which need not exist. */
export interface Named {
  readonly workspaces: ReadonlySet<string>;
  readonly collections: ReadonlySet<string>;
  readonly environments: ReadonlySet<string>;
  readonly mocks: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

/**
 * Tells of every GET that could be made of an account what its answer would tell. It knows the Postman API and nothing of the
 * facade: lists have dates and flags, refs inside a workspace only names, single reads everything but whether a collection is public.
 * Lists of mock servers have what a single read has, but leave out those that are deactivated.
 */
export function surveyGets(
  { workspaces, collections, environments, mocks }: SmallAccount,
  named: Named,
): readonly PossibleGet[] {
  const gets: PossibleGet[] = [];
  const add = (line: string, isBurst: boolean, requires: string | undefined, ...told: readonly (readonly string[])[]) =>
    gets.push({ line, isBurst, requires, tells: new Set(told.flat()) });
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
  const rowOf = (collection: SmallCollection) => [...readOf(collection), facts.collection(collection.uid, 'public')];
  const environmentRef = (uid: string) =>
    (['known', 'exists', 'ref'] as const).map((what) => facts.environment(uid, what));
  const environmentRow = (uid: string) => [...environmentRef(uid), facts.environment(uid, 'summary')];
  const mockRef = (uid: string) => (['known', 'exists', 'ref'] as const).map((what) => facts.mock(uid, what));
  const mockRead = ({ uid, collection, environment }: SmallMock) => [
    ...mockRef(uid),
    facts.mock(uid, 'detail'),
    facts.collection(collection, 'known'),
    ...(environment === undefined ? [] : [facts.environment(environment, 'known')]),
  ];
  const active = mocks.filter(({ deactivated }) => !deactivated);
  const held = (uids: readonly string[]) => collections.filter(({ uid }) => uids.includes(uid));
  const everywhere = collections.filter(({ isListed }) => isListed);
  const allUids = new Set([
    ...collections.map(({ uid }) => uid),
    ...collections.flatMap(({ fork }) => fork?.from ?? []),
    ...mocks.map(({ collection }) => collection),
    ...named.collections,
  ]);
  const names = new Set([...collections.map(({ name }) => name), ...named.names]);

  add(lines.me, false, undefined, [facts.user]);
  for (const visibility of [undefined, 'TEAM']) {
    const rows = workspaces.filter((one) => visibility === undefined || one.visibility === visibility.toLowerCase());
    add(
      lines.workspaces(visibility),
      true,
      undefined,
      [facts.workspaces(visibility)],
      rows.flatMap(({ id }) => summaryOfWorkspace(id)),
    );
  }
  add(
    lines.collections(null),
    true,
    undefined,
    [facts.collections(null)],
    everywhere.flatMap(rowOf),
    // What is not in it is in no list.
    [...allUids].map((uid) => facts.collection(uid, 'public')),
  );
  add(
    lines.environments(null),
    false,
    undefined,
    [facts.environments(null)],
    environments.flatMap(({ uid }) => environmentRow(uid)),
  );
  add(
    lines.mocks(null),
    false,
    undefined,
    [facts.ownMocks],
    active.filter(({ owner }) => owner === KEY_OWNER).flatMap(mockRead),
  );

  for (const id of new Set([...workspaces.map((one) => one.id), ...named.workspaces])) {
    const workspace = workspaces.find((one) => one.id === id);
    const known = facts.workspace(id, 'known');
    const inside = held(workspace?.collections ?? []);
    const insideEnvironments = workspace?.environments ?? [];
    const insideMocks = workspace?.mocks ?? [];
    const insideActive = active.filter(({ uid }) => insideMocks.includes(uid));
    const proof = (isEmpty: boolean) => (isEmpty ? [] : [facts.workspace(id, 'exists')]);
    if (!workspace) add(lines.workspace(id), true, known, [facts.workspace(id, 'absent')]);
    else {
      add(
        lines.workspace(id),
        true,
        known,
        summaryOfWorkspace(id),
        [facts.workspace(id, 'detail'), facts.collections(id), facts.environments(id), facts.mocks(id)],
        inside.flatMap(refOf),
        insideEnvironments.flatMap(environmentRef),
        insideMocks.flatMap(mockRef),
      );
    }
    add(lines.globals(id), false, known, [facts.globals(id)], proof(!workspace?.globals.length));
    add(lines.collections(id), true, known, [facts.collections(id)], inside.flatMap(rowOf), proof(inside.length === 0));
    add(
      lines.environments(id),
      false,
      known,
      [facts.environments(id)],
      insideEnvironments.flatMap(environmentRow),
      proof(insideEnvironments.length === 0),
    );
    add(lines.mocks(id), false, known, insideActive.flatMap(mockRead), proof(insideActive.length === 0));
    for (const name of names) {
      const rows = inside.filter((one) => one.name === name);
      // Both the name and the workspace have to be known; who knows neither has no use for it.
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
    const holders = workspaces.filter((one) => one.collections.includes(uid));
    add(
      lines.holders(uid),
      true,
      known,
      [facts.holder(uid)],
      holders.flatMap(({ id }) => summaryOfWorkspace(id)),
      holders.length > 0 ? [facts.collection(uid, 'exists')] : [],
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
  for (const uid of new Set([...mocks.map((one) => one.uid), ...named.mocks])) {
    const mock = mocks.find((one) => one.uid === uid);
    add(
      lines.mock(uid),
      false,
      facts.mock(uid, 'known'),
      mock === undefined ? [facts.mock(uid, 'absent')] : mockRead(mock),
    );
  }
  const allEnvironments = [
    ...environments.map((one) => one.uid),
    ...mocks.flatMap(({ environment }) => environment ?? []),
    ...named.environments,
  ];
  for (const uid of new Set(allEnvironments)) {
    add(
      lines.environment(uid),
      false,
      facts.environment(uid, 'known'),
      environments.some((one) => one.uid === uid)
        ? [...environmentRow(uid), facts.environment(uid, 'detail')]
        : [facts.environment(uid, 'absent')],
    );
  }
  return gets;
}
