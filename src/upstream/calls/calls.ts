import type { AccountSizes } from '../postman/list-sizes.ts';
import type { ApiKeys } from './api-keys/api-keys.ts';
import type { CircuitBreakers } from './circuit-breakers.ts';
import type { Call } from '../postman/call.ts';
import { type CallsOptions, createInFlightCalls } from './in-flight-calls.ts';
import type { Answer, KeptAnswer, Outcome } from '../cache/cached-response.ts';
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
  kept(call: Call<unknown>, operation: OperationIdentity): Outcome | undefined;
  /** What the call was answered with when it was last made, as far as that is cached, however old it is. It counts nothing. */
  lastOutcome(call: Call<unknown>, operation: OperationIdentity): Outcome | undefined;
  /** What answers have shown of the size of the operation's account; undefined: nothing. */
  sizesOf(operation: OperationIdentity): AccountSizes | undefined;
  /** Whether anything is cached that could answer the operation. */
  keepsAny(operation: OperationIdentity): boolean;
  /** Whether `make` would need a call, and a list that shows its thing unchanged would save it. */
  isRenewable(call: Call<unknown>, operation: OperationIdentity): boolean;
  /**
   * Has what an operation was given serve for when it comes back for the rest.
   *
   * @param untilMs - When it comes (monotonic ms).
   */
  holdOver(operation: Operation, untilMs: number): void;
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
const CACHED_IS_BETTER: ReadonlySet<UpstreamErrorKind> = new Set([
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
  const give = ({ value, bytes }: Answer, { route, target }: Call<unknown>, operation: Operation): unknown => {
    const { holdings, meter } = operation;
    const refused = holdings.take(value, bytes);
    if (refused === 'operation') throw toTooMuchHeld(route, holdings.maxBytes);
    if (refused === 'server') throw toBusy(route, clock);
    meter.given.add(target);
    return value;
  };

  const giveCached = (cached: KeptAnswer, call: Call<unknown>, operation: Operation): unknown => {
    const { cost, given, ages } = operation.meter;
    cost.cached++;
    given.add(call.target);
    if ('failure' in cached.outcome) throw toError(cached.outcome.failure);
    const { value } = cached.outcome;
    ages.add(value, cached.ageMs, !freshness.isFresh(cached));
    return give({ value, bytes: cached.bytes }, call, operation);
  };

  const makeNow = async (call: Call<unknown>, operation: Operation, isAdmitted = false): Promise<unknown> => {
    const { caller, directives, holdings } = operation;
    const { route, target } = call;
    const { tenant } = caller;
    // What else it asked for could not be held either, and would be paid for in vain.
    if (holdings.isOver()) throw toTooMuchHeld(route, holdings.maxBytes);
    const cached = cache.get(tenant, target);
    const verdict = cached ? freshness.judge(cached, directives) : 'call';
    if (cached && verdict !== 'call') {
      if (verdict === 'serveAndRefresh') revalidations.add(call, caller);
      return giveCached(cached, call, operation);
    }
    if (directives.onlyIfCached) throw toNotCached(route);
    // Whoever waits for what the first call of a key finds out has its answer from the cache, if that was the call it wants.
    if (!apiKeys.isAccepted(tenant) && !inFlight.has(call, operation) && !isAdmitted) {
      return apiKeys.admit(operation, route, () => makeNow(call, operation, true));
    }
    // Whoever is served a stale answer does not come back for a slot.
    const isFallback = cached !== undefined && freshness.servesOnError(cached, directives);
    try {
      return give(await inFlight.make(call, operation, !isFallback), call, operation);
    } catch (error) {
      if (!isFallback || !(error instanceof UpstreamError) || !CACHED_IS_BETTER.has(error.kind)) throw error;
      // A refused key has lost it in the meantime.
      const stillCached = cache.get(tenant, target);
      if (!stillCached || !freshness.servesOnError(stillCached, directives)) throw error;
      return giveCached(stillCached, call, operation);
    }
  };

  const toCachedOutcome = ({ target }: Call<unknown>, { caller, directives }: OperationIdentity) => {
    const cached = cache.get(caller.tenant, target);
    return cached && freshness.judge(cached, directives) !== 'call' ? cached.outcome : undefined;
  };

  return {
    apiKeys,
    circuitBreakers: breakers,

    make<T>(call: Call<T>, operation: Operation): Promise<T> {
      const { repeats, pace, meter } = operation;
      repeats.need(call.route.routeClass, cache.renews && call.updatedAtOf !== undefined);
      const make = () => makeNow(call, operation) as Promise<T>;
      // What is cached, and what somebody else has called, is no step of the operation's own.
      const isOwn = pace && !inFlight.has(call, operation) && !toCachedOutcome(call, operation);
      return meter.unanswered.during(isOwn ? pace.run(make) : make());
    },

    kept: toCachedOutcome,

    lastOutcome: ({ target }, { caller }) => cache.get(caller.tenant, target)?.outcome,

    sizesOf: ({ caller }) => learnedSizes.of(caller.tenant),

    fairShareOf: ({ caller }) => (apiKeys.isAccepted(caller.tenant) ? caller.tenant : NOT_ACCEPTED),

    holdOver({ caller, meter, deadlineMs, openedAtMs }, untilMs) {
      // It asks for some of it late in its own time.
      cache.holdOver(caller.tenant, meter.given, untilMs + (deadlineMs - openedAtMs) + GRACE_MS);
    },

    keepsAny: ({ caller, directives }) => !directives.noCache && cache.hasAny(caller.tenant),

    isRenewable({ target }, { caller, directives }) {
      if (directives.noCache || directives.onlyIfCached) return false;
      const cached = cache.get(caller.tenant, target);
      return cached !== undefined && cached.isRenewable && freshness.judge(cached, directives) === 'call';
    },
  };
}
