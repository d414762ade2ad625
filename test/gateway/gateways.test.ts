import { channel } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { readFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { type Compose, composeForCosmo, composers } from './composers.ts';
import { type ClientAnswer, type Gateway, gateways, type StartGateway } from './gateways.ts';
import { cosmoSubgraphs, shownTable } from './guide.ts';
import { startRunbooks, type RunbookSubgraph } from './runbooks.ts';

const { collections, environments, workspaces } = ids;
const JONAS_KEY = 'PMAK-jonas';
const UNKNOWN = '41829063-00000000-0000-4000-8000-000000000000';
const LIST = 'GET /collections?limit=99&offset=0';
const tenCollections = Object.values(collections).slice(0, 10);

const runbooks = [
  ...tenCollections.map((uid, index) => ({ id: `ten-${index}`, collection: { uid } })),
  { id: 'trees-1', collection: { uid: collections.scratch } },
  { id: 'trees-2', collection: { uid: collections.telemetryDraft } },
  { id: 'gone-1', collection: { uid: UNKNOWN } },
  { id: 'gone-2', collection: { uid: collections.rides } },
  { id: 'mixed-1', environment: { uid: environments.local } },
  { id: 'mixed-2', environment: { uid: environments.staging } },
  { id: 'mixed-3', workspace: { id: workspaces.payments } },
  { id: 'mixed-4', collection: { uid: collections.rides } },
  { id: 'typo-1', collection: { uid: 'not a uid' } },
  { id: 'typo-2', collection: { uid: collections.rides } },
];

/** One line of the table that is printed at the end. */
interface Line {
  readonly composer: string;
  readonly gateway: string;
  queries: number;
  gets: number;
  readonly codes: Set<string>;
}
const lines: Line[] = [];
const contacted = new Set<string>();
const noteSocket = (message: unknown) => {
  const { socket } = message as { readonly socket: Socket };
  socket.on('lookup', (_error, _address, _family, host) => contacted.add(host));
  socket.on('connect', () => contacted.add(String(socket.remoteAddress)));
};

const published = (name: string) => new URL(`../../schema/${name}`, import.meta.url);

let facade: Facade;
let second: RunbookSubgraph;
let subgraphs: readonly { name: string; url: string; sdl: string }[];
beforeAll(async () => {
  channel('net.client.socket').subscribe(noteSocket);
  const jonas = { apiKey: JONAS_KEY, user: { id: 55301274, username: 'jonas' } };
  facade = await startFacade(
    { POSTMAN_API_KEY: '', CACHE_TTL_MS: '0', MAX_CALLS_PER_OPERATION: '5' },
    { otherApiKeys: [jonas as never] },
  );
  second = await startRunbooks(runbooks);
  const { data } = await facade.query('{ _service { sdl } }');
  subgraphs = [
    { name: 'postman', url: facade.url, sdl: data._service.sdl },
    { name: 'runbooks', url: second.url, sdl: second.sdl },
  ];
});
afterAll(async () => {
  process.stdout.write(`\n${toTable().join('\n')}\n\n`);
  await second.close();
  await facade.close();
});

/** What has been asked of which gateway, and what came of it. */
function toTable(): string[] {
  const cells = [
    ['composed by', 'queried through', 'queries', 'GETs', 'codes that the client saw'],
    ...lines.map(({ composer, gateway, queries, gets, codes }) => [
      composer,
      gateway,
      String(queries),
      String(gets),
      [...codes].sort().join(' '),
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}

it('serves the SDL that is published', () => {
  expect(subgraphs[0]?.sdl).toBe(readFileSync(published('subgraph.graphql'), 'utf8'));
});

it('composes for Cosmo Router, whose clients see the fields of both subgraphs', () => {
  const sdls: Readonly<Record<string, string>> = {
    'schema/subgraph.graphql': subgraphs[0]!.sdl,
    'runbooks.graphql': subgraphs[1]!.sdl,
  };
  const schema = composeForCosmo(
    cosmoSubgraphs.map(({ name, routing_url: url, schema: { file } }) => ({ name, url, sdl: sdls[file]! })),
  );
  const own = Object.keys(
    buildSchema(readFileSync(published('schema.graphql'), 'utf8'))
      .getQueryType()!
      .getFields(),
  );
  expect(Object.keys(schema.getQueryType()!.getFields()).sort()).toEqual([...own, 'runbooks', 'runbookPage'].sort());
  expect(Object.keys(schema.getTypeMap())).toEqual(expect.arrayContaining(['Runbook', 'Collection', 'PageInfo']));
});

const combinations = Object.entries(composers).flatMap(([composer, compose]) =>
  Object.entries(gateways).map(([gateway, start]) => ({ composer, gateway, compose, start })),
);

describe.each<{ composer: string; gateway: string; compose: Compose; start: StartGateway }>(combinations)(
  'composed by $composer, through $gateway',
  ({ composer, gateway: name, compose, start }) => {
    const line: Line = { composer, gateway: name, queries: 0, gets: 0, codes: new Set() };
    lines.push(line);
    let gateway: Gateway;
    let key: string;
    beforeAll(async () => {
      gateway = await start(compose(subgraphs));
      key = facade.postman.apiKey;
    });
    afterAll(() => gateway.close());
    beforeEach(() => facade.postman.reset());
    afterEach(() => {
      line.gets += facade.postman.calls.length;
    });

    /** Asks, with the key of a client or (null) without, and tells which GETs there have been since the test began. */
    async function ask(
      query: string,
      apiKey: string | null = key,
      of = gateway,
    ): Promise<ClientAnswer & { gets: string[] }> {
      const answer = await of.query(query, apiKey ?? undefined);
      line.queries++;
      for (const { extensions } of answer.errors) line.codes.add(String(extensions?.['code']));
      return { ...answer, gets: [...facade.postman.calls].sort() };
    }

    it('ten references to collections are one list', async () => {
      const countOperations = () => facade.log.filter((line) => line.includes('"msg":"operation"')).length;
      const before = countOperations();
      const { data, errors, gets } = await ask('{ runbooks(of: "ten") { id collection { uid name updatedAt } } }');
      expect(errors).toEqual([]);
      expect(data.runbooks).toEqual(
        tenCollections.map((uid, index) => ({
          id: `ten-${index}`,
          collection: { uid, name: expect.any(String), updatedAt: expect.stringMatching(/Z$/) },
        })),
      );
      expect(data.runbooks[0].collection.name).toBe('Rides API');
      expect(gets).toEqual([LIST]);
      // They came as one operation.
      expect(countOperations() - before).toBe(1);
    });

    it('references of which the tree is asked are one read each', async () => {
      const { data, errors, gets } = await ask(
        '{ runbooks(of: "trees") { collection { name items { __typename name } requests { totalCount } } } }',
      );
      expect({ data, errors }).toEqual({
        data: {
          runbooks: [
            {
              collection: {
                name: expect.any(String),
                items: [
                  { __typename: 'Request', name: expect.any(String) },
                  { __typename: 'Request', name: expect.any(String) },
                ],
                requests: { totalCount: 2 },
              },
            },
            { collection: { name: 'Fleet telemetry (draft)', items: [], requests: { totalCount: 0 } } },
          ],
        },
        errors: [],
      });
      expect(gets).toEqual(
        [`GET /collections/${collections.scratch}`, `GET /collections/${collections.telemetryDraft}`].sort(),
      );
    });

    it('references to things of three types are answered each by its own calls, and beside root fields and pages', async () => {
      const { data, errors, gets } = await ask(
        '{ runbooks(of: "mixed") { environment { name } workspace { name } collection { name } } runbookPage { pageInfo { hasNextPage } } workspaces(first: 1) { nodes { name } pageInfo { hasNextPage } } }',
      );
      expect({ data, errors }).toEqual({
        data: {
          runbooks: [
            { environment: { name: 'Local' }, workspace: null, collection: null },
            { environment: { name: 'Staging' }, workspace: null, collection: null },
            { environment: null, workspace: { name: 'Payments' }, collection: null },
            { environment: null, workspace: null, collection: { name: 'Rides API' } },
          ],
          runbookPage: { pageInfo: { hasNextPage: false } },
          workspaces: { nodes: [{ name: 'Rider Platform' }], pageInfo: { hasNextPage: true } },
        },
        errors: [],
      });
      expect(gets).toEqual(
        [
          'GET /environments',
          'GET /workspaces?limit=100',
          `GET /workspaces/${workspaces.payments}?include=team,mocks:deactivated`,
          `GET /collections/${collections.rides}?model=minimal`,
        ].sort(),
      );
    });

    it('a reference to something missing has nothing, without an error', async () => {
      const { data, errors, gets } = await ask('{ runbooks(of: "gone") { collection { uid name } } }');
      expect({ data, errors }).toEqual({
        data: {
          runbooks: [
            // The uid is what the other subgraph says.
            { collection: { uid: UNKNOWN, name: null } },
            { collection: { uid: collections.rides, name: 'Rides API' } },
          ],
        },
        errors: [],
      });
      expect(gets).toEqual([`GET /collections/${UNKNOWN}?model=minimal`, LIST]);
    });

    it('a reference that is none has BAD_USER_INPUT, and the others stand', async () => {
      const { data, errors, gets } = await ask('{ runbooks(of: "typo") { collection { name } } }');
      expect(data).toEqual({ runbooks: [{ collection: { name: null } }, { collection: { name: 'Rides API' } }] });
      expect(errors).toEqual([
        expect.objectContaining({ extensions: expect.objectContaining({ code: 'BAD_USER_INPUT', retryable: false }) }),
      ]);
      expect(gets).toEqual([`GET /collections/${collections.rides}?model=minimal`]);
    });

    it('one that fails arrives with its code and its time, and the others stand', async () => {
      facade.postman.fail(collections.scratch, { kind: 'status', status: 503, headers: { 'retry-after': '40' } });
      const { data, errors } = await ask('{ runbooks(of: "trees") { id collection { items { name } } } }');
      expect(data).toEqual({
        runbooks: [
          { id: 'trees-1', collection: { items: null } },
          { id: 'trees-2', collection: { items: [] } },
        ],
      });
      expect(errors.map(({ extensions }) => extensions)).toEqual([
        expect.objectContaining({
          code: 'UPSTREAM_UNAVAILABLE',
          retryable: true,
          retryAfterSeconds: 40,
          retryAt: expect.stringMatching(/^\d{4}-.*Z$/),
          upstream: { status: 503, name: 'serviceUnavailable', method: 'GET', route: '/collections/{uid}' },
        }),
      ]);
    });

    it('what the budget has no room for arrives with the time of its turn', async () => {
      const small = await startFacade({ RATE_LIMIT: '7', RESERVED_CALLS: '1', OPERATION_TIMEOUT_MS: '10000' });
      const before = await start(compose([{ ...subgraphs[0]!, url: small.url }, subgraphs[1]!]));
      try {
        const { data, errors } = await ask(
          '{ runbooks(of: "ten") { id collection { json } } }',
          small.postman.apiKey,
          before,
        );
        line.gets += small.postman.calls.length;
        const read = data.runbooks.filter(
          ({ collection }: { collection: { json: unknown } }) => collection.json !== null,
        );
        expect([data.runbooks.length, read.length + errors.length]).toEqual([10, 10]);
        expect(read.length).toBe(small.postman.calls.length);
        expect(errors.length).toBeGreaterThan(0);
        for (const { extensions } of errors) {
          expect(extensions).toMatchObject({
            code: 'RATE_LIMITED',
            retryable: true,
            limitedBy: 'facade',
            retryAfterSeconds: expect.any(Number),
            retryAt: expect.stringMatching(/^\d{4}-.*Z$/),
          });
        }
        // Each entity has an error of its own, and all of them the one time.
        expect(new Set(errors.map(({ extensions }) => extensions?.['retryAt'])).size).toBe(1);
      } finally {
        await before.close();
        await small.close();
      }
    });

    it('references that certainly need too many calls are refused without one, which arrives as it is', async () => {
      const { data, errors, gets } = await ask('{ runbooks(of: "ten") { id collection { json } } }');
      expect(data.runbooks).toEqual(
        tenCollections.map((_, index) => ({ id: `ten-${index}`, collection: { json: null } })),
      );
      expect(errors.length).toBeGreaterThan(0);
      for (const { extensions } of errors) {
        expect(extensions).toMatchObject({ code: 'OPERATION_TOO_EXPENSIVE', retryable: false, calls: 10, ceiling: 5 });
      }
      expect(gets).toEqual([]);
    });

    const priced: [string, number][] = [
      ['{ me { username } workspace(id: "$") { name } }', 2],
      ['{ workspaces(first: 3) { nodes { name visibility } } }', 1],
      ['{ workspaces(first: 3) { nodes { name collections(first: 5) { nodes { name updaterId } } } } }', 19],
      ['{ workspaces(first: 2) { edges { node { collections { nodes { name } } } } } }', 3],
      ['{ environments(first: 4) { nodes { name values { key text } } } }', 5],
    ];
    // Apollo's gateway does not price.
    it.each(name === '@graphql-hive/gateway-runtime' ? priced : [])(
      'prices %s as the dry run does',
      async (template, cost) => {
        const query = template.replace('$', workspaces.payments);
        const { pricedAt } = await ask(query);
        const dryRun = await facade.query(query.replace('{', '{ rateLimit(dryRun: true) { cost }'), {
          headers: { 'x-api-key': key },
        });
        expect([pricedAt, dryRun.data.rateLimit.cost]).toEqual([cost, cost]);
      },
    );

    it('each client is answered by its own key, which no other subgraph gets', async () => {
      const query = '{ me { username } runbooks(of: "ten") { collection { name } } }';
      const [own, other, unknown, none] = await Promise.all([
        ask(query),
        ask(query, JONAS_KEY),
        ask(query, `PMAK-unknown-${composer}-${name}`),
        ask(query, null),
      ]);
      expect(own.data.me).toEqual({ username: 'ines-aldana' });
      expect(other.data.me).toEqual({ username: 'jonas' });
      for (const { data, errors } of [own, other]) {
        expect(errors).toEqual([]);
        expect(data.runbooks[0]).toEqual({ collection: { name: 'Rides API' } });
      }
      for (const { data, errors } of [unknown, none]) {
        expect(data.me).toBeNull();
        expect(data.runbooks).toEqual(tenCollections.map(() => ({ collection: { name: null } })));
        expect(new Set(errors.map(({ extensions }) => extensions?.['code']))).toEqual(new Set(['UNAUTHENTICATED']));
      }
      const calls = facade.postman.arrivals.map(({ keyIndex, requestLine }) => `${keyIndex} ${requestLine}`);
      // One call is enough to learn that a key is not known.
      expect(calls.filter((call) => call.startsWith('-1'))).toHaveLength(1);
      expect(calls.filter((call) => !call.startsWith('-1')).sort()).toEqual(
        [`0 ${LIST}`, '0 GET /me', `1 ${LIST}`, '1 GET /me'].sort(),
      );
      expect(second.keysSeen).toEqual([]);
    });
  },
);

it('comes to what docs/gateways.md shows', () => {
  expect(toTable()).toEqual(shownTable);
});

it('nobody but this machine was contacted', () => {
  expect(
    [...contacted].filter((host) => !['127.0.0.1', '::1', 'localhost', '::ffff:127.0.0.1'].includes(host)),
  ).toEqual([]);
  expect(contacted.size).toBeGreaterThan(0);
});
