import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { hasPostmanExtensions } from '../../src/graph/errors/error-extensions.ts';
import type * as Loaders from '../../src/loaders/loaders.ts';
import { createLoaders } from '../../src/loaders/loaders.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import type { Fault } from '../../src/sandbox/faults.ts';
import { type RefusalSpelling, refusalSpellings } from '../../src/sandbox/rate-refusals.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { type FacadeResponse, type Facade, startFacade } from '../support/facade.ts';

vi.mock('../../src/loaders/loaders.ts', { spy: true });

const uid = ids.environments.staging;
const environmentPath = `/environments/${uid}`;
const route = '/environments/{uid}';
/** The first field succeeds, the second one meets the fault. */
const meAndEnvironment = `{ me { username } environment(uid: "${uid}") { name } }`;
const meAlone = { me: { username: 'ines-aldana' }, environment: null };
const both = { me: { username: 'ines-aldana' }, environment: { name: 'Staging' } };

// One facade for all cases that need no special settings and leave no state behind.
let shared: Facade;
beforeAll(async () => {
  shared = await startFacade({ CACHE_TTL_MS: '0' });
});
afterAll(() => shared.close());

let facade: Facade;
afterEach(async () => {
  // After a key was refused, no call is made with it for a while.
  const isKeyRefused = facade.postman.arrivals.some(({ status }) => status === 401 || status === 403);
  if (facade === shared && !isKeyRefused) {
    shared.postman.reset();
    return;
  }
  await facade.close();
  if (facade === shared) shared = await startFacade({ CACHE_TTL_MS: '0' });
});

