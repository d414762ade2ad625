import { afterEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import type { Arrival } from '../../src/sandbox/sandbox.ts';
import { type FacadeResponse, type Facade, startFacade } from '../support/facade.ts';

let facade: Facade;
afterEach(() => facade.close());

const me = '{ me { username } }';
const myself = { me: { username: 'ines-aldana' } };
const environments = '{ environments { nodes { uid } } }';
const collection = (index: number) => `{ collection(uid: "${ids.users.ines}-none-${index}") { name } }`;
const workspace = (index: number) => `{ workspace(id: "none-${index}") { name } }`;

/** One call a minute: a second one waits, or is refused. */
const tight = { RATE_LIMIT: '1', BURST_LIMIT: '0' };

/** The largest number of calls in any window of that length. */
function busiest(arrivals: readonly Arrival[], windowMs: number): number {
  const times = arrivals.map(({ atMs }) => atMs).sort((a, b) => a - b);
  return Math.max(0, ...times.map((start) => times.filter((atMs) => atMs >= start && atMs < start + windowMs).length));
}

const isBurst = ({ requestLine }: Arrival) => /^GET \/(?:workspaces|collections\?)/.test(requestLine);
const codesOf = ({ errors }: FacadeResponse) => errors.map(({ extensions }) => extensions?.['code']);
const secondsOf = ({ errors }: FacadeResponse) => errors.map(({ extensions }) => extensions?.['retryAfterSeconds']);
const queued = async () => (await facade.query('{ rateLimit { queued } }')).data.rateLimit.queued as number;

describe('many operations of one key', () => {
  it('never exceed a limit, use all free slots, and are all served or refused', async () => {
    const timeoutMs = 6_000;
    const general = { limit: 20, windowMs: 2_400 };
    const burst = { limit: 5, windowMs: 800 };
    facade = await startFacade(
      {
        RATE_LIMIT: String(general.limit),
        RATE_LIMIT_WINDOW_MS: String(general.windowMs),
        BURST_LIMIT: String(burst.limit),
        BURST_LIMIT_WINDOW_MS: String(burst.windowMs),
        OPERATION_TIMEOUT_MS: String(timeoutMs),
      },
      { limits: { general, burst } },
    );
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => facade.query(index % 4 === 0 ? workspace(index) : collection(index))),
    );

    const { arrivals } = facade.postman;
    expect(arrivals.filter(({ status }) => status === 429)).toEqual([]);
    expect(busiest(arrivals, general.windowMs)).toBeLessThanOrEqual(general.limit);
    expect(busiest(arrivals.filter(isBurst), burst.windowMs)).toBeLessThanOrEqual(burst.limit);

    const late = answers.filter((answer) => codesOf(answer).includes('UPSTREAM_TIMEOUT'));
    const refused = answers.filter((answer) => answer.errors.length > 0 && !late.includes(answer));
    const answered = answers.filter(({ errors }) => errors.length === 0);
    expect(answered.map(({ data }) => Object.values(data))).toEqual(answered.map(() => [null]));
    // More than the first window alone: the slots that came back were used too.
    expect(arrivals.length).toBeGreaterThan(general.limit);
    // Sent at the last moment, a call can still be out at the deadline.
    expect(arrivals).toHaveLength(answered.length + late.length);
    for (const { errors, headers, upstream } of refused) {
      expect(errors).toMatchObject([
        { extensions: { code: 'RATE_LIMITED', retryable: true, limitedBy: 'facade', retryAt: expect.any(String) } },
      ]);
      expect(headers.get('retry-after')).toBe(String(errors[0]?.extensions?.['retryAfterSeconds']));
      expect(upstream.calls).toBe(0);
    }
    expect(await queued()).toBe(0);
  });

  it('make fewer calls when another client uses the key as well', async () => {
    const general = { limit: 20, windowMs: 60_000 };
    facade = await startFacade(
      { RATE_LIMIT: '20', RATE_LIMIT_WINDOW_MS: '60000', BURST_LIMIT: '0', OPERATION_TIMEOUT_MS: '5000' },
      { limits: { general, burst: general } },
    );
    for (let index = 0; index < 15; index++)
      await fetch(`${facade.postman.origin}/me`, { headers: { 'x-api-key': facade.postman.apiKey } });
    const first = await facade.query(me);
    const later = await Promise.all(Array.from({ length: 10 }, (_, index) => facade.query(collection(index))));
    expect(first.errors).toEqual([]);
    expect(later.filter(({ errors }) => errors.length === 0)).toHaveLength(4);
    expect(later.flatMap(codesOf)).toEqual(Array.from({ length: 6 }, () => 'RATE_LIMITED'));
    expect(facade.postman.arrivals.filter(({ status }) => status === 429)).toEqual([]);
    expect((await facade.query('{ rateLimit { remaining } }')).data).toEqual({ rateLimit: { remaining: 0 } });
  });

  it('get staggered times to retry', async () => {
    facade = await startFacade({ ...tight, OPERATION_TIMEOUT_MS: '10000' });
    await facade.query(me);
    const refused = [];
    for (let index = 0; index < 3; index++) refused.push(await facade.query(collection(index)));
    expect(refused.map(codesOf)).toEqual([['RATE_LIMITED'], ['RATE_LIMITED'], ['RATE_LIMITED']]);
    const [a = 0, b = 0, c = 0] = refused.flatMap(secondsOf) as number[];
    expect([59, 60]).toContain(a);
    expect([b - a, c - b].map((gap) => Math.round(gap / 10) * 10)).toEqual([60, 60]);
    expect(facade.postman.calls).toEqual(['GET /me']);
  });

  it('that need more than the slots not reserved for first calls get the time when those are free, not the present', async () => {
    facade = await startFacade({ RATE_LIMIT: '20', RESERVED_CALLS: '5' }, {});
    const reads = Array.from(
      { length: 18 },
      (_, index) => `c${index}: collection(uid: "${ids.users.ines}-none-${index}") { description }`,
    );
    const answer = await facade.query(`{ ${reads.join(' ')} }`);
    expect(facade.postman.calls).toHaveLength(15);
    // A window after the responses of the calls in flight, which arrive in a moment.
    expect(secondsOf(answer).map((seconds) => [60, 61].includes(Number(seconds)))).toEqual([true, true, true]);
  });

  it('do not wait for operations of another key', async () => {
    facade = await startFacade({ ...tight, OPERATION_TIMEOUT_MS: '10000' }, { otherApiKeys: ['PMAK-other'] });
    expect((await facade.query(me)).data).toEqual(myself);
    expect(codesOf(await facade.query(environments))).toEqual(['RATE_LIMITED']);
    const other = await facade.query(environments, { headers: { 'x-api-key': 'PMAK-other' } });
    expect({ errors: other.errors, upstream: other.upstream }).toMatchObject({
      errors: [],
      upstream: { calls: 1, cached: 0, waitedMs: 0 },
    });
    expect(other.headers.get('ratelimit')).toBe('"general";r=0;t=60');
    expect(facade.postman.arrivals.map(({ keyIndex }) => keyIndex)).toEqual([0, 1]);
  });
});

