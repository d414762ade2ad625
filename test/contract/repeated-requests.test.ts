import { array, assert, asyncProperty, constantFrom, nat, oneof, record, tuple } from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLiveAccount, type LiveAccount } from '../../bench/likely-cost/live-account.ts';
import { anyOperation, toText, withKnownCursors } from '../support/any-operation.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { toRuns } from '../support/property-runs.ts';
import { anySmallAccount, type SmallAccount, toServedAccount } from '../support/small-account.ts';

const TTL_MS = 60_000;
const SWR_MS = 30_000;
const runs = toRuns(40);

/** A response as it was sent. */
interface Sent {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly calls: number;
  readonly isStale: boolean;
  readonly codes: readonly unknown[];
}

/** Sends a request. `executed`: as text that no earlier request had, so that no earlier response serves it. */
async function send(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  executed = false,
): Promise<Sent> {
  // JSON may be followed by any white space.
  const sent = executed ? `${body}${' '.repeat(++executions)}` : body;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: sent,
  });
  const text = await response.text();
  const result = JSON.parse(text) as {
    errors?: { extensions?: { code?: unknown } }[];
    extensions?: { upstream?: { calls: number; stale?: unknown } };
  };
  const { 'x-request-id': _, date: __, ...given } = Object.fromEntries(response.headers);
  return {
    status: response.status,
    headers: given,
    text,
    calls: result.extensions?.upstream?.calls ?? 0,
    isStale: result.extensions?.upstream?.stale !== undefined,
    codes: (result.errors ?? []).map(({ extensions }) => extensions?.code),
  };
}
let executions = 0;

const assertEqual = (actual: unknown, expected: unknown) => expect(actual).toEqual(expected);

/** Leaves out what changes from second to second. */
const withoutSeconds = ({ headers, ...sent }: Sent) => ({
  ...sent,
  headers: { ...headers, age: 'age' in headers, ratelimit: headers['ratelimit']?.replace(/=\d+/g, '') },
});

