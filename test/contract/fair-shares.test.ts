import { afterEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import type { SandboxOptions } from '../../src/sandbox/sandbox.ts';
import { type FacadeResponse, type Facade, startFacade } from '../support/facade.ts';

let facade: Facade;
afterEach(() => facade.close());

const OTHER = 'PMAK-other';
const THIRD = 'PMAK-third';
const other = { 'x-api-key': OTHER };
const third = { 'x-api-key': THIRD };
const start = (env: Record<string, string> = {}, sandbox: SandboxOptions = {}) =>
  startFacade(env, { otherApiKeys: [OTHER, THIRD], ...sandbox });

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const codesOf = ({ errors }: FacadeResponse) => errors.map(({ extensions }) => extensions?.['code']);
const nameOf = (uid: string) => `{ collection(uid: "${uid}") { name } }`;
const brokenCollection = (index: number) => `{ collection(uid: "1-broken-${index}") { description } }`;
const brokenEnvironment = (index: number) => `{ environment(uid: "1-broken-${index}") { values { key } } }`;
const rides = nameOf(ids.collections.rides);
const stations = nameOf(ids.collections.stations);

/** Fails a key's reads of two routes for long enough for its circuit to open. */
async function breakDocuments(headers: Record<string, string>): Promise<void> {
  facade.postman.fail('broken', { kind: 'status', status: 500 });
  for (const index of upTo(3)) {
    await facade.query(brokenCollection(index), { headers });
    await facade.query(brokenEnvironment(index), { headers });
    facade.skip(1_000);
  }
}

describe('an API key whose reads fail', () => {
  it('is refused, and no other key is', async () => {
    facade = await start();
    await breakDocuments(other);
    facade.postman.calls.length = 0;
    const own = await facade.query(rides, { headers: other });
    expect([own.data, codesOf(own)]).toEqual([{ collection: null }, ['UPSTREAM_UNAVAILABLE']]);
    for (const headers of [{}, third]) {
      const { data, errors } = await facade.query(`{ me { username } ${stations.slice(1)}`, { headers });
      expect({ data, errors }).toEqual({
        data: { me: { username: 'ines-aldana' }, collection: { name: 'Stations API' } },
        errors: [],
      });
    }
    expect(facade.postman.calls).toHaveLength(4);
  });

  it('is served again the reads that succeed, whatever else it requests', async () => {
    facade = await start();
    await breakDocuments(other);
    facade.skip(7_000);
    facade.postman.calls.length = 0;
    const again = await facade.query(brokenCollection(0), { headers: other });
    const good = await facade.query(rides, { headers: other });
    expect([codesOf(again), good.data]).toEqual([['UPSTREAM_UNAVAILABLE'], { collection: { name: 'Rides API' } }]);
    expect(facade.postman.calls).toEqual([`GET /collections/${ids.collections.rides}?model=minimal`]);
  });

  it('does not turn a single failure of another key into an outage, or use up its retry', async () => {
    facade = await start();
    facade.postman.fail('broken', { kind: 'status', status: 500 });
    for (const index of upTo(4)) {
      await facade.query(brokenCollection(index), { headers: other });
      facade.skip(1_000);
    }
    facade.postman.fail('/me', { kind: 'status', status: 500 }, 1);
    facade.postman.calls.length = 0;
    const { data, errors, upstream } = await facade.query('{ me { username } }');
    expect({ data, errors, calls: upstream.calls }).toEqual({
      data: { me: { username: 'ines-aldana' } },
      errors: [],
      calls: 2,
    });
    expect((await facade.query(rides)).errors).toEqual([]);
    expect(facade.postman.calls.slice(0, 2)).toEqual(['GET /me', 'GET /me']);
  });

  it('does not block a third key beside two failing ones, even right after a failure of its own', async () => {
    facade = await start();
    await breakDocuments(other);
    await breakDocuments(third);
    const { data, errors } = await facade.query(rides);
    expect({ data, errors }).toEqual({ data: { collection: { name: 'Rides API' } }, errors: [] });
    facade.postman.fail(ids.collections.stations, { kind: 'status', status: 500 }, 1);
    expect((await facade.query(stations)).data).toEqual({ collection: { name: 'Stations API' } });
  });
});

describe('an upstream that is down for all keys', () => {
  it('gets one more call from a key that has not failed yet, and then none', async () => {
    facade = await start();
    facade.postman.fail('/', { kind: 'status', status: 503 });
    for (const headers of [{}, other]) {
      for (const index of upTo(3)) {
        await facade.query(brokenCollection(index), { headers });
        await facade.query(brokenEnvironment(index), { headers });
        facade.skip(1_000);
      }
    }
    facade.postman.calls.length = 0;
    const answers = [];
    for (const index of upTo(5)) answers.push(await facade.query(brokenCollection(index), { headers: third }));
    expect(answers.map(codesOf)).toEqual(upTo(5).map(() => ['UPSTREAM_UNAVAILABLE']));
    expect(facade.postman.calls).toEqual(['GET /collections/1-broken-0?model=minimal']);
  });
});

describe('invented keys', () => {
  const fourFields = '{ me { id } workspaces { totalCount } environments { totalCount } collections { totalCount } }';
  const madeUp = (index: number) => ({ 'x-api-key': `PMAK-made-up-${index}` });

  it('cost one call each, however many fields are selected', async () => {
    facade = await start({ OPERATION_TIMEOUT_MS: '7000' });
    const answers = await Promise.all(upTo(300).map((index) => facade.query(fourFields, { headers: madeUp(index) })));
    const codes = new Set(answers.map((answer) => codesOf(answer).join()));
    expect(codes).toEqual(new Set([Array(4).fill('UNAUTHENTICATED').join(), Array(4).fill('RATE_LIMITED').join()]));
    // One address has half of what all such keys may use.
    expect(facade.postman.calls.length).toBe(60);
    expect(answers.filter((answer) => codesOf(answer)[0] === 'UNAUTHENTICATED')).toHaveLength(60);
    expect(answers.reduce((sum, { upstream }) => sum + upstream.calls, 0)).toBe(60);
  });

  it('are cached for a while: forty requests with one key cost one call, also if they accept nothing cached', async () => {
    facade = await start();
    for (const index of upTo(40)) {
      const headers = { ...madeUp(0), ...(index % 2 === 1 && { 'cache-control': 'no-cache' }) };
      expect(codesOf(await facade.query('{ me { id } }', { headers }))).toEqual(['UNAUTHENTICATED']);
    }
    expect(facade.postman.calls).toEqual(['GET /me']);
    facade.skip(20_000);
    await facade.query('{ me { id } }', { headers: madeUp(0) });
    expect(facade.postman.calls).toEqual(['GET /me', 'GET /me']);
  });

  it('end the operation of a key that is no longer good, and all others of it', async () => {
    facade = await start({ MAX_CONCURRENT_CALLS: '1' });
    await facade.query('{ me { id } }', { headers: other });
    facade.postman.fail('/', { kind: 'status', status: 401 });
    const answers = await Promise.all(
      upTo(5).map(() =>
        facade.query('{ workspaces { totalCount } environments { totalCount } collections { totalCount } }', {
          headers: other,
        }),
      ),
    );
    expect(answers.flatMap(codesOf)).toEqual(Array(15).fill('UNAUTHENTICATED'));
    expect(facade.postman.calls).toHaveLength(2);
  });

  it('do not delay other client addresses, and get a time to retry', async () => {
    facade = await start({ TRUSTED_PROXIES: '127.0.0.1', OPERATION_TIMEOUT_MS: '7000' });
    const from = (address: string) => ({ 'x-forwarded-for': address });
    await Promise.all(
      upTo(200).map((index) =>
        facade.query('{ me { id } }', { headers: { ...madeUp(index), ...from('198.51.100.7') } }),
      ),
    );
    const [refused, served] = await Promise.all([
      facade.query('{ me { id } }', { headers: { ...madeUp(1_000), ...from('198.51.100.7') } }),
      facade.query('{ me { username } }', { headers: { ...other, ...from('203.0.113.9') } }),
    ]);
    expect(served.data).toEqual({ me: { username: 'ines-aldana' } });
    expect(refused.errors).toMatchObject([
      {
        extensions: { code: 'RATE_LIMITED', retryable: true, limitedBy: 'facade', retryAfterSeconds: 8 },
      },
    ]);
    expect(refused.headers.get('retry-after')).toBe('8');
  });

  it('cost nothing where no call is needed, and leave no budget behind', async () => {
    facade = await start();
    const answers = await Promise.all(
      upTo(100).map((index) => facade.query('{ rateLimit { limit remaining } }', { headers: madeUp(index) })),
    );
    expect(answers.map(({ data }) => data)).toEqual(
      upTo(100).map(() => ({ rateLimit: { limit: 10_000, remaining: 10_000 } })),
    );
    expect(facade.postman.calls).toEqual([]);
  });

  it('are shown no schema in production; one call shows that a key is valid', async () => {
    facade = await start({ NODE_ENV: 'production' });
    const schema = '{ __schema { queryType { name } } }';
    const stranger = await facade.query(schema, { headers: madeUp(0) });
    expect([stranger.data, codesOf(stranger)]).toEqual([undefined, ['UNAUTHENTICATED']]);
    for (const _ of upTo(3)) {
      expect((await facade.query(schema, { headers: other })).data).toEqual({
        __schema: { queryType: { name: 'Query' } },
      });
    }
    expect(facade.postman.calls).toEqual(['GET /me', 'GET /me']);
    facade.postman.fail('/me', { kind: 'status', status: 503 });
    const unknown = await facade.query(schema, { headers: third });
    expect([unknown.data, codesOf(unknown)]).toEqual([undefined, ['UPSTREAM_UNAVAILABLE']]);
  });
});

describe('a key that is used for the first time', () => {
  it('has one call made alone, and everything else after it', async () => {
    facade = await start();
    facade.postman.fail('/me', { kind: 'delay', delayMs: 200 });
    const answer = await facade.query('{ me { username } environments { totalCount } }', { headers: other });
    expect(answer.data).toEqual({ me: { username: 'ines-aldana' }, environments: { totalCount: 7 } });
    const [first, second] = facade.postman.arrivals;
    expect(facade.postman.calls).toEqual(['GET /me', 'GET /environments']);
    expect(second!.atMs).toBeGreaterThanOrEqual(first!.finishedAtMs!);
  });
});