/** Runs a query, and checks that the three places that report a retry time agree. */
async function ask(on: Facade, query: string, headers: Record<string, string> = {}): Promise<FacadeResponse> {
  const sentAtMs = Date.now();
  const answer = await on.query(query, { headers });
  const receivedAtMs = Date.now();
  const times = answer.errors.flatMap(({ extensions }) => (extensions?.['retryable'] === true ? [extensions] : []));
  for (const { retryAfterSeconds, retryAt } of times) {
    expect(retryAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const respondedAtMs = Date.parse(retryAt as string) - (retryAfterSeconds as number) * 1_000;
    expect(respondedAtMs).toBeGreaterThanOrEqual(sentAtMs);
    expect(respondedAtMs).toBeLessThanOrEqual(receivedAtMs);
  }
  const latest =
    times.length === 0 ? null : String(Math.max(...times.map((time) => Number(time['retryAfterSeconds']))));
  expect(answer.headers.get('retry-after')).toBe(latest);
  expect(answer.errors.map(hasPostmanExtensions)).toEqual(answer.errors.map(() => true));
  return answer;
}

/** Told when the answer is made, which on a busy machine is some seconds after the failure. */
const secondsUpTo = (seconds: number) =>
  expect.toSatisfy(
    (told: number) => told <= seconds && told > seconds - 9,
    `${seconds} seconds or a few less`,
  ) as number;
const retryIn = (seconds: number) => ({
  retryable: true,
  retryAfterSeconds: secondsUpTo(seconds),
  retryAt: expect.any(String) as string,
});
const from = (answered: { status?: number; name?: string } = {}) => ({
  upstream: { ...answered, method: 'GET', route },
});
const json = (name: string, message = 'A reason.') => ({ error: { name, message } });

interface Case {
  readonly what: string;
  readonly fault: Fault;
  readonly message: string;
  readonly extensions: object;
  /** A facade of its own: for its settings, or because it leaves something behind. */
  readonly env?: Record<string, string>;
  /** GETs it takes, 1 by default: some failures are worth a retry. */
  readonly calls?: number;
}

const unusable = (what: string, fault: Fault, message: string): Case => ({
  what,
  fault,
  message,
  extensions: { code: 'UPSTREAM_BAD_RESPONSE', retryable: false, ...from({ status: 200 }) },
});
/** The message continues with the path of the call, and with what to change. */
const refusedKey = (said: string) =>
  expect.toSatisfy(
    (told: string) =>
      told.startsWith(`Postman refused the API key (${said} The key was sent to 127.0.0.1:`) &&
      /:\d+\. It does not have the form of a complete API key \([^.]+\.$/.test(told),
    said,
  ) as string;
const NOT_JSON = 'Postman, or a proxy in front of it, responded with something other than JSON.';
/** A retry may succeed, and one is made. */
const broken = (what: string, fault: Fault, message: string): Case => ({
  what,
  fault,
  message,
  env: {},
  calls: 2,
  extensions: { code: 'UPSTREAM_ERROR', ...retryIn(10), ...from({ status: 200 }) },
});
/** An intermediary has responded: neither the key nor the path is at fault, and nothing is cached for either. */
const foreign = (what: string, status: number): Case => ({
  what,
  fault: { kind: 'html', status },
  message: `The response came not from Postman but from something in front of it, such as a firewall or a proxy (status ${status}).`,
  extensions: { code: 'UPSTREAM_UNREACHABLE', retryable: false, ...from({ status }) },
});
const small = { MAX_RESPONSE_BYTES: '20000' };
const tooLarge = "Postman's response is larger than MAX_RESPONSE_BYTES, 20000 bytes.";

const cases: readonly Case[] = [
  {
    what: 'a 401 about the key',
    fault: { kind: 'status', status: 401 },
    message: refusedKey('status 401). The response says: Invalid API Key. A request needs a valid key.'),
    extensions: {
      code: 'UNAUTHENTICATED',
      retryable: false,
      ...from({ status: 401, name: 'AuthenticationError' }),
    },
  },
  {
    what: 'a 403 about the key',
    fault: { kind: 'status', status: 403, body: { title: 'AuthenticationError', detail: 'Who are you?' } },
    message: refusedKey('status 403). The response says: Who are you?'),
    extensions: { code: 'UNAUTHENTICATED', retryable: false, ...from({ status: 403 }) },
  },
  {
    what: 'a 401 about permission',
    fault: { kind: 'status', status: 401, body: json('UnauthorizedError', 'You are not authorized to do this.') },
    message: 'The API key may not read this (status 401). The response says: You are not authorized to do this.',
    extensions: { code: 'FORBIDDEN', retryable: false, ...from({ status: 401, name: 'UnauthorizedError' }) },
  },
  {
    what: 'a 403',
    fault: { kind: 'status', status: 403 },
    message: 'The API key may not read this (status 403). The response says: You have no permission for this.',
    extensions: { code: 'FORBIDDEN', retryable: false, ...from({ status: 403, name: 'forbidden' }) },
  },
  {
    what: 'a 400 about what was passed',
    fault: { kind: 'status', status: 400, body: json('malformedRequestError') },
    message: 'Postman refused the request (status 400). The response says: A reason.',
    extensions: { code: 'BAD_USER_INPUT', retryable: false, ...from({ status: 400, name: 'malformedRequestError' }) },
  },
  {
    what: 'a 422',
    fault: { kind: 'status', status: 422, body: json('unprocessableError') },
    message: 'Postman refused the request (status 422). The response says: A reason.',
    extensions: { code: 'BAD_USER_INPUT', retryable: false, ...from({ status: 422, name: 'unprocessableError' }) },
  },
  {
    what: 'a spent month',
    env: {},
    fault: { kind: 'refusal', spelling: 'monthly', waitSeconds: 1 },
    message:
      'The quota of Postman API calls is used up (status 429). The response says: The monthly allowance of API calls is used up.',
    extensions: {
      code: 'QUOTA_EXHAUSTED',
      retryable: false,
      ...from({ status: 429, name: 'serviceLimitExhausted' }),
    },
  },
  {
    what: 'a 500',
    env: {},
    calls: 2,
    fault: { kind: 'status', status: 500, body: json('serverError') },
    message: 'Postman failed to process the request (status 500). The response says: A reason.',
    extensions: { code: 'UPSTREAM_ERROR', ...retryIn(10), ...from({ status: 500, name: 'serverError' }) },
  },
  {
    what: 'a 500 that names a time',
    fault: { kind: 'status', status: 500, body: json('serverError'), headers: { 'Retry-After': '42' } },
    message: 'Postman failed to process the request (status 500). The response says: A reason.',
    extensions: { code: 'UPSTREAM_ERROR', ...retryIn(42), ...from({ status: 500, name: 'serverError' }) },
  },
  {
    what: "a gateway's 502 page",
    env: {},
    calls: 2,
    fault: { kind: 'html' },
    message: 'Postman is not available (status 502).',
    extensions: { code: 'UPSTREAM_UNAVAILABLE', ...retryIn(10), ...from({ status: 502 }) },
  },
  {
    what: 'a 503',
    env: {},
    calls: 2,
    fault: { kind: 'status', status: 503 },
    message:
      'Postman is not available (status 503). The response says: Unexpected load. Try again in about five minutes.',
    extensions: {
      code: 'UPSTREAM_UNAVAILABLE',
      ...retryIn(300),
      ...from({ status: 503, name: 'serviceUnavailable' }),
    },
  },
  {
    what: 'a 503 that cannot be read',
    env: {},
    calls: 2,
    fault: { kind: 'status', status: 503, body: 'not compressed', headers: { 'Content-Encoding': 'br' } },
    message: 'Postman is not available (status 503).',
    extensions: { code: 'UPSTREAM_UNAVAILABLE', ...retryIn(300), ...from({ status: 503 }) },
  },
  {
    what: 'a 504',
    env: {},
    calls: 2,
    fault: { kind: 'status', status: 504 },
    message: 'Postman is not available (status 504).',
    extensions: { code: 'UPSTREAM_UNAVAILABLE', ...retryIn(10), ...from({ status: 504 }) },
  },
  {
    what: 'a connection reset before the answer',
    env: {},
    calls: 2,
    fault: { kind: 'reset' },
    message: 'The connection to Postman broke before the response was complete.',
    extensions: { code: 'UPSTREAM_UNAVAILABLE', ...retryIn(10), ...from() },
  },
  {
    what: 'a connection reset in the middle of the answer',
    env: {},
    calls: 2,
    fault: { kind: 'reset', when: 'during' },
    message: 'The connection to Postman broke before the response was complete.',
    extensions: { code: 'UPSTREAM_UNAVAILABLE', ...retryIn(10), ...from() },
  },
  {
    what: 'a call that is never answered',
    fault: { kind: 'hang' },
    env: { UPSTREAM_TIMEOUT_MS: '3000' },
    message: 'Postman did not respond within 3000 ms.',
    extensions: { code: 'UPSTREAM_TIMEOUT', ...retryIn(10), ...from() },
  },
  {
    what: 'an answer that stops in the middle',
    fault: { kind: 'stall' },
    env: { UPSTREAM_TIMEOUT_MS: '3000' },
    message: 'Postman did not respond within 3000 ms.',
    extensions: { code: 'UPSTREAM_TIMEOUT', ...retryIn(10), ...from() },
  },
  {
    what: 'a call that is out when the operation ends',
    fault: { kind: 'hang' },
    env: { OPERATION_TIMEOUT_MS: '3000' },
    message:
      "Postman did not respond before the operation's deadline. Retry at `retryAt`, or send `Prefer: wait=<seconds>` to wait longer.",
    extensions: { code: 'UPSTREAM_TIMEOUT', ...retryIn(10), ...from() },
  },
  broken('truncated JSON', { kind: 'truncate' }, "Postman's response is not valid JSON: it may be cut off."),
  broken('no body', { kind: 'empty' }, "Postman's response is not valid JSON: it may be cut off."),
  broken('a page', { kind: 'html', status: 200 }, NOT_JSON),
  broken('plain text', { kind: 'wrong-type' }, NOT_JSON),
  foreign('a page that refuses', 403),
  foreign('a page that wants another key', 401),
  unusable(
    'an error in a 200',
    { kind: 'status', status: 200, body: json('instanceNotFoundError') },
    'Postman\'s response does not have the shape of this route. The response has no object "environment".',
  ),
  unusable(
    'an unknown encoding',
    { kind: 'unknown-encoding' },
    'Postman responded in an encoding that was not requested.',
  ),
  unusable(
    'an encoding applied twice',
    { kind: 'unknown-encoding', encoding: 'gzip,gzip' },
    'Postman responded in an encoding that was not requested.',
  ),
  unusable('UTF-16', { kind: 'utf16' }, "Postman's response is not UTF-8 text."),
  {
    what: 'a status that Postman never has',
    fault: { kind: 'status', status: 418, body: json('teapot') },
    message: 'Postman sent a response that cannot be used (status 418). The response says: A reason.',
    extensions: { code: 'UPSTREAM_BAD_RESPONSE', retryable: false, ...from({ status: 418, name: 'teapot' }) },
  },
  {
    ...unusable(
      'a body that announces its excess',
      { kind: 'oversize', bytes: 50_000, isLengthDeclared: true },
      tooLarge,
    ),
    env: small,
  },
  { ...unusable('a body that goes on', { kind: 'oversize', bytes: 50_000_000 }, tooLarge), env: small },
  { ...unusable('a gzip bomb', { kind: 'gzip-bomb', bytes: 50_000_000 }, tooLarge), env: small },
];

describe('one field that fails', () => {
  it.each(cases)(
    '$what: has its code and time, and leaves its sibling alone',
    async ({ fault, env, calls = 1, message, extensions }) => {
      facade = env ? await startFacade(env) : shared;
      facade.postman.fail(environmentPath, fault);
      const { status, data, errors } = await ask(facade, meAndEnvironment);
      expect({ status, data, errors }).toEqual({
        status: 200,
        data: meAlone,
        errors: [{ message, path: ['environment'], locations: [{ line: 1, column: 19 }], extensions }],
      });
      expect(facade.postman.calls.filter((call) => call.includes(environmentPath))).toHaveLength(calls);
    },
  );

  it.each<[string, Fault]>([
    ['a 404', { kind: 'status', status: 404 }],
    ['a 400 instanceNotFoundError', { kind: 'status', status: 400, body: json('instanceNotFoundError') }],
  ])('is null without an error for %s', async (_what, fault) => {
    facade = shared;
    facade.postman.fail(environmentPath, fault);
    const { status, data, errors } = await ask(facade, meAndEnvironment);
    expect({ status, data, errors }).toEqual({ status: 200, data: meAlone, errors: [] });
  });

  it('does not affect a sibling that succeeds later', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail('/me', { kind: 'delay', delayMs: 100 });
    facade.postman.fail(environmentPath, { kind: 'status', status: 403 });
    const { data, errors } = await ask(facade, meAndEnvironment);
    expect(data).toEqual(meAlone);
    expect(errors.map(({ path, extensions }) => [path, extensions?.['code']])).toEqual([
      [['environment'], 'FORBIDDEN'],
    ]);
  });

  it('does not affect the other children of a list', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail(`/environments?workspace=${ids.workspaces.release}`, { kind: 'status', status: 503 });
    const { data, errors } = await ask(facade, '{ workspaces { nodes { id environments { nodes { uid } } } } }');
    const nodes = data.workspaces.nodes as { id: string; environments: object | null }[];
    const failed = nodes.findIndex(({ id }) => id === ids.workspaces.release);
    expect(nodes.filter(({ environments }) => environments === null)).toEqual([nodes[failed]]);
    expect(nodes).toHaveLength(Object.keys(ids.workspaces).length);
    expect(errors.map(({ path, extensions }) => ({ path, extensions }))).toEqual([
      {
        path: ['workspaces', 'nodes', failed, 'environments'],
        extensions: {
          code: 'UPSTREAM_UNAVAILABLE',
          ...retryIn(300),
          upstream: { status: 503, name: 'serviceUnavailable', method: 'GET', route: '/environments' },
        },
      },
    ]);
  });

  it('names the longest of several times in Retry-After', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail('/me', { kind: 'status', status: 500 });
    facade.postman.fail(environmentPath, { kind: 'status', status: 503 });
    const { headers, errors } = await ask(facade, meAndEnvironment);
    expect(errors.map(({ extensions }) => Number(extensions?.['retryAfterSeconds'])).sort((a, b) => a - b)).toEqual([
      10, 300,
    ]);
    expect(headers.get('retry-after')).toBe('300');
  });
});

