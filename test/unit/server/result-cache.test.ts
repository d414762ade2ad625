import { readdirSync, readFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { STEERING_HEADERS } from '../../../src/server/result-cache/request-key.ts';
import { createResultCache, type ServedResult } from '../../../src/server/result-cache/result-cache.ts';
import type { RequestCaller } from '../../../src/server/request-caller.ts';
import { createSystemClock } from '../../../src/upstream/clock.ts';

const executed: string[] = [];
const touched: unknown[] = [];
const caller = {
  keyHash: 'a-hash-of-the-key',
  keyBudget: {
    view: { snapshot: () => ({ limit: 60, windowMs: 60_000, remaining: 60, restoredInMs: 0, learned: [] }) },
  },
} as unknown as RequestCaller;
let sharedChanges = 0;
let version = 0;
const stored = new Map<string, { readonly value: object }>();
const results = createResultCache({
  cache: {
    getResult: (keyHash, id) => {
      const result = stored.get(`${keyHash} ${id}`);
      return result && { ...result, ageMs: 0 };
    },
    setResult: (keyHash, id, result) => {
      if (result.version === version) stored.set(`${keyHash} ${id}`, result);
    },
    versionOf: () => version,
  },
  calls: { repeatReads: (...given) => void touched.push(given), sharedChanges: () => sharedChanges },
  findCaller: () => caller,
  clock: createSystemClock(),
  report: () => undefined,
  openTrace: undefined,
});
const toResult = (body: string): ServedResult => ({
  body: Buffer.from(body),
  headers: ['content-type', 'application/json'],
  operation: {
    clientName: undefined,
    name: 'A',
    documentId: undefined,
    type: undefined,
    status: 200,
    outcome: 'ok',
    cost: { calls: 0, cached: 2, coalesced: 0, waitedMs: 0 },
    staleParts: 0,
    errorCodes: new Map(),
    errorIds: [],
    isLate: false,
    isClientGone: false,
  },
  targets: ['/me'],
  oldestMs: 1_000,
  freshForMs: 1_000,
});

// Echoes what it executes, and stores it.
const server = createServer((request, response) => {
  results.serve(request, response, 'a-request', (known) => {
    void (async () => {
      const chunks: Buffer[] = known ? [known] : [];
      try {
        if (!known) for await (const chunk of request) chunks.push(chunk as Buffer);
      } catch {
        executed.push('incomplete');
        return;
      }
      const body = Buffer.concat(chunks).toString();
      executed.push(body);
      results.noteStart(request, caller);
      if (body.includes('changed meanwhile')) version++;
      if (body.includes('changed elsewhere meanwhile')) sharedChanges++;
      results.notePassed(request);
      if (results.accepts(request, body.length)) results.store(request, caller, toResult(body));
      response.end(body);
    })();
  });
});
let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server.close());
beforeEach(() => {
  executed.length = 0;
  touched.length = 0;
  stored.clear();
});

