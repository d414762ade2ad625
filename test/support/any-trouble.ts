import { type Arbitrary, array, boolean, constant, constantFrom, integer, nat, oneof, record, tuple } from 'fast-check';
import type { Account } from '../../src/sandbox/account/account.ts';
import { anyOperation, inParts, toText, withKnownCursors } from './any-operation.ts';
import { createGridAccount } from './grid-account.ts';
import { refusalSpellings } from '../../src/sandbox/rate-refusals.ts';
import type { Episode, SimulatedFault } from './simulated-facade.ts';
import { anySmallAccount, type SmallAccount, toServedAccount } from './small-account.ts';

/** An operation on an account, with the failures that it meets. */
export interface Trouble {
  readonly account: Account;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: { readonly general: number; readonly burst: number };
  readonly episodes: readonly Episode[];
  readonly foreignCallsAtMs: readonly number[];
  readonly latencyMs: number;
  /** Earlier operations, and how long before this one they ran, in milliseconds. */
  readonly before: { readonly query: string; readonly agoMs: number } | undefined;
  /** Whether the client retries at the earliest `retryAt` or after the `Retry-After` header. */
  readonly follows: 'errors' | 'header';
}

const usually = <Value>(usual: Value, ...others: readonly Arbitrary<Value>[]): Arbitrary<Value> =>
  oneof({ weight: 5, arbitrary: constant(usual) }, ...others.map((arbitrary) => ({ weight: 2, arbitrary })));

const dashboards = [
  '{ workspaces { nodes { description } } }',
  '{ workspaces { nodes { name collections { nodes { name } } environments { nodes { name } } } } }',
  '{ workspaces { nodes { collections { nodes { uid description } } } } }',
  '{ workspaces { nodes { description environments { nodes { values { key } } } collections { nodes { updatedAt } } } } }',
  '{ collections(first: 50) { nodes { description isPublic } } environments { nodes { values { key } } } }',
  '{ me { id } workspaces(first: 5) { nodes { globals { key } collections { nodes { items { name } } } } } }',
];

const anyGrid = tuple(
  integer({ min: 1, max: 24 }),
  nat(4),
  nat(3),
  constantFrom(...dashboards),
  constantFrom(...dashboards),
).map(([workspaces, collections, environments, query, before]) => ({
  account: createGridAccount(workspaces, collections, environments).account,
  query,
  before,
}));

/**
 * The same account, but the list of everything contains all that workspaces contain. Otherwise `isPublic` is known only
 * if the list of the workspace happens to be read, which differs from run to run: both results would be right.
 */
function withMembersListed(account: SmallAccount): SmallAccount {
  const members = new Set(account.workspaces.flatMap(({ collections }) => collections));
  const collections = account.collections.map((one) => ({ ...one, isListed: one.isListed || members.has(one.uid) }));
  return { ...account, collections };
}

const anySmall = tuple(anySmallAccount, anyOperation, anyOperation).map(([account, operation, before]) => ({
  account: toServedAccount(withMembersListed(account)),
  query: toText(withKnownCursors(operation, true), new Map()),
  before: toText(withKnownCursors(before, true), new Map()),
}));

const anyFault: Arbitrary<SimulatedFault> = oneof(
  tuple(constantFrom(...refusalSpellings.filter((one) => one !== 'monthly')), integer({ min: 0, max: 90 })).map(
    ([spelling, waitSeconds]) => ({ kind: 'refusal' as const, spelling, waitSeconds }),
  ),
  tuple(constantFrom(500, 502, 503, 504, 408), constantFrom(undefined, '1', '20')).map(([status, retryAfter]) => ({
    kind: 'status' as const,
    status,
    ...(retryAfter !== undefined && { retryAfter }),
  })),
  constantFrom(401, 403).map((status) => ({ kind: 'status' as const, status })),
  constantFrom(200, 200, 403, 502).map((status) => ({ kind: 'html' as const, status })),
  constantFrom('truncated' as const, 'notJson' as const, 'empty' as const).map((kind) => ({ kind })),
  constantFrom(
    'refused' as const,
    'reset' as const,
    'connectTimeout' as const,
    'timeout' as const,
    'busy' as const,
    'certificate' as const,
    'unknownHost' as const,
  ).map((kind) => ({ kind })),
  integer({ min: 1_000, max: 70_000 }).map((ms) => ({ kind: 'slow' as const, ms })),
);

/** Number of calls of an episode that ends only by time. */
export const LASTING = 1_000_000;

/** Whether the failure is a decision of Postman or an intermediary, which holds for all calls until it changes. */
const isState = (fault: SimulatedFault) =>
  (fault.kind === 'status' && fault.status < 408) ||
  (fault.kind === 'html' && fault.status === 403) ||
  fault.kind === 'certificate' ||
  fault.kind === 'unknownHost';