describe('equal requests', () => {
  const query =
    'query Names($first: Int) { workspaces(first: $first) { nodes { name collections { nodes { name } } } } }';
  const body = JSON.stringify({ query, variables: { first: 3 } });

  it.each([
    ['plain', {}],
    ['compressed', { 'accept-encoding': 'gzip' }],
    ['to a web page', { origin: 'https://app.example' }],
    ['with preferences', { prefer: 'wait=5, errors=by-cause', 'graphql-client-name': 'board' }],
    ['in the media type of GraphQL', { accept: 'application/graphql-response+json' }],
  ])('get the same bytes and headers as an executed operation: %s', async (_, headers) => {
    const facade = await startFacade({ CORS_ORIGINS: 'https://app.example' });
    await send(facade.url, body, headers);
    facade.skip(7_000);
    const executed = await send(facade.url, body, headers, true);
    const log = facade.log.at(-1)?.replace(/"durationMs":\d+/, '');
    const repeats = [await send(facade.url, body, headers), await send(facade.url, body, headers)];
    expect(executed.calls).toBe(0);
    expect(repeats.map(withoutSeconds)).toEqual([withoutSeconds(executed), withoutSeconds(executed)]);
    const age = Number(repeats[1]?.headers['age']);
    expect(age).toBeGreaterThanOrEqual(7);
    const toComparable = (line = '') =>
      line.replace(/"durationMs":\d+/, '').replace(/"(?:time|requestId)":[^,]+,/g, '');
    expect(toComparable(facade.log.at(-1))).toBe(toComparable(log));
    facade.skip(2_000);
    expect(Number((await send(facade.url, body, headers)).headers['age'])).toBeGreaterThanOrEqual(age + 2);
    await facade.close();
  });

  it('are executed as soon as what they were made of is renewed, outdated or expired', async () => {
    const facade = await startFacade({ CACHE_SWR_MS: '0', CACHE_STALE_IF_ERROR_MS: '0' });
    const repeat = async () => (await send(facade.url, body, {})).calls;
    expect([await repeat(), await repeat(), await repeat(), await repeat()]).toEqual([4, 0, 0, 0]);
    facade.skip(TTL_MS + 1_000);
    expect([await repeat(), await repeat(), await repeat()]).toEqual([4, 0, 0]);
    await facade.close();
  });

  it('of other keys, other tokens and pages that may not read are not served', async () => {
    const token = 'a-token-of-sixteen-characters';
    const facade = await startFacade({ ACCESS_TOKEN: token });
    const headers = { authorization: `Bearer ${token}` };
    for (let sent = 0; sent < 3; sent++) await send(facade.url, body, headers);
    expect(await send(facade.url, body, {})).toMatchObject({ status: 401 });
    expect(await send(facade.url, body, { authorization: `Bearer ${token}x` })).toMatchObject({ status: 401 });
    expect(await send(facade.url, body, { ...headers, 'x-api-key': 'PMAK-unknown' })).toMatchObject({
      codes: ['UNAUTHENTICATED'],
    });
    expect(await send(facade.url, body, { ...headers, 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect(await send(facade.url, body, { ...headers, 'cache-control': 'no-cache' })).toMatchObject({ calls: 4 });
    await facade.close();
  });

  it('about the budget are always executed', async () => {
    const facade = await startFacade({ RATE_LIMIT: '100' });
    const budget = JSON.stringify({ query: '{ me { username } rateLimit { remaining } }' });
    for (let sent = 0; sent < 4; sent++) await send(facade.url, budget, {});
    const before = await send(facade.url, budget, {});
    await send(facade.url, JSON.stringify({ query: '{ environments { nodes { name } } }' }), {});
    const after = await send(facade.url, budget, {});
    expect([before.text, after.text].map((text) => /"remaining":(\d+)/.exec(text)?.[1])).toEqual(['99', '98']);
    await facade.close();
  });
});

const anyEvent = oneof(
  { weight: 3, arbitrary: constantFrom('nothing' as const) },
  { weight: 3, arbitrary: constantFrom('edit' as const, 'remove' as const, 'edit and refresh' as const) },
  { weight: 3, arbitrary: constantFrom(1_000, TTL_MS - 1_000, TTL_MS + 1_000, TTL_MS + SWR_MS + 1_000) },
  { weight: 2, arbitrary: record({ status: constantFrom(401, 403, 404, 500, 503), count: constantFrom(1, 3) }) },
);

/** Changes every collection and environment of the account, or removes the first of each. */
function change(
  { collections, environments, ...rest }: SmallAccount,
  what: 'edit' | 'edit and refresh' | 'remove',
  step: number,
) {
  const updatedAt = new Date(Date.UTC(2027, 0, 1, 0, step)).toISOString();
  const edit = <T extends { readonly name: string }>(one: T): T => ({ ...one, name: `${one.name}!`, updatedAt });
  return what === 'remove'
    ? { ...rest, collections: collections.slice(1), environments: environments.slice(1) }
    : { ...rest, collections: collections.map(edit), environments: environments.map(edit) };
}

describe('any operations, changes and failures', () => {
  let live: LiveAccount;
  let facade: Facade;
  const keys = Array.from({ length: 2 * runs.numRuns + 4_000 }, (_, index) => `PMAK-any-${index}`);
  let usedKeys = 0;
  beforeAll(async () => {
    live = createLiveAccount();
    facade = await startFacade(
      {
        RATE_LIMIT: '100000',
        RATE_LIMIT_WINDOW_MS: '1000',
        BURST_LIMIT: '0',
        MAX_CALLS_PER_OPERATION: '100000',
        MAX_QUERY_TOKENS: '10000',
        MAX_QUERY_ALIASES: '1000',
        CACHE_TTL_MS: String(TTL_MS),
        CACHE_SWR_MS: String(SWR_MS),
        LOG_LEVEL: 'silent',
      },
      { account: live.account, otherApiKeys: keys },
    );
  });
  afterAll(() => facade.close());

  it('a repeated request gets what an executed one gets', async () => {
    const seen = { repeats: 0, compared: 0 };
    await assert(
      asyncProperty(
        anySmallAccount,
        tuple(anyOperation, anyOperation),
        array(tuple(nat(1), nat(1), anyEvent), { minLength: 4, maxLength: 10 }),
        async (account, operations, steps) => {
          let current = account;
          live.serve(toServedAccount(current));
          facade.postman.reset();
          const bodies = operations.map((operation) =>
            JSON.stringify({ query: toText(withKnownCursors(operation, false), new Map()) }),
          );
          const keysOfRun = [keys[usedKeys++] ?? '', keys[usedKeys++] ?? ''];
          for (const [step, [operation, key, event]] of steps.entries()) {
            const body = bodies[operation] ?? '';
            const headers = { 'x-api-key': keysOfRun[key] ?? '' };
            if (typeof event === 'number') facade.skip(event);
            else if (event === 'edit' || event === 'remove' || event === 'edit and refresh') {
              current = change(current, event, step);
              live.serve(toServedAccount(current));
              if (event === 'edit and refresh')
                await send(facade.url, body, { ...headers, 'cache-control': 'no-cache' });
            } else if (typeof event === 'object')
              facade.postman.failNext(event.count, { kind: 'status', status: event.status });
            // Twice, so that the second is served from the first if it can be.
            await send(facade.url, body, headers);
            await send(facade.url, body, headers);
            seen.repeats++;
            for (let attempt = 0; ; attempt++) {
              const repeat = await send(facade.url, body, headers);
              const executed = await send(facade.url, body, headers, true);
              // A revalidation in the background may end between the two.
              const isSettled = repeat.calls === 0 && executed.calls === 0 && !repeat.isStale && !executed.isStale;
              if (!isSettled && attempt < 5) {
                await sleep(5);
                continue;
              }
              if (isSettled) {
                seen.compared++;
                assertEqual({ body, ...withoutSeconds(repeat) }, { body, ...withoutSeconds(executed) });
              } else if (executed.calls > 0 && repeat.calls === 0) throw new Error(`No calls for ${body}`);
              break;
            }
          }
        },
      ),
      runs,
    );
    if (process.env['RUNS']) process.stdout.write(`${JSON.stringify(seen)}\n`);
    expect(seen.compared).toBeGreaterThan(seen.repeats / 3);
  }, 3_600_000);
});
