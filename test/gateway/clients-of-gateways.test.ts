import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { hasPostmanExtensions } from '../../src/graph/errors/error-extensions.ts';
import { reportCells, type TableClient } from '../support/client-table.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { composers } from './composers.ts';
import { type Gateway, gateways } from './gateways.ts';

const sdl = readFileSync(new URL('../../schema/subgraph.graphql', import.meta.url), 'utf8');
const compose = composers['@apollo/composition']!;
const rows: Readonly<Record<string, TableClient>> = {
  '@apollo/gateway': 'Apollo Gateway',
  '@graphql-hive/gateway-runtime': 'Hive Gateway',
};

let facade: Facade;
let gateway: Gateway;
afterEach(async () => {
  await gateway.close();
  await facade.close();
});

describe.each(Object.entries(gateways))('%s', (name, start) => {
  const row = rows[name]!;
  const open = async (env: Record<string, string> = {}) => {
    facade = await startFacade(env);
    gateway = await start(compose([{ name: 'postman', url: facade.url, sdl }]));
  };

  it('passes ids on', async (context) => {
    reportCells(context, [row, 'identity']);
    await open();
    const { data, errors } = await gateway.query('{ collections(first: 3) { nodes { id uid } } }');
    expect(errors).toEqual([]);
    const nodes = data.collections.nodes as readonly { id: string; uid: string }[];
    expect(nodes.map(({ id }) => id)).toEqual(nodes.map(({ uid }) => `Collection:${uid}`));
    expect(nodes).toHaveLength(3);
  });

  it('passes cursors on', async (context) => {
    reportCells(context, [row, 'paging']);
    await open();
    const page = async (after: string) => {
      const query = `{ collections(first: 2${after}) { nodes { name } pageInfo { endCursor } } }`;
      const { data } = await gateway.query(query);
      return data.collections as { nodes: readonly { name: string }[]; pageInfo: { endCursor: string } };
    };
    const first = await page('');
    const second = await page(`, after: ${JSON.stringify(first.pageInfo.endCursor)}`);
    expect([...first.nodes, ...second.nodes].map(({ name: shown }) => shown)).toEqual([
      ...['Rides API', 'Stations API', 'Pricing (GraphQL)', 'Fleet telemetry (draft)'],
    ]);
  });

  it('passes errors on, and is served at their time', async (context) => {
    reportCells(context, [row, 'guard, waiting']);
    await open({
      ...{ RATE_LIMIT: '1', RATE_LIMIT_WINDOW_MS: '60000', BURST_LIMIT: '0', RESERVED_CALLS: '0' },
      OPERATION_TIMEOUT_MS: '10000',
    });
    expect((await facade.query('{ environments { nodes { uid } } }')).errors).toEqual([]);
    const { errors } = await gateway.query('{ me { username } }');
    const [error] = errors;
    if (!hasPostmanExtensions(error) || !error.extensions.retryable) throw new TypeError('Nothing says when to retry');
    facade.skip(error.extensions.retryAfterSeconds * 1_000);
    expect(await gateway.query('{ me { username } }')).toMatchObject({
      data: { me: { username: 'ines-aldana' } },
      errors: [],
    });
  });
});
