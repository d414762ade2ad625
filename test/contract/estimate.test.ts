import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  option,
  record,
  tuple,
} from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type {
  Account,
  StoredCollection,
  StoredEnvironment,
  StoredWorkspace,
} from '../../src/sandbox/account/account.ts';
import type { CollectionDocument } from '../../src/sandbox/account/collection-format.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { type AnyAccountFacade, startAnyAccount } from '../support/any-account.ts';
import { toRuns } from '../support/property-runs.ts';

const runs = toRuns(100);
const OWNERS = ['41829063', '55301274'];
const { user, team } = createDemoAccount();
const at = '2026-01-01T00:00:00.000Z';

const toUuid = (kind: number, index: number) => `${kind}0000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const toUid = ({ owner, id }: { owner: string; id: string }) => `${owner}-${id}`;

const toRequest = (name: string, url = '{{host}}/a') => ({ name, request: { method: 'GET', url }, response: [] });
const itemTrees: readonly CollectionDocument['item'][] = [
  [],
  [toRequest('one', 'https://a.example/')],
  [{ name: 'outer', item: [{ name: 'inner', item: [toRequest('one'), toRequest('two')] }] }, toRequest('three')],
];

/** Many small things, or a list long enough to have pages. */
const anyCount = (usual: number, many: number) =>
  oneof({ weight: 6, arbitrary: nat(usual) }, { weight: 1, arbitrary: constantFrom(98, 99, 100, 101, many, many) });

const anyAccount: Arbitrary<Account> = record({
  collectionCount: anyCount(8, 230),
  environmentCount: anyCount(6, 120),
  workspaceCount: oneof({ weight: 8, arbitrary: nat(6) }, { weight: 1, arbitrary: constantFrom(99, 100, 101, 130) }),
  forks: array(option(nat(20), { nil: undefined }), { minLength: 5, maxLength: 9 }),
  names: integer({ min: 1, max: 5 }),
  spread: array(array(nat(40), { maxLength: 6 }), { minLength: 3, maxLength: 7 }),
  holdsAll: boolean(),
  team: constantFrom(team, undefined, []),
}).map(({ collectionCount, environmentCount, workspaceCount, forks, names, spread, holdsAll, team: members }) => {
  const collections = Array.from({ length: collectionCount }, (_, index): StoredCollection => {
    const parent = forks[index % forks.length];
    const name = `Collection ${index % names}`;
    return {
      id: toUuid(1, index),
      owner: OWNERS[index % 3 === 0 ? 1 : 0]!,
      name,
      isPublic: index % 2 === 0,
      createdAt: at,
      updatedAt: `2026-01-0${1 + ((7 * index) % 9)}T00:00:00.000Z`,
      lastUpdatedBy: OWNERS[0]!,
      // Some are forks of what the account does not have, some of each other.
      ...(parent !== undefined && {
        fork: { label: 'fork', createdAt: at, from: `${OWNERS[parent % 3 === 0 ? 1 : 0]}-${toUuid(1, parent)}` },
      }),
      document: { info: { name, schema: 'v2.1.0' }, item: itemTrees[index % itemTrees.length] ?? [] },
    };
  });
  const environments = Array.from(
    { length: environmentCount },
    (_, index): StoredEnvironment => ({
      id: toUuid(2, index),
      owner: OWNERS[0]!,
      name: `Environment ${index}`,
      isPublic: false,
      createdAt: at,
      updatedAt: `2026-01-0${1 + ((7 * index) % 9)}T00:00:00.000Z`,
      values: index % 2 === 0 ? [] : [{ key: 'host', value: 'https://a.example', type: 'default', enabled: true }],
    }),
  );
  const workspaces = Array.from({ length: workspaceCount }, (_, index): StoredWorkspace => {
    const held = spread[index % spread.length] ?? [];
    const pick = (items: readonly { readonly owner: string; readonly id: string }[]) =>
      index === 0 && holdsAll
        ? items.map(toUid)
        : [...new Set(held.flatMap((place) => (items[place] ? [toUid(items[place])] : [])))];
    return {
      id: toUuid(3, index),
      name: `Workspace ${index}`,
      type: 'team',
      visibility: index % 2 === 0 ? 'team' : 'personal',
      createdBy: OWNERS[0]!,
      updatedBy: OWNERS[0]!,
      createdAt: at,
      updatedAt: `2026-01-0${1 + ((7 * index) % 9)}T00:00:00.000Z`,
      collections: pick(collections),
      environments: pick(environments),
      globals: index % 2 === 0 ? [{ key: 'a', value: 'b', type: 'default', enabled: true }] : [],
    };
  });
  return { user, ...(members && { team: members }), collections, environments, workspaces };
});

// Cursors are taken from the responses of earlier operations, as clients take them.
const anyUnorderedPage = record({
  first: oneof(
    { weight: 12, arbitrary: integer({ min: 1, max: 6 }) },
    { weight: 1, arbitrary: constantFrom(0, 20, 98, 99, 100) },
  ),
  after: oneof({ weight: 3, arbitrary: constant(undefined) }, { weight: 1, arbitrary: nat(30) }),
}).map(({ first, after }) => `first: ${first}${after === undefined ? '' : `, after: "CURSOR${after}"`}`);
const anyPage = tuple(
  anyUnorderedPage,
  oneof(
    { weight: 5, arbitrary: constant('') },
    {
      weight: 1,
      arbitrary: constantFrom(
        ', orderBy: { field: NAME }',
        ', orderBy: { field: UPDATED_AT, direction: DESC }',
        ', updatedAfter: "2026-01-05T00:00:00Z"',
        ', updatedAfter: "2026-01-05T00:00:00Z", orderBy: { field: CREATED_AT }',
      ),
    },
  ),
).map(([page, order]) => `${page}${order}`);

const oneOrMore = <Value>(arbitrary: Arbitrary<Value>, maxLength: number) =>
  array(arbitrary, { minLength: 1, maxLength });

const toSelection = (fields: readonly string[]) =>
  `{ ${fields.map((field, index) => (/^(\.\.\.|__)/.test(field) ? field : `f${index}: ${field}`)).join(' ')} }`;

const anyEnvironment = oneOrMore(
  constantFrom('id', 'uid', 'name', 'owner { username }', 'updatedAt', 'isPublic', 'values { key }', '__typename'),
  3,
).map(toSelection);
const toNodes = (selection: Arbitrary<string>) =>
  selection.chain((nodes) =>
    constantFrom(
      `{ nodes ${nodes} }`,
      `{ edges { cursor node ${nodes} } totalCount }`,
      `{ nodes ${nodes} pageInfo { endCursor } }`,
    ),
  );
const anyList = (name: string, selection: Arbitrary<string>) =>
  tuple(anyPage, toNodes(selection)).map(([page, nodes]) => `${name}(${page}) ${nodes}`);

const collectionLeaves = [
  'id',
  'name',
  'ownerId',
  'description',
  'updatedAt',
  'isPublic',
  'updaterId',
  'owner { id }',
  'owner { fullName }',
  'owner { id avatarUrl }',
  'updater { email teamId }',
  'formatVersion',
  'items { name }',
  'variables { key }',
  'fork { label }',
  '... on Collection { createdAt }',
  '...Collections',
  'requests(filter: { method: "POST" }) { nodes { collection { isPublic } } }',
  'items { ... on Folder { items { parent { collection { workspace { name } } } } } }',
  // Whether there is such a collection shows in its workspace, unless it has none.
  'fork { parent { workspace { name } } }',
];
function anyCollection(depth: number): Arbitrary<string> {
  const leaf = constantFrom(...collectionLeaves);
  if (depth === 0) return oneOrMore(leaf, 3).map(toSelection);
  return oneOrMore(
    oneof(
      { weight: 5, arbitrary: leaf },
      { weight: 2, arbitrary: anyCollection(depth - 1).map((selection) => `fork { parent ${selection} }`) },
      { weight: 2, arbitrary: anyWorkspace(depth - 1).map((selection) => `workspace ${selection}`) },
      { weight: 2, arbitrary: anyItemField },
      { weight: 2, arbitrary: anyCollection(depth - 1).chain(anyItemEdge) },
      {
        weight: 2,
        arbitrary: tuple(
          constantFrom('requests', 'folders', 'requests(filter: { search: "one" })', 'folders(first: 1)'),
          anyCollection(depth - 1),
        ).map(([list, selection]) => `${list} { nodes { collection ${selection} } }`),
      },
    ),
    3,
  ).map(toSelection);
}

/** Fields of items that lead back to their collection, and to what applies to them. */
const anyItemEdge = (collection: string) =>
  constantFrom(
    `requests { nodes { parent { collection ${collection} } } }`,
    `requests { nodes { effectiveAuth { type definedOn { collection ${collection} } } } }`,
    `requests { nodes { effectiveVariables { variable { key } definedOn { collection ${collection} } } } }`,
    `requests { nodes { effectiveScripts { definedOn { collection ${collection} } } effectiveSettings } }`,
    `folders { nodes { requests { nodes { url { raw } collection ${collection} } } folders { nodes { parent { collection ${collection} } } } } }`,
    `items { ... on Request { collection ${collection} } ... on Folder { collection ${collection} items { collection ${collection} } } }`,
  );

const anyEnvironmentUid = nat(8).map((index) => `${OWNERS[0]}-${toUuid(2, index)}`);
/** Fields of items that read variables from outside of the collection. */
const anyItemField = oneof(
  tuple(option(anyEnvironmentUid), option(nat(7).map((index) => toUuid(3, index)))).map(([environment, workspace]) => {
    const args = [
      ...(environment === null ? [] : [`environmentUid: "${environment}"`]),
      ...(workspace === null ? [] : [`workspaceId: "${workspace}"`]),
    ];
    return `requests(filter: { search: "t" }) { nodes { url { resolved${args.length > 0 ? `(${args.join()})` : ''} { host } } } }`;
  }),
  tuple(
    array(anyEnvironmentUid, { maxLength: 3 }),
    constantFrom('requests', 'folders(first: 1) { nodes { requests'),
  ).map(
    ([environments, list]) =>
      `${list}(filter: { host: "a.example", environmentUids: ${JSON.stringify(environments)} }) { totalCount }${list === 'requests' ? '' : ' } }'}`,
  ),
);

const workspaceLeaves = [
  'id',
  'name',
  'visibility',
  'description',
  'updaterId',
  'creator { fullName }',
  'updater { roles joinedAt }',
  'globals { key }',
  '...Workspaces',
];
function anyWorkspace(depth: number): Arbitrary<string> {
  const leaf = constantFrom(...workspaceLeaves);
  if (depth === 0) return oneOrMore(leaf, 3).map(toSelection);
  return oneOrMore(
    oneof(
      { weight: 3, arbitrary: leaf },
      { weight: 2, arbitrary: anyList('collections', anyCollection(depth - 1)) },
      { weight: 2, arbitrary: anyList('environments', anyEnvironment) },
    ),
    4,
  ).map(toSelection);
}

const anyUser = oneOrMore(constantFrom('id', 'fullName', 'roles', 'joinedAt', 'avatarUrl', 'teamName'), 3).map(
  toSelection,
);

const toCollectionUid = (index: number) => `${OWNERS[index % 3 === 0 ? 1 : 0]}-${toUuid(1, index)}`;
const anyCollectionUid = nat(12).map(toCollectionUid);
const anyWorkspaceId = nat(7).map((index) => toUuid(3, index));
const anyRoot = oneof(
  constantFrom('me { username }', 'me { id joinedAt }'),
  tuple(constantFrom(...OWNERS, '7', '0'), anyUser).map(([id, selection]) => `user(id: "${id}") ${selection}`),
  tuple(integer({ min: 1, max: 6 }), nat(40), toNodes(anyUser)).map(
    ([first, cursor, nodes]) => `users(first: ${first}${cursor > 30 ? '' : `, after: "CURSOR${cursor}"`}) ${nodes}`,
  ),
  anyList('workspaces', anyWorkspace(1)),
  anyPage.map((page) => `workspaces(visibility: TEAM, ${page}) { nodes { name } }`),
  tuple(anyWorkspaceId, anyWorkspace(2)).map(([id, selection]) => `workspace(id: "${id}") ${selection}`),
  anyList('collections', anyCollection(2)),
  tuple(anyWorkspaceId, anyPage, toNodes(anyCollection(2))).map(
    ([id, page, nodes]) => `collections(workspaceId: "${id}", ${page}) ${nodes}`,
  ),
  tuple(nat(5), option(anyWorkspaceId), anyPage, toNodes(anyCollection(1))).map(
    ([name, id, page, nodes]) =>
      `collections(name: "Collection ${name}", ${id === null ? '' : `workspaceId: "${id}", `}${page}) ${nodes}`,
  ),
  ...[0, 1].map(() =>
    tuple(
      oneof(
        { weight: 4, arbitrary: anyCollectionUid },
        { weight: 1, arbitrary: anyCollectionUid.map((uid) => uid.slice(-36)) },
      ),
      anyCollection(3),
    ).map(([uid, selection]) => `collection(uid: "${uid}") ${selection}`),
  ),
  // Several at once, of which lists can have some.
  tuple(constantFrom(0, 7, 95, 190, 400), constantFrom('updatedAt', 'isPublic'), integer({ min: 2, max: 6 })).map(
    ([start, field, count]) =>
      Array.from({ length: count }, (_, step) => start + 3 * step)
        .map((index) => `collection(uid: "${toCollectionUid(index)}") { ${field} }`)
        .map((lookUp, step) => (step === 0 ? lookUp : `${field}${start}_${step}: ${lookUp}`))
        .join(' '),
  ),
  anyList('environments', anyEnvironment),
  tuple(anyWorkspaceId, anyPage, toNodes(anyEnvironment)).map(
    ([id, page, nodes]) => `environments(workspaceId: "${id}", ${page}) ${nodes}`,
  ),
  tuple(nat(8), nat(8), anyEnvironment).map(
    ([left, right, selection]) =>
      `compareEnvironments(leftUid: "${OWNERS[0]}-${toUuid(2, left)}", rightUid: "${OWNERS[0]}-${toUuid(2, right)}") { left ${selection} variables { key } }`,
  ),
  tuple(nat(8), anyEnvironment).map(
    ([index, selection]) => `environment(uid: "${OWNERS[0]}-${toUuid(2, index)}") ${selection}`,
  ),
);

/** Fields of a fragment: under other names than beside it, and without further fragments. */
const toFragment = (selection: string) =>
  selection.replaceAll(/\.\.\.(?:Collections|Workspaces)/g, '__typename').replaceAll(/\bf(\d+):/g, 'g$1:');

/** Objects that a gateway names, users too. */
const anyEntities = tuple(
  oneOrMore(
    oneof(
      constantFrom(...OWNERS, '7').map((id) => `{ __typename: "User", id: "${id}" }`),
      anyCollectionUid.map((uid) => `{ __typename: "Collection", uid: "${uid}" }`),
      anyEnvironmentUid.map((uid) => `{ __typename: "Environment", uid: "${uid}" }`),
      anyWorkspaceId.map((id) => `{ __typename: "Workspace", id: "${id}" }`),
    ),
    5,
  ),
  anyUser,
  anyCollection(1),
  anyEnvironment,
  anyWorkspace(1),
).map(
  ([representations, user, collection, environment, workspace]) =>
    `_entities(representations: [${representations.join(', ')}]) { ... on User ${user} ... on Collection ${toFragment(collection)} ... on Environment ${environment.replaceAll(/\bf(\d+):/g, 'e$1:')} ... on Workspace ${toFragment(workspace).replaceAll(/\bg(\d+):/g, 'w$1:')} }`,
);

const anySearch = tuple(
  constantFrom('requests', 'folders'),
  option(anyWorkspaceId),
  option(constantFrom('one', 'nothing')),
  anyUnorderedPage,
  oneOrMore(
    oneof(
      constantFrom(
        'nodes { name }',
        'nodes { auth { definedOn { __typename } } }',
        'edges { cursor }',
        'totalCount',
        'pageInfo { hasNextPage endCursor }',
        '__typename',
      ),
      anyCollection(1).map((selection) => `unsearchedCollections ${selection}`),
      anyCollection(1).map((selection) => `edges { node { collection ${selection} } }`),
    ),
    3,
  ).map(toSelection),
).map(([name, workspaceId, text, page, selection]) => {
  const given = [
    ...(workspaceId === null ? [] : [`workspaceId: "${workspaceId}"`]),
    ...(text === null ? [] : [`filter: { search: "${text}" }`]),
    page,
  ];
  return `${name}(${given.join(', ')}) ${selection}`;
});

interface Sketch {
  readonly fields: readonly string[];
  readonly fragment: string;
  readonly workspaceFragment: string;
}

const anyOperation: Arbitrary<Sketch> = record({
  fields: oneOrMore(
    oneof(
      { weight: 7, arbitrary: anyRoot },
      { weight: 1, arbitrary: anyEntities },
      { weight: 1, arbitrary: anySearch },
    ),
    4,
  ),
  fragment: anyCollection(1).map(toFragment),
  workspaceFragment: anyWorkspace(1).map(toFragment),
});

/** Earlier operations: other fields, or one of the fields selected now. */
const anyWarmUp = array(oneof({ weight: 2, arbitrary: anyOperation }, { weight: 1, arbitrary: nat(3) }), {
  maxLength: 3,
});

/** Puts every other root field into a fragment. */
function toDocument({ fields, fragment, workspaceFragment }: Sketch, more: string, cursors: readonly string[]): string {
  const selections = fields.map((field, index) =>
    index % 2 === 0 ? `r${index}: ${field}` : `... on Query { r${index}: ${field} }`,
  );
  const text = `query { ${more} ${selections.join(' ')} }`;
  const fragments = [
    ...(text.includes('...Collections') ? [`fragment Collections on Collection ${fragment}`] : []),
    ...(text.includes('...Workspaces') ? [`fragment Workspaces on Workspace ${workspaceFragment}`] : []),
  ];
  return [text, ...fragments]
    .join(' ')
    .replaceAll(/, after: "CURSOR(\d+)"/g, (_, index: string) =>
      cursors.length === 0 ? '' : `, after: "${cursors[Number(index) % cursors.length]}"`,
    );
}

function cursorsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    (key === 'cursor' || key === 'endCursor') && typeof inner === 'string' ? [inner] : cursorsIn(inner),
  );
}

const toSorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);

let tested: AnyAccountFacade;
beforeAll(async () => {
  tested = await startAnyAccount(runs.numRuns + 1_000);
});
afterAll(() => tested.facade.close());

const DRY_RUN = 'rateLimit(dryRun: true) { cost likelyCost costAtLeast plan { path atLeast likely atMost } }';

it('never costs more or less than the bounds, whatever is cached', async () => {
  const { facade } = tested;
  const seen = { runs: 0, exact: 0, over: 0, calls: 0, cost: 0, free: 0, ratios: [] as number[] };
  await assert(
    asyncProperty(anyAccount, anyWarmUp, anyOperation, async (account, warmUp, sketch) => {
      tested.serve(account);
      const headers = tested.nextKey();
      const cursors: string[] = [];
      for (const step of warmUp) {
        const one =
          typeof step === 'number' ? { ...sketch, fields: [sketch.fields[step % sketch.fields.length] ?? ''] } : step;
        const { data } = await facade.query(toDocument(one, '', cursors), { headers });
        cursors.push(...cursorsIn(data));
      }
      const made = facade.postman.calls.length;
      const dry = await facade.query(toDocument(sketch, DRY_RUN, cursors), { headers });
      expect(dry.errors).toEqual([]);
      expect(Object.keys(dry.data)).toEqual(['rateLimit']);
      expect(facade.postman.calls.slice(made)).toEqual([]);
      const real = await facade.query(toDocument(sketch, '', cursors), { headers });
      const calls = facade.postman.calls.slice(made);
      const { cost, likelyCost, costAtLeast, plan } = dry.data.rateLimit;
      expect([costAtLeast, likelyCost, cost]).toEqual(toSorted([costAtLeast, likelyCost, cost]));
      for (const { atLeast, likely, atMost } of plan) {
        expect([atLeast, likely, atMost]).toEqual(toSorted([atLeast, likely, atMost]));
      }
      expect(plan.reduce((sum: number, { likely }: { likely: number }) => sum + likely, 0)).toBe(likelyCost);
      if (cost < calls.length || costAtLeast > calls.length) {
        throw new Error(
          `${costAtLeast} <= ${calls.length} <= ${cost} is wrong, ${JSON.stringify(dry.data.rateLimit.plan)}, ${real.errors.length} errors, kept: ${facade.postman.calls.slice(0, made).slice(0, 40).join(', ')}; made: ${calls.slice(0, 40).join(', ')}; ${toDocument(sketch, '', cursors)}`,
        );
      }
      seen.runs++;
      seen.calls += calls.length;
      seen.cost += cost;
      seen.over += cost - calls.length;
      if (cost === calls.length) seen.exact++;
      if (cost === 0) seen.free++;
      seen.ratios.push(Math.max(1, likelyCost) / Math.max(1, calls.length));
    }),
    runs,
  );
  if (process.env['RUNS']) {
    const factors = toSorted(seen.ratios.map((ratio) => Math.max(ratio, 1 / ratio)));
    const likely = { median: factors[Math.floor(factors.length / 2)], p90: factors[Math.floor(factors.length * 0.9)] };
    process.stdout.write(`${JSON.stringify({ ...seen, ratios: undefined, likely })}\n`);
  }
}, 3_600_000);