describe('a Postman that cannot be reached', () => {
  it('is reported to the client without details, and in the log with them', async () => {
    facade = await startFacade({ POSTMAN_API_BASE_URL: 'http://127.0.0.1:1', POSTMAN_API_KEY: 'PMAK-canary' });
    const { data, errors } = await facade.query('{ me { username } }');
    expect(data).toEqual({ me: null });
    expect(errors.map(({ message }) => message)).toEqual(['Could not connect to Postman: the connection was refused.']);
    expect(facade.log.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({
        level: 40,
        msg: 'upstream failed',
        route: '/me',
        err: expect.objectContaining({ code: 'ECONNREFUSED' }),
      }),
    );
    expect(facade.log.join('')).not.toContain('PMAK-canary');
    await facade.close();
  });
});

describe('the API key', () => {
  it('is refused on every field when Postman does not know it', async () => {
    facade = shared;
    const { status, data, errors } = await ask(facade, meAndEnvironment, { 'x-api-key': 'PMAK-not-a-key' });
    const upstream = { status: 401, name: 'AuthenticationError', method: 'GET' };
    expect({ status, data }).toEqual({ status: 200, data: { me: null, environment: null } });
    // One call was enough to know it for all.
    expect(errors.map(({ path, extensions }) => [path, extensions])).toEqual([
      [['me'], { code: 'UNAUTHENTICATED', retryable: false, upstream: { ...upstream, route: '/me' } }],
      [['environment'], { code: 'UNAUTHENTICATED', retryable: false, upstream: { ...upstream, route: '/me' } }],
    ]);
  });

  it('never follows a redirect to another host', async () => {
    const elsewhere = await startSandbox();
    facade = shared;
    facade.postman.fail(environmentPath, { kind: 'redirect', location: `${elsewhere.origin}${environmentPath}` });
    const { status, data, errors } = await ask(facade, meAndEnvironment);
    await elsewhere.close();
    expect({ status, data }).toEqual({ status: 200, data: meAlone });
    expect(errors.map(({ extensions }) => extensions)).toEqual([
      { code: 'UPSTREAM_BAD_RESPONSE', retryable: false, ...from({ status: 302 }) },
    ]);
    expect(elsewhere.calls).toEqual([]);
  });

  it('is in no response and no log line, even where Postman repeats it', async () => {
    facade = await startFacade({ LOG_LEVEL: 'trace' });
    const { apiKey } = facade.postman;
    facade.postman.fail(environmentPath, { kind: 'status', status: 403, body: json(apiKey, `No ${apiKey}, never.`) });
    const { data, errors } = await ask(facade, meAndEnvironment);
    expect(errors[0]?.message).toBe(
      'The API key may not read this (status 403). The response says: No [redacted], never.',
    );
    expect(JSON.stringify([data, errors, facade.log])).not.toContain(apiKey);
    expect(facade.log.length).toBeGreaterThan(0);
  });
});

