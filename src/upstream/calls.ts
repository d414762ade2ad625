import type { AnswerCache } from './answer-cache.ts';
import { createBreaker } from './breaker.ts';
import type { Call, Route } from './call.ts';
import type { Clock } from './clock.ts';
import { type Flight, startFlight } from './flight.ts';
import type { HttpClient } from './http.ts';
import type { KeptAnswer, Outcome } from './kept-answer.ts';
import type { Operation } from './operation.ts';
import { createRefreshes } from './refreshes.ts';
import { toMonthSpent, toNotCached, toOutage, toRefusal, toTimeout, toTooExpensive } from './refusals.ts';
import { createRetries } from './retries.ts';
import { UpstreamError, type UpstreamErrorKind } from './upstream-error.ts';

/** Makes calls: from the cache, with somebody else's call under way, or inside the key's budget. */
export interface Calls {
  /**
   * @throws {UpstreamError} of every kind. `rateLimited` by the facade comes at once when the call's turn lies behind the operation's deadline,
   *   `unavailable` at once while upstream counts as down, `quotaExhausted` at once while the month's allowance is known to be used up.
   */
  make<T>(call: Call<T>, operation: Operation): Promise<T>;
  /** What `make` would answer with without a call, as far as is kept; undefined where a call is needed. It counts nothing. */
  kept(call: Call<unknown>, operation: Operation): Outcome | undefined;
  /** Whether anything is kept that could answer the operation. */
  keepsAny(operation: Operation): boolean;
  /** Whether `make` would need a call, and a list that shows its thing unchanged would save it. */
  isRenewable(call: Call<unknown>, operation: Operation): boolean;
}

/** What the call layer is made with; one per origin. */
export interface CallsOptions {
  readonly http: HttpClient;
  readonly cache: AnswerCache;
  readonly clock: Clock;
  /** A number from 0 to below 1, for jitter. */
  readonly random: () => number;
  /** Is told when upstream begins to count as down (true), and when it no longer does. */
  readonly onOutage: (isDown: boolean) => void;
}

/** Failures that say nothing about what was kept before. */
const KEPT_IS_BETTER: ReadonlySet<UpstreamErrorKind> = new Set([
  'unavailable',
  'serverError',
  'timeout',
  'rateLimited',
  'quotaExhausted',
  'tooExpensive',
]);

/** Tells a call from those of other tenants, too. */
const toKey = ({ target }: Call<unknown>, { tenant }: Operation) => `${tenant} ${target}`;