describe('Prefer: wait', () => {
  const short = { ...tight, OPERATION_TIMEOUT_MS: '10000' };

  it('lets an operation wait for longer than the default', async () => {
    facade = await startFacade(short);
    await facade.query(me);
    const impatient = await facade.query(environments);
    const waiting = facade.query(environments, { headers: { prefer: 'respond-async, wait=120' } });
    await expect.poll(queued).toBe(1);
    facade.skip(61_000);
    const patient = await waiting;
    expect(codesOf(impatient)).toEqual(['RATE_LIMITED']);
    expect(impatient.headers.has('preference-applied')).toBe(false);
    expect(patient).toMatchObject({ status: 200, errors: [], upstream: { calls: 1 } });
    expect(patient.upstream.waitedMs).toBeGreaterThan(0);
    expect(patient.headers.get('preference-applied')).toBe('wait=120');
  });

  it('is bounded, and says so', async () => {
    facade = await startFacade({ ...tight, MAX_WAIT_MS: '2000' });
    await facade.query(me);
    const answer = await facade.query(environments, { headers: { prefer: 'wait=9999' } });
    expect(codesOf(answer)).toEqual(['RATE_LIMITED']);
    expect(answer.headers.get('preference-applied')).toBe('wait=2');
  });

  it('of 0 counts as one second, the shortest time in which a call can be made', async () => {
    facade = await startFacade({ ...tight, RATE_LIMIT: '2' });
    const headers = { prefer: 'wait=0' };
    await facade.query(me);
    const sent = await facade.query(environments, { headers });
    expect([sent.errors, sent.headers.get('preference-applied')]).toEqual([[], 'wait=1']);
    const refused = await facade.query('{ workspaces { nodes { name } } }', { headers });
    expect(codesOf(refused)).toEqual(['RATE_LIMITED']);
    expect(Number(secondsOf(refused)[0])).toBeGreaterThan(50);
  });

  it.each(['wait=soon', 'wait=-1', 'wait', ''])('that cannot be read is ignored: "%s"', async (prefer) => {
    facade = await startFacade(short);
    const { data, headers } = await facade.query(me, { headers: { prefer } });
    expect([data, headers.has('preference-applied')]).toEqual([myself, false]);
  });
});