// Monthly is no pause, and without a hint the pause is a whole window.
const timedSpellings = refusalSpellings.filter((spelling) => spelling !== 'monthly' && spelling !== 'no-hint');

describe('a 429 that comes back sooner than the client is ready to wait', () => {
  interface Waited {
    readonly answer: FacadeResponse;
    readonly calls: readonly { readonly status: number; readonly atMs: number }[];
  }
  const waited = new Map<RefusalSpelling, Waited>();
  // All at once: each takes a second of waiting.
  beforeAll(async () => {
    const started = await Promise.all(
      timedSpellings.map(async (spelling) => ({ spelling, own: await startFacade({ OPERATION_TIMEOUT_MS: '500' }) })),
    );
    // Started before any of them is asked: what holds the others up while they start would count as no wait.
    await Promise.all(
      started.map(async ({ spelling, own }) => {
        own.postman.fail(environmentPath, { kind: 'refusal', spelling, waitSeconds: 1 }, 1);
        const answer = await ask(own, meAndEnvironment, { prefer: 'wait=30' });
        const calls = own.postman.arrivals.filter(({ requestLine }) => requestLine.includes(environmentPath));
        waited.set(spelling, { answer, calls });
        await own.close();
      }),
    );
    facade = shared;
  });

  it.each(timedSpellings)('is waited out, spelling %s', (spelling) => {
    const { answer, calls } = waited.get(spelling)!;
    expect(answer).toMatchObject({ status: 200, data: both, errors: [], upstream: { calls: 3 } });
    expect(answer.headers.get('preference-applied')).toBe('wait=30');
    // Less than the second between the calls: it counts from when the 429 was read.
    expect(answer.upstream.waitedMs).toBeGreaterThanOrEqual(500);
    expect(calls.map(({ status }) => status)).toEqual([429, 200]);
    expect(calls[1]!.atMs - calls[0]!.atMs).toBeGreaterThanOrEqual(1_000);
  });

  it('stops every operation of the key until then', async () => {
    facade = await startFacade();
    facade.postman.failNext(1, { kind: 'refusal', spelling: 'retry-after', waitSeconds: 1 });
    const first = ask(facade, `{ environment(uid: "${uid}") { name } }`);
    const remaining = async () =>
      (await facade.query('{ rateLimit { remaining } }')).data.rateLimit.remaining as number;
    await expect.poll(remaining, { interval: 5 }).toBe(0);
    const others = [ask(facade, '{ me { username } }'), ask(facade, '{ environments { nodes { uid } } }')];
    const answers = await Promise.all([first, ...others]);
    expect(answers.map(({ errors }) => errors)).toEqual([[], [], []]);
    const [refused, ...later] = facade.postman.arrivals;
    expect(later).toHaveLength(3);
    expect(Math.min(...later.map(({ atMs }) => atMs)) - refused!.atMs).toBeGreaterThanOrEqual(1_000);
  });
});