/** Makes the one place through which every GET goes. */
export function createCalls({ http, cache, clock, random, onOutage }: CallsOptions): Calls {
  const { freshness } = cache;
  const flights = new Map<string, { readonly flight: Flight; readonly route: Route }>();
  const retries = createRetries(random);
  const breaker = createBreaker({
    clock,
    onChange(isOpen) {
      onOutage(isOpen);
      if (!isOpen) return;
      for (const [key, { flight, route }] of [...flights]) {
        flight.cancel(toOutage(route, breaker.refuse(key) ?? clock.nowMs(), clock));
      }
    },
  });

  /** Why a call cannot be made now, whatever else is under way. `promises`: its turn is kept for it until the time that is named. */
  const refuse = (
    key: string,
    { route, target }: Call<unknown>,
    { budget, share, deadlineMs }: Operation,
    promises: boolean,
  ): UpstreamError | undefined => {
    if (budget.isMonthSpent()) return toMonthSpent(route);
    const turnAtMs = budget.expectedTurnAtMs(route.routeClass, share, target);
    if (turnAtMs > deadlineMs || budget.isFull()) {
      return toRefusal(route, promises ? budget.promiseTurnAtMs(route.routeClass, share, target) : turnAtMs, clock);
    }
    const probeAtMs = breaker.refuse(key);
    return probeAtMs === undefined ? undefined : toOutage(route, probeAtMs, clock);
  };

  const fly = (key: string, call: Call<unknown>, operation: Operation): Promise<unknown> => {
    const { route } = call;
    const flight = startFlight({
      http,
      cache,
      clock,
      breaker,
      retries,
      key,
      call,
      leader: operation,
      onLanding: () => {
        if (flights.get(key)?.flight === flight) flights.delete(key);
      },
    });
    flights.set(key, { flight, route });
    return flight.join(operation);
  };

  /** @param hasFallback - A refused caller is served something kept, and will not come back for its turn. */
  const call = async (asked: Call<unknown>, operation: Operation, hasFallback: boolean): Promise<unknown> => {
    const { route } = asked;
    const key = toKey(asked, operation);
    const underWay = flights.get(key);
    // What was sent before the client asked may be from before what it wants to see.
    if (underWay && !(operation.directives.noCache && underWay.flight.isSent())) {
      operation.cost.coalesced++;
      return underWay.flight.join(operation);
    }
    if (operation.ended.aborted) throw toTimeout(route, operation.ended, clock);
    if (operation.askedCalls >= operation.maxCalls) {
      throw toTooExpensive(route, operation.askedCalls, operation.maxCalls);
    }
    // Asked for is asked for, also when it is refused: past the ceiling no waiting helps, and the client has to learn that.
    operation.askedCalls++;
    const refusal = refuse(key, asked, operation, !hasFallback);
    if (refusal) throw refusal;
    return fly(key, asked, operation);
  };

  const refreshes = createRefreshes({
    cache,
    clock,
    async refresh(asked, operation) {
      const key = toKey(asked, operation);
      if (flights.has(key) || refuse(key, asked, operation, false)) return;
      // A failure is nobody's: breaker, budget and cache have learned from it, and whoever asks next learns of it.
      await fly(key, asked, operation).catch(() => undefined);
    },
  });

  const take = (kept: KeptAnswer, operation: Operation): unknown => {
    operation.cost.cached++;
    if ('error' in kept.outcome) throw kept.outcome.error;
    operation.ages.add(kept.outcome.value, kept.ageMs, !freshness.isFresh(kept));
    return kept.outcome.value;
  };

  const makeNow = async (asked: Call<unknown>, operation: Operation): Promise<unknown> => {
    const { tenant, directives } = operation;
    const kept = cache.get(tenant, asked.target);
    const verdict = kept ? freshness.judge(kept, directives) : 'call';
    if (kept && verdict !== 'call') {
      if (verdict === 'serveAndRefresh') refreshes.add(asked, operation);
      return take(kept, operation);
    }
    if (directives.onlyIfCached) throw toNotCached(asked.route);
    const isFallback = kept !== undefined && freshness.servesOnError(kept, directives);
    try {
      return await call(asked, operation, isFallback);
    } catch (error) {
      if (!isFallback || !(error instanceof UpstreamError) || !KEPT_IS_BETTER.has(error.kind)) throw error;
      // A refused key has lost it in the meantime.
      const keptStill = cache.get(tenant, asked.target);
      if (!keptStill || !freshness.servesOnError(keptStill, directives)) throw error;
      return take(keptStill, operation);
    }
  };

  const keptOutcome = ({ target }: Call<unknown>, { tenant, directives }: Operation): Outcome | undefined => {
    const kept = cache.get(tenant, target);
    return kept && freshness.judge(kept, directives) !== 'call' ? kept.outcome : undefined;
  };

  return {
    make<T>(asked: Call<T>, operation: Operation): Promise<T> {
      const make = () => makeNow(asked, operation) as Promise<T>;
      const { pace } = operation;
      // What is kept, and what somebody else has called, is no step of the operation's own.
      const isOwn = pace && !flights.has(toKey(asked, operation)) && !keptOutcome(asked, operation);
      return isOwn ? pace.run(make) : make();
    },

    kept: keptOutcome,

    keepsAny: ({ tenant, directives }) => !directives.noCache && cache.hasAny(tenant),

    isRenewable(asked, { tenant, directives }) {
      if (directives.noCache || directives.onlyIfCached) return false;
      const kept = cache.get(tenant, asked.target);
      return kept !== undefined && kept.isRenewable && freshness.judge(kept, directives) === 'call';
    },
  };
}