const anyEpisode: Arbitrary<Episode> = record({
  fault: anyFault,
  match: constantFrom(/^/, /^\/workspaces$/, /^\/workspaces\//, /^\/collections/, /^\/environments/, /[02468]$/),
  calls: oneof(integer({ min: 1, max: 5 }), constant(LASTING)),
  untilMs: constantFrom(5_000, 60_000, 300_000),
}).map(({ fault, match: of, calls, untilMs }) => {
  // A refused key is refused for every path, and connection failures do not depend on the path.
  const isForAll =
    (fault.kind === 'status' && fault.status === 401) || fault.kind === 'certificate' || fault.kind === 'unknownHost';
  const match = isForAll ? /^/ : of;
  return calls === LASTING || isState(fault)
    ? { fault, match, calls: LASTING, untilMs }
    : { fault, match, calls, untilMs: Number.POSITIVE_INFINITY };
});

const anyEnv: Arbitrary<Record<string, string>> = record({
  MAX_CALLS_PER_OPERATION: usually(60, integer({ min: 1, max: 12 })),
  MAX_CALLS_PER_STREAM: usually(600, integer({ min: 1, max: 12 })),
  CACHE_TTL_MS: usually(60_000, constant(0), constantFrom(1_000, 5_000)),
  CACHE_SWR_MS: usually(60_000, constant(0)),
  CACHE_STALE_IF_ERROR_MS: usually(3_600_000, constantFrom(0, 90_000)),
  CACHE_RENEW_MS: usually(3_600_000, constant(0)),
  OPERATION_TIMEOUT_MS: usually(30_000, integer({ min: 1_000, max: 10_000 })),
  STREAM_TIMEOUT_MS: usually(600_000, constant(20_000)),
  UPSTREAM_TIMEOUT_MS: usually(60_000, constant(5_000)),
  RESERVED_CALLS: usually(2, constant(0)),
  MAX_CONCURRENT_CALLS: usually(10, constantFrom(1, 3)),
}).map((env) => Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)])));

const anyHeaders: Arbitrary<Readonly<Record<string, string>>> = oneof(
  { weight: 10, arbitrary: constant({}) },
  {
    weight: 5,
    arbitrary: constantFrom(
      { 'cache-control': 'no-cache' },
      { 'cache-control': 'max-age=10' },
      { 'cache-control': 'max-age=3600' },
      { 'cache-control': 'max-stale=600' },
      { 'cache-control': 'only-if-cached' },
      { prefer: 'wait=1' },
      { prefer: 'wait=120' },
      { prefer: 'wait=120', 'cache-control': 'no-cache' },
    ),
  },
);

/** An operation, and failures that end. */
export const anyTrouble: Arbitrary<Trouble> = record({
  operation: oneof(anyGrid, anySmall),
  isInParts: oneof({ weight: 4, arbitrary: constant(false) }, { weight: 1, arbitrary: constant(true) }),
  headers: anyHeaders,
  env: anyEnv,
  limits: record({
    general: usually(60, integer({ min: 3, max: 20 })),
    burst: usually(10, integer({ min: 2, max: 5 })),
  }),
  episodes: array(anyEpisode, { maxLength: 3 }),
  foreignCallsAtMs: oneof(
    { weight: 3, arbitrary: constant([]) },
    { weight: 1, arbitrary: array(nat(120_000), { maxLength: 60 }) },
  ),
  latencyMs: constantFrom(0, 200, 2_000),
  hasEarlierQuery: boolean(),
  agoMs: constantFrom(0, 30_000, 90_000, 200_000),
  follows: constantFrom('errors' as const, 'header' as const),
}).map(({ operation, isInParts, hasEarlierQuery, agoMs, env, limits, ...rest }) => ({
  ...rest,
  // A response after the deadline is useless to its operation, but useful to one that joins the same call.
  episodes:
    env['CACHE_TTL_MS'] === '0' || 'cache-control' in rest.headers
      ? rest.episodes.filter(({ fault }) => fault.kind !== 'slow')
      : rest.episodes,
  account: operation.account,
  query: isInParts ? inParts(operation.query) : operation.query,
  // Responses that always take longer than the operation's timeout are a failure that never ends.
  latencyMs:
    env['CACHE_TTL_MS'] === '0' ||
    'cache-control' in rest.headers ||
    rest.headers['prefer'] === 'wait=1' ||
    Number(env['OPERATION_TIMEOUT_MS']) < 10_000
      ? Math.min(100, rest.latencyMs)
      : rest.latencyMs,
  before: hasEarlierQuery ? { query: operation.before, agoMs } : undefined,
  limits,
  env: { ...env, RATE_LIMIT: String(limits.general), BURST_LIMIT: String(limits.burst) },
}));