describe('the budget of a key', () => {
  const env = {
    RATE_LIMIT: '20',
    RATE_LIMIT_WINDOW_MS: '60000',
    BURST_LIMIT: '5',
    BURST_LIMIT_WINDOW_MS: '10000',
  };
  const stateOf = ({ headers }: FacadeResponse) => headers.get('ratelimit');

  it('is in every response', async () => {
    facade = await startFacade(env);
    const general = await facade.query(me);
    expect(general.headers.get('ratelimit-policy')).toBe('"general";q=20;w=60, "burst";q=5;w=10');
    expect(stateOf(general)).toBe('"general";r=19;t=60, "burst";r=5;t=0');
    const burst = await facade.query('{ workspaces { nodes { id } } }');
    expect(stateOf(burst)).toBe('"general";r=18;t=60, "burst";r=4;t=10');
    // A cached operation and an invalid query cost nothing.
    expect(stateOf(await facade.query(me))).toBe('"general";r=18;t=60, "burst";r=4;t=10');
    expect(stateOf(await facade.query('{ nobody }'))).toBe('"general";r=18;t=60, "burst";r=4;t=10');
  });

  it('is in no response without a key', async () => {
    facade = await startFacade({ ...env, POSTMAN_API_KEY: '' });
    const { headers } = await facade.query(me);
    expect([headers.get('ratelimit'), headers.get('ratelimit-policy')]).toEqual([null, null]);
  });

  it('can be queried without a call', async () => {
    facade = await startFacade(env);
    const query = '{ rateLimit { limit windowSeconds remaining queued resetAt } }';
    const fresh = { limit: 20, windowSeconds: 60, remaining: 20, queued: 0, resetAt: null };
    expect((await facade.query(query)).data).toEqual({ rateLimit: fresh });
    const sentAtMs = Date.now();
    await facade.query(me);
    const { rateLimit } = (await facade.query(query)).data;
    expect(rateLimit).toEqual({ ...fresh, remaining: 19, resetAt: expect.any(String) });
    expect(Date.parse(rateLimit.resetAt) - sentAtMs).toBeGreaterThanOrEqual(60_000);
    expect(Date.parse(rateLimit.resetAt)).toBeLessThanOrEqual(Date.now() + 60_000);
    expect(facade.postman.calls).toEqual(['GET /me']);
  });
});

describe('a client that hangs up', () => {
  const patient = { prefer: 'wait=20' };

  it('takes its waiting call out of the queue', async () => {
    facade = await startFacade({ ...tight, RATE_LIMIT_WINDOW_MS: '700' });
    await facade.query(me);
    const hangUp = new AbortController();
    const lost = facade.query(collection(1), { headers: patient, signal: hangUp.signal });
    await expect.poll(queued, { interval: 5 }).toBe(1);
    hangUp.abort();
    await expect(lost).rejects.toThrow('aborted');
    await expect.poll(queued, { interval: 5 }).toBe(0);
    expect((await facade.query(environments, { headers: patient })).errors).toEqual([]);
    expect(facade.postman.calls).toEqual(['GET /me', 'GET /environments']);
  });

  it('does not cancel a call that another client waits for', async () => {
    facade = await startFacade({ ...tight, RATE_LIMIT_WINDOW_MS: '700' });
    await facade.query(me);
    const hangUp = new AbortController();
    const lost = facade.query(environments, { headers: patient, signal: hangUp.signal });
    await expect.poll(queued, { interval: 5 }).toBe(1);
    const other = facade.query(environments, { headers: patient });
    await expect.poll(() => facade.log.length, { interval: 5 }).toBeGreaterThan(0);
    hangUp.abort();
    await expect(lost).rejects.toThrow('aborted');
    expect(await other).toMatchObject({ errors: [], upstream: { calls: 0, coalesced: 1 } });
    expect(facade.postman.calls).toEqual(['GET /me', 'GET /environments']);
  });
});