describe('a 429 that comes back later than the client is ready to wait', () => {
  const names: Partial<Record<RefusalSpelling, string>> = { v2017: 'rateLimitError', problem: 'too-many-requests' };

  it.each(timedSpellings)('fails at once with its time, spelling %s', async (spelling) => {
    facade = await startFacade();
    facade.postman.fail(environmentPath, { kind: 'refusal', spelling, waitSeconds: 90 });
    const { status, data, errors, upstream } = await ask(facade, meAndEnvironment);
    expect({ status, data, calls: upstream.calls }).toEqual({ status: 200, data: meAlone, calls: 2 });
    expect(errors.map(({ path, extensions }) => ({ path, extensions }))).toEqual([
      {
        path: ['environment'],
        extensions: {
          code: 'RATE_LIMITED',
          ...retryIn(90),
          // An absolute time is rounded up to a second by whoever writes it, and is read against a clock of whole
          // seconds.
          retryAfterSeconds: secondsUpTo(91),
          limitedBy: 'upstream',
          ...from({ status: 429, name: names[spelling] ?? 'rateLimited' }),
        },
      },
    ]);
  });

  it.each([
    ['a whole window without a hint', meAndEnvironment, environmentPath, 60],
    ['the burst window without a hint on a list', '{ workspaces { nodes { id } } }', '/workspaces', 10],
  ])('fails with %s', async (_what, query, path, seconds) => {
    facade = await startFacade({ OPERATION_TIMEOUT_MS: '5000' });
    facade.postman.fail(path, { kind: 'refusal', spelling: 'no-hint', waitSeconds: 1 });
    const { errors } = await ask(facade, query);
    expect(errors.map(({ extensions }) => [extensions?.['code'], extensions?.['retryAfterSeconds']])).toEqual([
      ['RATE_LIMITED', secondsUpTo(seconds)],
    ]);
  });

  it('refuses the next operation without a call, by the facade and with the rest of the time', async () => {
    facade = await startFacade();
    facade.postman.fail(environmentPath, { kind: 'refusal', spelling: 'retry-after', waitSeconds: 90 }, 1);
    await ask(facade, meAndEnvironment);
    const { data, errors, upstream } = await ask(facade, `{ environment(uid: "${uid}") { name } }`);
    expect({ data, calls: upstream.calls }).toEqual({ data: { environment: null }, calls: 0 });
    expect(errors.map(({ message, extensions }) => ({ message, extensions }))).toEqual([
      {
        message:
          "The API key's budget has no slot for this call before the operation's deadline. Retry at `retryAt`, or send `Prefer: wait=<seconds>` to wait longer.",
        extensions: {
          code: 'RATE_LIMITED',
          ...retryIn(90),
          retryAfterSeconds: expect.toBeOneOf([89, 90]) as number,
          limitedBy: 'facade',
          ...from(),
        },
      },
    ]);
    expect(facade.postman.calls.filter((call) => call.includes(environmentPath))).toHaveLength(1);
  });
});

