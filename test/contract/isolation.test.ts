import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';

/** An upstream with a different canary and a different delay for every key. */
let upstream: Server;
let facade: Facade;
const received: string[] = [];
beforeAll(async () => {
  upstream = createServer((request, response) => {
    const key = String(request.headers['x-api-key']);
    received.push(key);
    void setTimeout(received.length % 7).then(() =>
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ user: { id: 1, username: `canary of ${key}` } })),
    );
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const { port } = upstream.address() as AddressInfo;
  facade = await startFacade({ POSTMAN_API_BASE_URL: `http://127.0.0.1:${port}`, POSTMAN_API_KEY: '' });
});
afterAll(async () => {
  await facade.close();
  upstream.close();
});

it('gives 50 keys that repeat the same query at once each its own data and never that of another', async () => {
  const keys = Array.from({ length: 50 }, (_, index) => `PMAK-tenant-${index}`);
  for (let round = 0; round < 20; round++) {
    const answers = await Promise.all(
      keys.map((key) => facade.query('{ me { username } }', { headers: { 'x-api-key': key } })),
    );
    expect(answers.map(({ data }) => data.me.username)).toEqual(keys.map((key) => `canary of ${key}`));
  }
  // One call for each key; the rest came from the cache of that key.
  expect(received.sort()).toEqual([...keys].sort());
});
