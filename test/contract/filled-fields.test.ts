import { getNamedType, isLeafType, isObjectType } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createQueries } from '../../bench/corpus/queries.ts';
import { createSchema } from '../../src/graph/schema.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

/** Fields that are always empty in the example account, each with the reason. */
const neverFilled: Readonly<Record<string, string>> = {
  'RateLimit.queued': 'Nothing waits while one operation is asked after the other.',
};

const schema = createSchema();
let facade: Facade;
beforeAll(async () => {
  facade = await startFacade(
    { MAX_CALLS_PER_OPERATION: '10000', MAX_QUERY_TOKENS: '100000', MAX_QUERY_ALIASES: '10000' },
    // With limits, so that responses report the monthly quota.
    { limits: { general: { limit: 10_000, windowMs: 60_000 }, burst: { limit: 10_000, windowMs: 10_000 } } },
  );
});
afterAll(() => facade.close());

const defaults: readonly unknown[] = [null, false, 0, ''];

/**
 * Records the coordinates of fields that have a value other than null, an empty list, or the default of their type.
 */
function noteFilled(value: unknown, declared: string, filled: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) noteFilled(item, declared, filled);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const { __typename: typeName = declared, ...fields } = value as Record<string, unknown>;
  const type = schema.getType(String(typeName));
  if (!isObjectType(type)) return;
  for (const [name, member] of Object.entries(fields)) {
    const isEmpty = defaults.includes(member) || (Array.isArray(member) && member.length === 0);
    if (!isEmpty) filled.add(`${typeName as string}.${name}`);
    const field = type.getFields()[name];
    // Members of a JSON document are not fields of the schema.
    const below = field && getNamedType(field.type);
    if (below && !isLeafType(below)) noteFilled(member, below.name, filled);
  }
}

it('is filled somewhere in the example account: every field of the schema', async () => {
  const account = createDemoAccount();
  const queries = createQueries(schema);
  const uids = account.collections.map(({ owner, id }) => `${owner}-${id}`);
  const plan =
    '{ __typename cost costAtLeast likelyCost readyAt likelyReadyAt plan { __typename path atLeast likely atMost forFields } }';
  const asked: readonly (readonly [string, object])[] = [
    // Before anything is cached, because cached data costs nothing.
    [`{ rateLimit(dryRun: true) ${plan} workspaces { nodes { collections { nodes { name } } } } }`, {}],
    ...uids.flatMap((uid) => [
      [queries.collection, { uid }] as const,
      [queries.folders, { uid, first: 100, after: null }] as const,
      [queries.requests, { uid, first: 20, after: null }] as const,
    ]),
    ...account.environments.map(({ owner, id }) => [queries.environment, { uid: `${owner}-${id}` }] as const),
    ...account.workspaces.map(({ id }) => [queries.workspace, { id }] as const),
    [`{ mock(uid: "${ids.mocks.rides}") { __typename } user(id: "${ids.users.ines}") { __typename } }`, {}],
    [queries.items(2), { uid: uids[0] }],
    [`{ node(id: "Mock:${ids.mocks.rides}") { __typename id } nodes(ids: []) { id } }`, {}],
    [queries.account, {}],
    // The page is full before every collection has been searched.
    ...['requests', 'folders'].map(
      (kind) =>
        [`{ ${kind}(first: 1) { unsearchedCollectionCount unsearchedCollections { __typename name } } }`, {}] as const,
    ),
  ];
  const filled = new Set<string>();
  for (const [query, variables] of asked) {
    const { data, errors } = await facade.query(query, { variables });
    expect(errors).toEqual([]);
    noteFilled(data, 'Query', filled);
  }
  const { data } = await facade.query('{ workspaces(first: 1) { pageInfo { endCursor } } }');
  const { data: next } = await facade.query(
    `{ workspaces(after: "${data.workspaces.pageInfo.endCursor}") { pageInfo { hasPreviousPage } } }`,
  );
  noteFilled(next, 'Query', filled);
  const all = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) => Object.keys(type.getFields()).map((name) => `${type.name}.${name}`));
  expect(all.filter((coordinate) => !filled.has(coordinate)).sort()).toEqual(Object.keys(neverFilled).sort());
});
