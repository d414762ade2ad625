import type { AccountSizes } from '../postman/list-sizes.ts';
import type { ApiKeys } from './api-keys/api-keys.ts';
import type { CircuitBreakers } from './circuit-breakers.ts';
import type { Call } from '../postman/call.ts';
import { type CallsOptions, createInFlightCalls } from './in-flight-calls.ts';
import type { ReceivedResponse, CachedResponse, Outcome } from '../cache/cached-response.ts';
import type { Operation, OperationIdentity } from './operation/operation.ts';
import { createRevalidationQueue } from './revalidation-queue.ts';
import { toBusy, toNotCached, toTooMuchHeld } from './local-errors.ts';
import { toError, UpstreamError, type UpstreamErrorKind } from '../http/upstream-error.ts';

/** Makes calls: from the cache, with somebody else's call in flight, or inside the key's budget. */
export interface Calls {
  /**
   * @throws {UpstreamError} of every kind. `rateLimited` by the facade comes at once when the call's turn lies behind the operation's deadline,
   *   `unavailable` at once while upstream counts as down, `quotaExhausted` at once while the month's allowance is known to be used up.
   */
  make<T>(call: Call<T>, operation: Operation): Promise<T>;
  /** What `make` would answer with from the cache; undefined where a call is needed. It counts nothing. */
  cachedOutcome(call: Call<unknown>, operation: OperationIdentity): Outcome | undefined;
  /** What the call was answered with when it was last made, as far as that is cached, however old it is. It counts nothing. */
  lastOutcome(call: Call<unknown>, operation: OperationIdentity): Outcome | undefined;
  /** What answers have shown of the size of the operation's account; undefined: nothing. */
  sizesOf(operation: OperationIdentity): AccountSizes | undefined;
  /** Whether anything is cached that could answer the operation. */
  cachesAny(operation: OperationIdentity): boolean;
  /** Whether `make` would need a call, and a list that shows its thing unchanged would save it. */
  isRenewable(call: Call<unknown>, operation: OperationIdentity): boolean;
  /**
   * Has what an operation was given serve for when it comes back for the rest.
   *
   * @param untilMs - When it comes (monotonic ms).
   */
  retainForRetry(operation: Operation, untilMs: number): void;
  /**
   * Tells whose fair share of the process an operation takes: that of its tenant, or the one that all keys have together which upstream has not
   * accepted, so that whoever makes up keys takes none from those who have good ones.
   */
  fairShareOf(operation: OperationIdentity): string;
  /** Which keys upstream has accepted. */
  readonly apiKeys: Pick<ApiKeys, 'isAccepted'>;
  /** Whether calls of a tenant are refused because upstream does not serve it, or nobody. */
  readonly circuitBreakers: Pick<CircuitBreakers, 'isOpen'>;
}

/** Failures that say nothing about what was cached before. */
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

// Clients come a little later than they are told.
const GRACE_MS = 60_000;

const NOT_ACCEPTED = 'not accepted';

