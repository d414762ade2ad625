import { type Arbitrary, array, constantFrom, nat, oneof, record, tuple } from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { LiveAccount } from '../../bench/likely-cost/live-account.ts';
import { UNLIMITED } from './any-account.ts';
import { anyOperation, toText, withKnownCursors } from './any-operation.ts';
import type { Facade } from './facade.ts';
import { type SmallAccount, toServedAccount } from './small-account.ts';

/** `CACHE_TTL_MS` of the instances whose cached responses expire. */
export const TTL_MS = 60_000;
/** `CACHE_SWR_MS` of these instances. */
const SWR_MS = 30_000;

/** The environment of these instances. */
export const REPEATED_ENV = {
  ...UNLIMITED,
  CACHE_TTL_MS: String(TTL_MS),
  CACHE_SWR_MS: String(SWR_MS),
  LOG_LEVEL: 'silent',
} as const;

/** Two operations, as JSON. */
export const anyBodies: Arbitrary<readonly string[]> = tuple(anyOperation, anyOperation).map((pair) =>
  pair.map((one) => JSON.stringify({ query: toText(withKnownCursors(one, false), new Map()) })),
);

/** A response as it was sent. */
export interface SentResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly calls: number;
  readonly isStale: boolean;
  readonly codes: readonly unknown[];
}