describe('an operation that needs more calls than it may make', () => {
  it('keeps what it could read', async () => {
    facade = await startFacade({ MAX_CALLS_PER_OPERATION: '4' });
    const { status, data, errors } = await ask(facade, '{ workspaces { nodes { environments { nodes { uid } } } } }');
    const isRead = data.workspaces.nodes.map(
      ({ environments }: { environments: object | null }) => environments !== null,
    );
    expect(isRead).toEqual([true, true, true, false, false, false, false]);
    expect(status).toBe(200);
    expect(errors.map(({ message, path, extensions }) => ({ message, path, extensions }))).toEqual(
      [3, 4, 5, 6].map((index) => ({
        message:
          'The operation has reached its limit of 4 calls to Postman. The responses are cached: retry at `retryAt` to read the rest.',
        path: ['workspaces', 'nodes', index, 'environments'],
        extensions: {
          code: 'RATE_LIMITED',
          ...retryIn(0),
          limitedBy: 'operation',
          ceiling: 4,
          upstream: { method: 'GET', route: '/environments' },
        },
      })),
    );
    expect(facade.postman.calls).toHaveLength(4);
  });

  it('is not too expensive when many aliases select the same field', async () => {
    facade = await startFacade({ MAX_CALLS_PER_OPERATION: '1' });
    const fields = Array.from({ length: 50 }, (_, index) => `a${index}: environment(uid: "${uid}") { values { key } }`);
    const { errors, upstream } = await ask(facade, `{ ${fields.join(' ')} }`);
    expect({ errors, calls: upstream.calls }).toEqual({ errors: [], calls: 1 });
  });
});

