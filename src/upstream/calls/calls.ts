/**
 * Makes every GET to Postman: from the cache, by joining the same call in flight, or with a slot of the API key's
 * budget.
 *
 * Exports `Calls` and `createCalls`, one instance per origin. This module connects the cache, the rate limiter, the
 * HTTP client, the circuit breakers and the checks of API keys. It must not import `collection-format`, the limiter's
 * windows, the body reader of `http`, or undici, and it knows no GraphQL.
 */
import type { AccountSizes } from '../postman/list-sizes.ts';
import type { ApiKeys } from './api-keys/api-keys.ts';
import type { CircuitBreakers } from './circuit-breakers.ts';
import type { Clock } from '../clock.ts';
import type { Call } from '../postman/call.ts';
import type { Freshness } from '../cache/freshness.ts';
import type { Entering } from './cached-reads/calls-elsewhere.ts';
import { type CacheQueries, createCacheQueries } from './cached-reads/cache-queries.ts';
import { type CallsOptions, createInFlightCalls } from './in-flight-calls.ts';
import type { ReceivedResponse, CachedResponse } from '../cache/cached-response.ts';
import type { CacheCaller } from './cached-reads/cached-reads.ts';
import { createReadLists, type ReadLists } from './cached-reads/read-lists.ts';
import type { Operation, OperationIdentity } from './operation/operation.ts';
import { createRevalidationQueue } from './revalidation-queue.ts';
import { toBusy, toNotCached, toMemoryExceeded } from './local-errors.ts';
import { toError, UpstreamError, type UpstreamErrorKind } from '../http/upstream-error.ts';

/** The calls of all API keys to one origin. */
export interface Calls extends CacheQueries {
  /**
   * Returns the response of a call: from the cache, from the same call in flight, or from a new call within the key's
   * budget.
   *
   * @throws {UpstreamError} of every kind. Thrown at once, without waiting: `rateLimited` by the facade if the call's
   *   slot comes after the operation's deadline, `unavailable` or `unreachable` while a circuit breaker is open,
   *   `quotaExhausted` while the monthly quota is known to be used up.
   */
  make<T>(call: Call<T>, operation: Operation): Promise<T>;
  /**
   * To be called when a request may be served a result that was made before: a number that changes when other instances
   * have changed what is cached for the API key. Undefined: that has to be read first.
   */
  sharedChanges(caller: CacheCaller): number | undefined;
  /** Counts reads from the cache that a repeated result saves: the responses that it was made of were used again. */
  repeatReads(keyHash: string, targets: readonly string[], reads: number): void;
  /** The list lengths that responses to the operation's key have shown; undefined: none yet. */
  sizesOf(operation: OperationIdentity): AccountSizes | undefined;
  /**
   * Retains the cached responses that an operation was served, so that its retry needs calls only for the rest.
   *
   * @param untilMs - When the client is told to retry (monotonic ms).
   */
  retainForRetry(operation: Operation, untilMs: number): void;
  /**
   * The name under which an operation takes its fair share of the process's capacity: its key hash, or one name common
   * to all keys that upstream has not accepted, so that invented keys take nothing from valid ones.
   */
  fairShareOf(operation: OperationIdentity): string;
  /** The calls whose cached responses show objects that other calls read, too. */
  readonly readLists: Pick<ReadLists, 'add'>;
  /** Says which keys upstream has accepted. */
  readonly apiKeys: Pick<ApiKeys, 'isAccepted'>;
  /** Says whether the calls of a key are refused because upstream is down, for that key or for all. */
  readonly circuitBreakers: Pick<CircuitBreakers, 'isOpen' | 'openCircuits'>;
}

/** Failures that do not show the cached response to be wrong: a stale one is served instead. */
const FALLBACK_KINDS: ReadonlySet<UpstreamErrorKind> = new Set([
  'unavailable',
  'unreachable',
  'serverError',
  'timeout',
  'rateLimited',
  'quotaExhausted',
  'busy',
  'tooExpensive',
]);

// Clients retry a little later than the time they were given.
const GRACE_MS = 60_000;

const NOT_ACCEPTED = 'not accepted';

/** What a call has waited for. */
interface Progress {
  /** The first call of its key. */
  readonly isAdmitted?: true;
  /** The responses that other instances have cached: how long it has waited for Redis. */
  readonly waitedMs?: number;
  /** The same call of another instance. */
  readonly hasEntered?: true;
}

