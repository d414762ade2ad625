import { afterEach, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';

let facade: Facade;
afterEach(() => facade.close());

const NAMES = '{ workspaces { nodes { name } } }';
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

it('is in responses that made a call, as rateLimit has it', async () => {
  facade = await startFacade({ RATE_LIMIT: '60' });
  const { budget } = await facade.query(NAMES);
  expect(budget).toEqual({ remaining: expect.any(Number), resetAt: TIME });
  const { data } = await facade.query('{ rateLimit { remaining resetAt } }');
  expect(budget?.remaining).toBe(data.rateLimit.remaining);
  const resetAtMs = Date.parse(budget?.resetAt ?? '');
  expect(Math.abs(resetAtMs - Date.parse(data.rateLimit.resetAt))).toBeLessThan(2_000);
});

it('is not in responses from the cache alone, which stay the same bytes', async () => {
  facade = await startFacade();
  await facade.query(NAMES);
  const read = async () => {
    const response = await fetch(facade.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: NAMES }),
    });
    return response.text();
  };
  const cached = await read();
  expect(cached).not.toContain('budget');
  await facade.query('{ me { username } }');
  expect(await read()).toBe(cached);
});

it('is not in responses without a call: dry runs, the schema, invalid documents', async () => {
  facade = await startFacade();
  for (const query of ['{ __typename }', '{ rateLimit(dryRun: true) { cost } me { id } }', '{ nonsense }']) {
    expect((await facade.query(query)).budget).toBeUndefined();
  }
  expect(facade.postman.calls).toEqual([]);
});

it('is in responses that were refused a call, and in those of a call that another operation made', async () => {
  const { account } = createGridAccount(1, 5, 0);
  facade = await startFacade({ RATE_LIMIT: '2', BURST_LIMIT: '0', RESERVED_CALLS: '0' }, { account });
  const [first, second] = await Promise.all([facade.query(NAMES), facade.query(NAMES)]);
  expect([first.upstream.calls + second.upstream.calls, first.upstream.coalesced + second.upstream.coalesced]).toEqual([
    1, 1,
  ]);
  for (const { budget } of [first, second]) expect(budget?.remaining).toBe(1);
  await facade.query('{ me { username } }');
  const refused = await facade.query('{ environments { nodes { name } } }', { headers: { prefer: 'wait=1' } });
  expect(refused.errors.map(({ extensions }) => extensions?.['code'])).toEqual(['RATE_LIMITED']);
  expect([refused.upstream.calls, refused.budget]).toEqual([0, { remaining: 0, resetAt: TIME }]);
  const tooExpensive = await facade.query('{ environments { nodes { name } } }', {
    headers: { 'cache-control': 'only-if-cached' },
  });
  expect(tooExpensive.errors.map(({ extensions }) => extensions?.['code'])).toEqual(['NOT_CACHED']);
  expect(tooExpensive.budget).toBeUndefined();
});

it('is in the last part of a response in parts', async () => {
  facade = await startFacade();
  const response = await fetch(facade.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: '{ collections(first: 2) { nodes @stream { name description } } }' }),
  });
  const parts = [...(await response.text()).matchAll(/^data: (.+)$/gm)].map(
    ([, json]) => JSON.parse(json ?? '') as { extensions?: { upstream?: { budget?: object } } },
  );
  expect(parts.map(({ extensions }) => extensions?.upstream?.budget).filter(Boolean)).toEqual([
    { remaining: expect.any(Number), resetAt: TIME },
  ]);
  expect(parts.at(-1)?.extensions?.upstream?.budget).toBeDefined();
});