describe('an argument that no call can be made with', () => {
  it.each([
    ['environment(uid: "../me") { name }', '"uid" is not a Postman identifier: 1 to 128 letters, digits, "-" and "_".'],
    ['workspaces(first: 0) { nodes { id } }', '"first" is 0; it must be from 1 to 100.'],
    ['collections(after: "nonsense") { nodes { uid } }', expect.stringContaining('after')],
  ])('is reported without a call: %s', async (field, message) => {
    facade = shared;
    const { status, data, errors } = await ask(facade, `{ me { username } ${field} }`);
    expect({ status, data: Object.values(data) }).toEqual({ status: 200, data: [{ username: 'ines-aldana' }, null] });
    expect(errors.map(({ message, extensions }) => ({ message, extensions }))).toEqual([
      { message, extensions: { code: 'BAD_USER_INPUT', retryable: false } },
    ]);
    expect(facade.postman.calls).toEqual(['GET /me']);
  });
});

describe('an unexpected error', () => {
  const cause = new TypeError('Cannot read properties of the private thing');
  const masked = {
    code: 'INTERNAL_SERVER_ERROR',
    retryable: false,
    errorId: expect.any(String) as string,
    requestId: expect.any(String) as string,
  };
  const logged = (id: unknown) => facade.log.map((line) => JSON.parse(line)).filter(({ errorId }) => errorId === id);

  it('is masked in its field, with an id that is in the log beside the cause', async () => {
    facade = await startFacade();
    const { createLoaders: original } = await vi.importActual<typeof Loaders>('../../src/loaders/loaders.ts');
    vi.mocked(createLoaders).mockImplementationOnce((api) => ({
      ...original(api),
      childByUid: () => Promise.reject(cause),
    }));
    const { status, data, errors, headers } = await ask(facade, meAndEnvironment);
    expect({ status, data, errors }).toEqual({
      status: 200,
      data: meAlone,
      errors: [
        {
          message: 'Unexpected error.',
          path: ['environment'],
          locations: [{ line: 1, column: 19 }],
          extensions: masked,
        },
      ],
    });
    expect(logged(errors[0]?.extensions?.['errorId'])).toMatchObject([
      { level: 50, msg: 'unexpected error', path: ['environment'], err: { message: cause.message } },
    ]);
    // The line of the operation joins the two ids.
    const { errorId, requestId } = errors[0]?.extensions ?? {};
    expect(requestId).toBe(headers.get('x-request-id'));
    expect(facade.log.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ msg: 'operation', requestId, errorIds: [errorId] }),
    );
  });

  it('is masked with status 500 if nothing could be executed', async () => {
    facade = await startFacade();
    vi.mocked(createLoaders).mockImplementationOnce(() => {
      throw cause;
    });
    const { status, data, errors } = await ask(facade, meAndEnvironment);
    expect({ status, data, errors }).toEqual({
      status: 500,
      data: undefined,
      errors: [{ message: 'Unexpected error.', extensions: masked }],
    });
    expect(logged(errors[0]?.extensions?.['errorId'])).toMatchObject([{ err: { message: cause.message } }]);
    // The server keeps running, and has no pending work to wait for.
    expect((await ask(facade, meAndEnvironment)).data).toEqual(both);
  });

  it('in a dry run is an error, not a cost, with the cause in the log', async () => {
    facade = await startFacade();
    const { createLoaders: original } = await vi.importActual<typeof Loaders>('../../src/loaders/loaders.ts');
    const failing: typeof original = (session) => ({ ...original(session), keyOwner: () => Promise.reject(cause) });
    // The loaders of the operation itself, and those of its first simulation.
    vi.mocked(createLoaders).mockImplementationOnce(failing).mockImplementationOnce(failing);
    const { status, data, errors } = await ask(facade, '{ rateLimit(dryRun: true) { cost } me { username } }');
    expect({ status, data, errors }).toMatchObject({
      status: 200,
      data: { rateLimit: null },
      errors: [{ message: 'Unexpected error.', path: ['rateLimit', 'cost'], extensions: masked }],
    });
    expect(logged(errors[0]?.extensions?.['errorId'])).toMatchObject([
      { err: { message: 'Simulation failed in the scenario where nothing exists', cause: { message: cause.message } } },
    ]);
    expect(facade.postman.calls).toEqual([]);
  });
});