/** Makes the calls of one origin; nothing is cached or in flight. */
export function createCalls(options: CallsOptions): Calls {
  const { cache, clock } = options;
  const { freshness } = cache;
  const inFlight = createInFlightCalls(options);
  const { apiKeys, breakers, cachedReads, callsElsewhere, learnedSizes, observer } = inFlight.services;
  const revalidations = createRevalidationQueue(cachedReads, freshness, clock, inFlight.revalidate, observer);

  const serveCached = (cached: CachedResponse, call: Call<unknown>, operation: Operation): unknown => {
    const served = cachedReads.isFirstServed(cached.outcome) ? 'shared' : 'hit';
    observer.onRead(freshness.isFresh(cached) ? served : 'stale');
    noteCached(cached, call, operation, freshness, clock);
    if ('failure' in cached.outcome) throw toError(cached.outcome.failure);
    return serve({ value: cached.outcome.value, bytes: cached.bytes }, call, operation, clock);
  };

  const makeNow = async (call: Call<unknown>, operation: Operation, progress: Progress = {}): Promise<unknown> => {
    const { caller, directives, responses } = operation;
    const { route } = call;
    const { keyHash } = caller;
    // The operation fails anyway, so further calls would be wasted.
    if (responses.isOverLimit()) throw toMemoryExceeded(route, responses.maxBytes);
    const cached = cachedReads.find(call, caller);
    const verdict = cached ? freshness.judge(cached, directives) : 'call';
    if (cached && verdict !== 'call') {
      if (verdict === 'serveAndRevalidate') revalidations.add(call, caller);
      return serveCached(cached, call, operation);
    }
    if (progress.waitedMs === undefined && !directives.noCache && !inFlight.has(call, operation)) {
      const loading = cachedReads.load(call, caller);
      if (loading) {
        operation.idleTasks.waitFor(loading);
        return makeNow(call, operation, { ...progress, waitedMs: await loading });
      }
    }
    if (directives.onlyIfCached) throw toNotCached(route);
    // A call that has waited for the first call of its key starts over: if both are equal, the response is now cached.
    if (!apiKeys.isAccepted(keyHash) && !inFlight.has(call, operation) && !progress.isAdmitted) {
      return apiKeys.admit(operation, route, () => makeNow(call, operation, { ...progress, isAdmitted: true }));
    }
    const mayEnter = !progress.hasEntered && !directives.noCache && !inFlight.has(call, operation);
    const entering = mayEnter ? callsElsewhere?.enter(call, operation, progress.waitedMs ?? 0) : undefined;
    if (entering) return makeAfter(entering, call, operation, progress);
    // A client that is served a stale response does not retry, so no slot is reserved for it.
    const isFallback = cached !== undefined && freshness.servesOnError(cached, directives);
    try {
      return serve(await inFlight.make(call, operation, !isFallback), call, operation, clock);
    } catch (error) {
      if (!isFallback || !(error instanceof UpstreamError) || !FALLBACK_KINDS.has(error.kind)) throw error;
      // The entry is gone if the key was rejected in the meantime.
      const stillCached = cachedReads.find(call, caller);
      if (!stillCached || !freshness.servesOnError(stillCached, directives)) throw error;
      return serveCached(stillCached, call, operation);
    }
  };

  /** Makes a call once no other instance has it under way. */
  const makeAfter = async (entering: Entering, call: Call<unknown>, operation: Operation, progress: Progress) => {
    if ((await entering) === 'again') return makeNow(call, operation, progress);
    try {
      return await makeNow(call, operation, { ...progress, hasEntered: true });
    } finally {
      callsElsewhere?.leave(call, operation.caller, inFlight.settled(call, operation));
    }
  };

  const readLists = createReadLists(options.sharedCache);
  const queries = createCacheQueries(cachedReads, readLists, freshness);

  return {
    ...queries,
    apiKeys,
    readLists,
    circuitBreakers: breakers,

    make<T>(call: Call<T>, operation: Operation): Promise<T> {
      const { retryOutlook, firstRowScheduler, meter } = operation;
      retryOutlook.need(call.route.routeClass, cache.renews && call.updatedAtOf !== undefined);
      const make = () => makeNow(call, operation) as Promise<T>;
      // Only new calls are scheduled: cached responses and calls in flight cost the operation nothing.
      const isScheduled = firstRowScheduler && !inFlight.has(call, operation) && !queries.isCached(call, operation);
      return meter.pendingCalls.during(isScheduled ? firstRowScheduler.run(make) : make());
    },

    sharedChanges: cachedReads.sharedChanges,

    repeatReads(keyHash, targets, reads) {
      cache.touch(keyHash, targets);
      for (let read = 0; read < reads; read++) observer.onRead('hit');
    },

    sizesOf: ({ caller }) => learnedSizes.of(caller.keyHash),

    fairShareOf: ({ caller }) => (apiKeys.isAccepted(caller.keyHash) ? caller.keyHash : NOT_ACCEPTED),

    retainForRetry({ caller, meter, deadlineMs, openedAtMs }, untilMs) {
      // The retry may read some of them only shortly before its own deadline.
      cache.retainForRetry(caller.keyHash, meter.servedTargets, untilMs + (deadlineMs - openedAtMs) + GRACE_MS);
    },
  };
}

/** Notes in the meter of an operation that it is served a cached response. */
function noteCached(
  cached: CachedResponse,
  { target }: Call<unknown>,
  { meter, directives }: Operation,
  freshness: Freshness,
  clock: Clock,
): void {
  const { cost, servedTargets, ages } = meter;
  cost.cached++;
  servedTargets.add(target);
  const isFresh = freshness.isFresh(cached);
  const freshForMs = isFresh ? freshness.freshForMs(cached, directives) : -1;
  meter.freshUntilMs = Math.min(meter.freshUntilMs, clock.nowMs() + freshForMs);
  if ('value' in cached.outcome) ages.add(cached.outcome.value, cached.ageMs, !isFresh);
}

/** Passes a response to an operation, unless it would exceed the memory that the operation or the server may hold. */
function serve(
  { value, bytes }: ReceivedResponse,
  { route, target }: Call<unknown>,
  { responses, meter }: Operation,
  clock: Clock,
): unknown {
  const refused = responses.take(value, bytes);
  if (refused === 'operation') throw toMemoryExceeded(route, responses.maxBytes);
  if (refused === 'server') throw toBusy(route, clock);
  meter.servedTargets.add(target);
  return value;
}
