import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';
import { queryInParts } from '../support/parts.ts';

const STREAM = '{ workspaces { nodes @stream { collections(first: 50) { nodes @stream { description } } } } }';

let facade: Facade;
const clients: AbortController[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.abort();
  await facade.close();
});

/** Starts a stream; returns its status, and the client that keeps it open. */
async function open(): Promise<{ readonly status: number; readonly client: AbortController }> {
  const client = new AbortController();
  clients.push(client);
  const response = await fetch(facade.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: STREAM }),
    signal: client.signal,
  });
  if (response.status !== 200) await response.text();
  return { status: response.status, client };
}

it('the free capacity of a stream whose client disconnects goes to one other stream, not to two', async () => {
  // Two calls a minute: none of the streams completes.
  facade = await startFacade(
    { RATE_LIMIT: '2', RATE_LIMIT_WINDOW_MS: '60000', BURST_LIMIT: '0', RESERVED_CALLS: '0', MAX_STREAMS_PER_KEY: '2' },
    { account: createGridAccount(2, 10, 0).account },
  );
  const [first, second] = [await open(), await open()];
  expect([first.status, second.status, (await open()).status]).toEqual([200, 200, 429]);
  for (let times = 0; times < 3; times++) {
    clients[times === 0 ? 0 : clients.length - 1]?.abort();
    // Once the disconnect is noticed, one more stream fits.
    let status = 429;
    while (status !== 200) status = (await open()).status;
    expect((await open()).status).toBe(429);
    clients.pop();
  }
});

it('a stream that fails says so in its last part and in the log', async () => {
  facade = await startFacade({}, { account: createGridAccount(1, 2, 0).account });
  facade.postman.fail('/collections?', { kind: 'status', status: 503, headers: { 'Retry-After': '60' } });
  const parts = [];
  for await (const part of queryInParts(facade, STREAM)) parts.push(part);
  expect(parts.at(-1)).toMatchObject({ hasNext: false, extensions: { retryAfterSeconds: 60 } });
  const lines = facade.log.map((line) => JSON.parse(line) as { msg: string; errors?: object });
  expect(lines.filter(({ msg }) => msg === 'operation').map(({ errors }) => errors)).toEqual([
    { UPSTREAM_UNAVAILABLE: 1 },
  ]);
});

it.each<[string, (response: IncomingMessage) => void]>([
  ['its client disconnects', (response) => response.destroy()],
  ['its connection is reset', (response) => response.socket.resetAndDestroy()],
])('a stream is no error of the server if %s while it waits', async (_what, disconnect) => {
  facade = await startFacade({ CACHE_TTL_MS: '0' });
  facade.postman.fail('/collections', { kind: 'hang' });
  const query = '{ me { username } ... @defer { collections { nodes { name } } } }';
  const sent = request(facade.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'multipart/mixed' },
  });
  sent.on('error', () => undefined).end(JSON.stringify({ query }));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  await expect.poll(() => facade.postman.calls).toHaveLength(2);
  await once(response, 'data');
  disconnect(response);
  const messages = () => facade.log.map((line) => (JSON.parse(line) as { msg: string }).msg);
  await expect.poll(messages).toContain('operation');
  await facade.close();
  expect(messages()).not.toContain('unexpected error');
  // Something to close when the test is over.
  facade = await startFacade();
});