/** Makes the one place through which every GET goes. */
export function createCalls(options: CallsOptions): Calls {
  const { cache, clock } = options;
  const { freshness } = cache;
  const inFlight = createInFlightCalls(options);
  const { apiKeys, breakers, learnedSizes } = inFlight.services;
  const revalidations = createRevalidationQueue(cache, clock, inFlight.revalidate);

  /** Gives an answer to an operation, if there is memory for it to hold it. */
  const serve = (
    { value, bytes }: ReceivedResponse,
    { route, target }: Call<unknown>,
    operation: Operation,
  ): unknown => {
    const { responses, meter } = operation;
    const refused = responses.take(value, bytes);
    if (refused === 'operation') throw toTooMuchHeld(route, responses.maxBytes);
    if (refused === 'server') throw toBusy(route, clock);
    meter.servedTargets.add(target);
    return value;
  };

  const serveCached = (cached: CachedResponse, call: Call<unknown>, operation: Operation): unknown => {
    const { cost, servedTargets, ages } = operation.meter;
    cost.cached++;
    servedTargets.add(call.target);
    if ('failure' in cached.outcome) throw toError(cached.outcome.failure);
    const { value } = cached.outcome;
    ages.add(value, cached.ageMs, !freshness.isFresh(cached));
    return serve({ value, bytes: cached.bytes }, call, operation);
  };

  const makeNow = async (call: Call<unknown>, operation: Operation, isAdmitted = false): Promise<unknown> => {
    const { caller, directives, responses } = operation;
    const { route, target } = call;
    const { keyHash } = caller;
    // What else it asked for could not be held either, and would be paid for in vain.
    if (responses.isOverLimit()) throw toTooMuchHeld(route, responses.maxBytes);
    const cached = cache.get(keyHash, target);
    const verdict = cached ? freshness.judge(cached, directives) : 'call';
    if (cached && verdict !== 'call') {
      if (verdict === 'serveAndRefresh') revalidations.add(call, caller);
      return serveCached(cached, call, operation);
    }
    if (directives.onlyIfCached) throw toNotCached(route);
    // Whoever waits for what the first call of a key finds out has its answer from the cache, if that was the call it wants.
    if (!apiKeys.isAccepted(keyHash) && !inFlight.has(call, operation) && !isAdmitted) {
      return apiKeys.admit(operation, route, () => makeNow(call, operation, true));
    }
    // Whoever is served a stale answer does not come back for a slot.
    const isFallback = cached !== undefined && freshness.servesOnError(cached, directives);
    try {
      return serve(await inFlight.make(call, operation, !isFallback), call, operation);
    } catch (error) {
      if (!isFallback || !(error instanceof UpstreamError) || !FALLBACK_KINDS.has(error.kind)) throw error;
      // A refused key has lost it in the meantime.
      const stillCached = cache.get(keyHash, target);
      if (!stillCached || !freshness.servesOnError(stillCached, directives)) throw error;
      return serveCached(stillCached, call, operation);
    }
  };

  const toCachedOutcome = ({ target }: Call<unknown>, { caller, directives }: OperationIdentity) => {
    const cached = cache.get(caller.keyHash, target);
    return cached && freshness.judge(cached, directives) !== 'call' ? cached.outcome : undefined;
  };

  return {
    apiKeys,
    circuitBreakers: breakers,

    make<T>(call: Call<T>, operation: Operation): Promise<T> {
      const { retryOutlook, firstRowScheduler, meter } = operation;
      retryOutlook.need(call.route.routeClass, cache.renews && call.updatedAtOf !== undefined);
      const make = () => makeNow(call, operation) as Promise<T>;
      // What is cached, and what somebody else has called, is no step of the operation's own.
      const isNewCall = firstRowScheduler && !inFlight.has(call, operation) && !toCachedOutcome(call, operation);
      return meter.pendingCalls.during(isNewCall ? firstRowScheduler.run(make) : make());
    },

    cachedOutcome: toCachedOutcome,

    lastOutcome: ({ target }, { caller }) => cache.get(caller.keyHash, target)?.outcome,

    sizesOf: ({ caller }) => learnedSizes.of(caller.keyHash),

    fairShareOf: ({ caller }) => (apiKeys.isAccepted(caller.keyHash) ? caller.keyHash : NOT_ACCEPTED),

    retainForRetry({ caller, meter, deadlineMs, openedAtMs }, untilMs) {
      // It asks for some of it late in its own time.
      cache.retainForRetry(caller.keyHash, meter.servedTargets, untilMs + (deadlineMs - openedAtMs) + GRACE_MS);
    },

    cachesAny: ({ caller, directives }) => !directives.noCache && cache.hasAny(caller.keyHash),

    isRenewable({ target }, { caller, directives }) {
      if (directives.noCache || directives.onlyIfCached) return false;
      const cached = cache.get(caller.keyHash, target);
      return cached !== undefined && cached.isRenewable && freshness.judge(cached, directives) === 'call';
    },
  };
}