const send = (body: string | readonly string[], headers: Record<string, string> = {}, method = 'POST') =>
  new Promise<string>((resolve, reject) => {
    const pieces = typeof body === 'string' ? [body] : body;
    const length = Buffer.byteLength(pieces.join(''));
    const request = httpRequest(
      { port, method, agent: false, headers: { ...(length > 0 && { 'content-length': length }), ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', () => resolve(Buffer.concat(chunks).toString()));
      },
    );
    request.once('error', reject);
    void (async () => {
      for (const piece of pieces) {
        request.write(piece);
        await new Promise((next) => setTimeout(next, 10));
      }
      request.end();
    })();
  });

describe('createResultCache', () => {
  it('executes the first equal requests, and serves the others', async () => {
    // The first one has headers that no request had.
    expect(await send('{"a":0}')).toBe('{"a":0}');
    executed.length = 0;
    const got = [await send('{"a":1}'), await send('{"a":1}'), await send('{"a":1}'), await send(['{"a"', ':1}'])];
    expect({ got, executed, touched }).toEqual({
      got: ['{"a":1}', '{"a":1}', '{"a":1}', '{"a":1}'],
      executed: ['{"a":1}', '{"a":1}'],
      touched: [
        ['a-hash-of-the-key', ['/me'], 2],
        ['a-hash-of-the-key', ['/me'], 2],
      ],
    });
  });

  it('executes a request once other instances have changed what is cached', async () => {
    for (let sent = 0; sent < 3; sent++) await send('{"d":1}');
    sharedChanges++;
    for (let sent = 0; sent < 3; sent++) await send('{"d":1}');
    expect(executed).toEqual(['{"d":1}', '{"d":1}', '{"d":1}']);
  });

  it.each(['changed meanwhile', 'changed elsewhere meanwhile'])(
    'serves no result if what is cached %s',
    async (when) => {
      for (let sent = 0; sent < 4; sent++) await send(JSON.stringify({ f: when }));
      expect(executed.length).toBe(4);
    },
  );

  it('stores no result of a request that comes once', async () => {
    await send('{"e":0}');
    stored.clear();
    for (let other = 1; other < 5; other++) await send(`{"e":${other}}`);
    expect(stored.size).toBe(0);
  });

  it('executes requests that differ in their body, target, method or a header', async () => {
    for (let sent = 0; sent < 2; sent++) await send('{"b":1}');
    executed.length = 0;
    await send('{"b":2}');
    for (const name of STEERING_HEADERS) await send('{"b":1}', { [name]: 'other' });
    await send('{"b":1}', {}, 'PUT');
    expect(executed).toEqual(['{"b":2}', ...STEERING_HEADERS.map(() => '{"b":1}'), '{"b":1}']);
  });

  it('executes requests whose body is large, without a length or incomplete, with all of the body', async () => {
    for (let sent = 0; sent < 2; sent++) await send('{"c":1}');
    executed.length = 0;
    const large = JSON.stringify('x'.repeat(50_000));
    for (let sent = 0; sent < 3; sent++) expect(await send(large)).toBe(large);
    const chunked = { 'transfer-encoding': 'chunked', 'content-length': '' };
    await new Promise<void>((resolve, reject) => {
      const request = httpRequest({ port, method: 'POST', agent: false }, (response) =>
        response.resume().once('end', resolve),
      );
      request.removeHeader('content-length');
      request.setHeader('transfer-encoding', chunked['transfer-encoding']);
      request.once('error', reject).write('{"c"');
      request.end(':1}');
    });
    const cut = httpRequest({ port, method: 'POST', agent: false, headers: { 'content-length': 7 } });
    cut.once('error', () => undefined).write('{"c"');
    await new Promise((next) => setTimeout(next, 50));
    cut.destroy();
    await expect.poll(() => executed.length).toBe(5);
    expect(executed).toEqual([large, large, large, '{"c":1}', 'incomplete']);
  });

  it('knows every request header that the server reads', () => {
    const folder = join(import.meta.dirname, '../../../src/server');
    const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
    const read = texts.flatMap((text) =>
      [
        ...text.matchAll(/\bheaders(?:\.get\(|\.has\(|\[)'([a-z-]+)'|\bheaders(?:\?)?\.(host|authorization|origin)\b/g),
      ].map(([, quoted, plain]) => quoted ?? plain ?? ''),
    );
    const listed = texts.flatMap((text) =>
      [...(/const (?:PREFLIGHTED_HEADERS|HEADERS) = \[([^\]]*)\]/.exec(text)?.[1]?.matchAll(/'([a-z-]+)'/g) ?? [])].map(
        ([, name = '']) => name,
      ),
    );
    // What they are for: see STEERING_HEADERS. The last one is a header of responses.
    const others = ['accept-encoding', 'content-length', 'transfer-encoding', 'traceparent', 'x-request-id']
      .concat('x-forwarded-for', 'if-none-match', 'access-control-request-headers')
      .concat('vary');
    expect([...new Set([...read, ...listed])].filter((name) => !others.includes(name)).toSorted()).toEqual(
      STEERING_HEADERS.toSorted(),
    );
  });
});