/** A request that can be sent in many texts, all of which mean the same. */
export interface Sendable {
  /** JSON of the operation. It is the body of a POST, or becomes the query string of a GET. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly method?: 'GET' | 'POST';
}

let executions = 0;

/** Sends a request. `isExecuted`: as text that no earlier request had, so that no earlier response serves it. */
export async function sendRequest(url: string, request: Sendable, isExecuted = false): Promise<SentResponse> {
  const { body, headers, method = 'POST' } = request;
  if (isExecuted) executions++;
  const response = await (method === 'POST'
    ? fetch(url, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        // JSON may be followed by any white space.
        body: isExecuted ? body + ' '.repeat(executions) : body,
      })
    : fetch(toGetUrl(url, body, isExecuted ? ' '.repeat(executions) : ''), { headers }));
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

function toGetUrl(url: string, body: string, space: string): URL {
  const { query, variables } = JSON.parse(body) as { query: string; variables?: object };
  const target = new URL(url);
  target.searchParams.set('query', query);
  target.searchParams.set('variables', JSON.stringify(variables ?? {}) + space);
  return target;
}

/**
 * Leaves out what changes from second to second. Responses with errors are executed each time, and their times are
 * counted from then on.
 */
export function withoutSeconds({ headers, text, ...sent }: SentResponse) {
  const textWithoutTimes = text.replace(/"(retryAt|resetAt)":"[^"]+"|"(retryAfterSeconds)":\d+/g, '"$1$2"');
  return {
    ...sent,
    text: textWithoutTimes,
    headers: {
      ...headers,
      age: 'age' in headers,
      ratelimit: headers['ratelimit']?.replace(/=\d+/g, ''),
      ...(text !== textWithoutTimes && { 'content-length': undefined, 'retry-after': 'retry-after' in headers }),
    },
  };
}

const CHANGES = ['edit', 'edit and read', 'edit and report', 'remove'] as const;

/** What happens before a request is repeated. A number: so much time passes, in milliseconds. */
type Event = 'nothing' | (typeof CHANGES)[number] | number | { readonly status: number; readonly count: number };

/** One request of a run, and what happens before. Instances, operations and keys are given by their index. */
export interface Step {
  readonly instance: number;
  /** Where the change is read or reported. */
  readonly elsewhere: number;
  readonly operation: number;
  readonly key: number;
  readonly event: Event;
}

/** Generates the steps of a run with two operations and two API keys. */
export const anySteps = (instances: number): Arbitrary<readonly Step[]> =>
  array(
    record({
      instance: nat(instances - 1),
      elsewhere: nat(instances - 1),
      operation: nat(1),
      key: nat(1),
      event: oneof(
        { weight: 3, arbitrary: constantFrom('nothing' as const) },
        { weight: 4, arbitrary: constantFrom(...CHANGES) },
        { weight: 3, arbitrary: constantFrom(1_000, TTL_MS - 1_000, TTL_MS + 1_000, TTL_MS + SWR_MS + 1_000) },
        { weight: 2, arbitrary: record({ status: constantFrom(401, 403, 404, 500, 503), count: constantFrom(1, 3) }) },
      ),
    }),
    { minLength: 4, maxLength: 10 },
  );

/** Changes every collection and environment of the account, or removes the first of each. */
function change({ collections, environments, ...rest }: SmallAccount, isRemoval: boolean, step: number): SmallAccount {
  const updatedAt = new Date(Date.UTC(2027, 0, 1, 0, step)).toISOString();
  const edit = <T extends { readonly name: string }>(one: T): T => ({ ...one, name: `${one.name}!`, updatedAt });
  return isRemoval
    ? { ...rest, collections: collections.slice(1), environments: environments.slice(1) }
    : { ...rest, collections: collections.map(edit), environments: environments.map(edit) };
}

/** Servers of one account, and what a run does to them. */
export interface Instances {
  readonly facades: readonly Pick<Facade, 'url'>[];
  readonly live: LiveAccount;
  /** Advances the time of all instances. */
  readonly skip: (ms: number) => Promise<void>;
  readonly failNext: (count: number, status: number) => void;
  /** Reports that objects have changed, as a webhook does. Absent: there is none. */
  readonly report?: (facade: Pick<Facade, 'url'>, uids: readonly string[]) => Promise<void>;
}

/** How often requests were repeated, and how often these were compared with executed ones. */
export interface Comparisons {
  repeated: number;
  compared: number;
  /** How often the instance learned between the two what another one had read. */
  interrupted: number;
}

/**
 * Runs steps. After each it compares a repeated request with one that is executed.
 *
 * @param bodies - The two operations, as JSON.
 * @param keys - The two API keys.
 */
export async function compareRepeatedRequests(
  { facades, live, skip, failNext, report }: Instances,
  account: SmallAccount,
  bodies: readonly string[],
  keys: readonly string[],
  steps: readonly Step[],
  seen: Comparisons,
): Promise<void> {
  let current = account;
  live.serve(toServedAccount(current));
  for (const [index, { instance, elsewhere, operation, key, event }] of steps.entries()) {
    const [facade, other] = [facades[instance], facades[elsewhere]];
    if (!facade || !other) throw new TypeError('There is no such instance');
    const request = { body: bodies[operation] ?? '', headers: { 'x-api-key': keys[key] ?? '' } };
    if (typeof event === 'number') await skip(event);
    else if (typeof event === 'object') failNext(event.count, event.status);
    else if (event !== 'nothing') {
      const { collections, environments } = current;
      current = change(current, event === 'remove', index);
      live.serve(toServedAccount(current));
      if (event === 'edit and read')
        await sendRequest(other.url, { ...request, headers: { ...request.headers, 'cache-control': 'no-cache' } });
      if (event === 'edit and report')
        await report?.(
          other,
          [...collections, ...environments].map(({ uid }) => uid),
        );
    }
    // The first has headers of its own, the second is the first of its kind, and the result of the third is stored.
    for (let sent = 0; sent < 3; sent++) await sendRequest(facade.url, request);
    seen.repeated++;
    await compare(facade, request, seen, facades.length > 1);
  }
}

const isSame = (one: SentResponse, other: SentResponse) =>
  isDeepStrictEqual(withoutSeconds(one), withoutSeconds(other));

async function compare(
  { url }: Pick<Facade, 'url'>,
  request: Sendable,
  seen: Comparisons,
  hasOthers: boolean,
): Promise<void> {
  for (let attempt = 0; attempt < 6; attempt++) {
    const repeat = await sendRequest(url, request);
    const executed = await sendRequest(url, request, true);
    if (repeat.calls === 0 && executed.calls === 0 && !repeat.isStale && !executed.isStale) {
      // Instances read each other's changes once a second. A repeat after these is equal again.
      if (hasOthers && !isSame(repeat, executed) && isSame(await sendRequest(url, request), executed)) {
        seen.interrupted++;
        continue;
      }
      seen.compared++;
      expect({ request, ...withoutSeconds(repeat) }).toEqual({ request, ...withoutSeconds(executed) });
      return;
    }
    if (attempt === 5 && executed.calls > 0 && repeat.calls === 0)
      throw new Error(`No calls for ${JSON.stringify(request)}`);
    // A revalidation in the background, or a change at another instance, may have come between the two.
    await sleep(5);
  }
}
