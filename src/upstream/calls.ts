import { type AccountSizes, createLearnedSizes } from './account-sizes.ts';
import type { AnswerCache } from './answer-cache.ts';
import { type ApiKeys, createApiKeys } from './api-keys.ts';
import { type Breakers, createBreakers, type OutageScope } from './breakers.ts';
import type { Call, Route } from './call.ts';
import type { Clock } from './clock.ts';
import { type Flight, startFlight } from './flight.ts';
import type { HttpClient } from './http.ts';
import type { Answer, KeptAnswer, Outcome } from './kept-answer.ts';
import type { Operation } from './operation.ts';
import { createRefreshes } from './refreshes.ts';
import type { ExplainRefusedKey } from './refused-keys.ts';
import { toBusy, toEnded, toMonthSpent, toNotCached, toOutage, toTooMuchHeld, toUnreachable } from './refusals.ts';
import { createRetries } from './retries.ts';
import { toError, UpstreamError, type UpstreamErrorKind } from './upstream-error.ts';

/** Makes calls: from the cache, with somebody else's call under way, or inside the key's budget. */
export interface Calls {
  /**
   * @throws {UpstreamError} of every kind. `rateLimited` by the facade comes at once when the call's turn lies behind the operation's deadline,
   *   `unavailable` at once while upstream counts as down, `quotaExhausted` at once while the month's allowance is known to be used up.
   */
  make<T>(call: Call<T>, operation: Operation): Promise<T>;
  /** What `make` would answer with without a call, as far as is kept; undefined where a call is needed. It counts nothing. */
  kept(call: Call<unknown>, operation: Operation): Outcome | undefined;
  /** What the call was answered with when it was last made, as far as that is kept, however old it is. It counts nothing. */
  lastOutcome(call: Call<unknown>, operation: Operation): Outcome | undefined;
  /** What answers have shown of the size of the operation's account; undefined: nothing. */
  sizesOf(operation: Operation): AccountSizes | undefined;
  /** Whether anything is kept that could answer the operation. */
  keepsAny(operation: Operation): boolean;
  /** Whether `make` would need a call, and a list that shows its thing unchanged would save it. */
  isRenewable(call: Call<unknown>, operation: Operation): boolean;
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
  fairShareOf(operation: Operation): string;
  /** Which keys upstream has accepted. */
  readonly apiKeys: Pick<ApiKeys, 'isAccepted'>;
  /** Whether calls of a tenant are refused because upstream does not serve it, or nobody. */
  readonly circuitBreakers: Pick<Breakers, 'isOpen'>;
}

/** What the call layer is made with; one per origin. */
export interface CallsOptions {
  readonly http: HttpClient;
  readonly cache: AnswerCache;
  readonly clock: Clock;
  /** A number from 0 to below 1, for jitter. */
  readonly random: () => number;
  /** Whether the server itself was started with a tenant's key. */
  readonly isTrusted: (tenant: string) => boolean;
  /** Is told when calls begin to be refused because upstream does not serve them (true), and when they no longer are. */
  readonly onOutage: (isDown: boolean, scope: OutageScope) => void;
  /** Default: refusals of keys are told as upstream tells them. */
  readonly explainRefusedKey?: ExplainRefusedKey;
}

/** A call under way. */
interface UnderWay {
  readonly flight: Flight;
  readonly route: Route;
}

/** Failures that say nothing about what was kept before. */
const KEPT_IS_BETTER: ReadonlySet<UpstreamErrorKind> = new Set([
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
export function createCalls({
  http,
  cache,
  clock,
  random,
  isTrusted,
  onOutage,
  explainRefusedKey = (thrown) => thrown,
}: CallsOptions): Calls {
  const { freshness } = cache;
  // By tenant, then by target.
  const flights = new Map<string, Map<string, UnderWay>>();
  const retries = createRetries(random);
  const learnedSizes = createLearnedSizes();

  const cancelAll = (tenant: string, toError: (target: string, route: Route) => UpstreamError) => {
    for (const [target, { flight, route }] of [...(flights.get(tenant) ?? [])]) flight.cancel(toError(target, route));
  };

  /** The refusal of a call by an open circuit breaker, until the next probe (monotonic ms). */
  const toRefused = (route: Route, tenant: string, probeAtMs: number) => {
    const reason = breakers.unreachable(tenant);
    return reason === undefined ? toOutage(route, probeAtMs) : toUnreachable(route, reason);
  };

  const breakers = createBreakers({
    clock,
    onChange(isOpen, tenant) {
      onOutage(isOpen, tenant === undefined ? 'everybody' : 'tenant');
      if (!isOpen) return;
      for (const one of tenant === undefined ? [...flights.keys()] : [tenant]) {
        cancelAll(one, (target, route) => toRefused(route, one, breakers.refuse(one, target) ?? clock.nowMs()));
      }
    },
  });

  const apiKeys = createApiKeys({
    clock,
    isTrusted,
    onRefused: (tenant, error) => cancelAll(tenant, () => error),
  });

  const underWay = ({ target }: Call<unknown>, { caller: { tenant } }: Operation) => flights.get(tenant)?.get(target);

  /** Why a call cannot be made now, whatever else is under way. `promises`: its turn is kept for it until the time that is named. */
  const refuse = (
    { route, target }: Call<unknown>,
    { caller, share, deadlineMs, refusals }: Operation,
    promises: boolean,
  ): UpstreamError | undefined => {
    const { tenant } = caller;
    const budget = caller.keyBudget.current;
    if (budget.slots.view.isMonthSpent()) return toMonthSpent(route);
    const turnAtMs = budget.expectedTurnAtMs(route.routeClass, share, target);
    if (turnAtMs > deadlineMs || budget.view.isFull()) {
      return refusals.late(route, turnAtMs, () =>
        promises ? budget.promiseTurnAtMs(route.routeClass, share, target) : turnAtMs,
      );
    }
    const probeAtMs = breakers.refuse(tenant, target);
    return probeAtMs === undefined ? undefined : toRefused(route, tenant, probeAtMs);
  };

  const fly = (call: Call<unknown>, operation: Operation): Promise<Answer> => {
    const { route, target } = call;
    const { tenant } = operation.caller;
    const ofTenant = flights.get(tenant) ?? new Map<string, UnderWay>();
    const flight = startFlight({
      http,
      cache,
      learnedSizes,
      clock,
      apiKeys,
      breakers,
      retries,
      explainRefusedKey,
      call,
      leader: operation,
      onLanding: () => {
        if (ofTenant.get(target)?.flight === flight) ofTenant.delete(target);
        if (ofTenant.size === 0 && flights.get(tenant) === ofTenant) flights.delete(tenant);
      },
    });
    flights.set(tenant, ofTenant.set(target, { flight, route }));
    return flight.join(operation);
  };

  /** @param hasFallback - A refused caller is served something kept, and will not come back for its turn. */
  const call = async (asked: Call<unknown>, operation: Operation, hasFallback: boolean): Promise<Answer> => {
    const { route } = asked;
    const other = underWay(asked, operation);
    // What was sent before the client asked may be from before what it wants to see.
    if (other && !(operation.directives.noCache && other.flight.isSent())) {
      operation.meter.cost.coalesced++;
      return other.flight.join(operation);
    }
    if (operation.ended.aborted) throw toEnded(route, operation);
    if (operation.meter.askedCalls >= operation.maxCalls) {
      const turnAtMs = () =>
        operation.caller.keyBudget.current.expectedTurnAtMs(route.routeClass, operation.share, asked.target);
      throw operation.refusals.cutOff(route, turnAtMs, operation.maxCalls);
    }
    // Asked for is asked for, also when it is refused.
    operation.meter.askedCalls++;
    const refusal = refuse(asked, operation, !hasFallback);
    if (refusal) throw refusal;
    return fly(asked, operation);
  };

  const refreshes = createRefreshes({
    cache,
    clock,
    async refresh(asked, operation) {
      if (underWay(asked, operation) || refuse(asked, operation, false)) return;
      // A failure is nobody's: breakers, budget and cache have learned from it, and whoever asks next learns of it.
      await fly(asked, operation).catch(() => undefined);
    },
  });

  /** Gives an answer to an operation, if there is memory for it to hold it. */
  const give = (
    { value, bytes }: Answer,
    { route, target }: Call<unknown>,
    { holdings, meter }: Operation,
  ): unknown => {
    const refused = holdings.take(value, bytes);
    if (refused === 'operation') throw toTooMuchHeld(route, holdings.maxBytes);
    if (refused === 'server') throw toBusy(route, clock);
    meter.given.add(target);
    return value;
  };

  const take = (kept: KeptAnswer, asked: Call<unknown>, operation: Operation): unknown => {
    operation.meter.cost.cached++;
    operation.meter.given.add(asked.target);
    if ('failure' in kept.outcome) throw toError(kept.outcome.failure);
    const { value } = kept.outcome;
    operation.meter.ages.add(value, kept.ageMs, !freshness.isFresh(kept));
    return give({ value, bytes: kept.bytes }, asked, operation);
  };

  const makeNow = async (asked: Call<unknown>, operation: Operation, isAdmitted = false): Promise<unknown> => {
    const { caller, directives, holdings } = operation;
    const { tenant } = caller;
    // What else it asked for could not be held either, and would be paid for in vain.
    if (holdings.isOver()) throw toTooMuchHeld(asked.route, holdings.maxBytes);
    const kept = cache.get(tenant, asked.target);
    const verdict = kept ? freshness.judge(kept, directives) : 'call';
    if (kept && verdict !== 'call') {
      if (verdict === 'serveAndRefresh') refreshes.add(asked, operation.caller);
      return take(kept, asked, operation);
    }
    if (directives.onlyIfCached) throw toNotCached(asked.route);
    // Whoever waits for what the first call of a key finds out has its answer from the cache, if that was the call it wants.
    if (!apiKeys.isAccepted(tenant) && !underWay(asked, operation) && !isAdmitted) {
      return apiKeys.admit(operation, asked.route, () => makeNow(asked, operation, true));
    }
    const isFallback = kept !== undefined && freshness.servesOnError(kept, directives);
    try {
      return give(await call(asked, operation, isFallback), asked, operation);
    } catch (error) {
      if (!isFallback || !(error instanceof UpstreamError) || !KEPT_IS_BETTER.has(error.kind)) throw error;
      // A refused key has lost it in the meantime.
      const keptStill = cache.get(tenant, asked.target);
      if (!keptStill || !freshness.servesOnError(keptStill, directives)) throw error;
      return take(keptStill, asked, operation);
    }
  };

  const keptOutcome = (
    { target }: Call<unknown>,
    { caller: { tenant }, directives }: Operation,
  ): Outcome | undefined => {
    const kept = cache.get(tenant, target);
    return kept && freshness.judge(kept, directives) !== 'call' ? kept.outcome : undefined;
  };

  return {
    apiKeys,
    circuitBreakers: breakers,

    make<T>(asked: Call<T>, operation: Operation): Promise<T> {
      operation.repeats.need(asked.route.routeClass, cache.renews && asked.updatedAtOf !== undefined);
      const make = () => makeNow(asked, operation) as Promise<T>;
      const { pace } = operation;
      // What is kept, and what somebody else has called, is no step of the operation's own.
      const isOwn = pace && !underWay(asked, operation) && !keptOutcome(asked, operation);
      return operation.meter.unanswered.during(isOwn ? pace.run(make) : make());
    },

    kept: keptOutcome,

    lastOutcome: ({ target }, { caller: { tenant } }) => cache.get(tenant, target)?.outcome,

    sizesOf: ({ caller: { tenant } }) => learnedSizes.of(tenant),

    fairShareOf: ({ caller: { tenant } }) => (apiKeys.isAccepted(tenant) ? tenant : NOT_ACCEPTED),

    holdOver({ caller: { tenant }, meter, deadlineMs, openedAtMs }, untilMs) {
      // It asks for some of it late in its own time.
      cache.holdOver(tenant, meter.given, untilMs + (deadlineMs - openedAtMs) + GRACE_MS);
    },

    keepsAny: ({ caller: { tenant }, directives }) => !directives.noCache && cache.hasAny(tenant),

    isRenewable(asked, { caller: { tenant }, directives }) {
      if (directives.noCache || directives.onlyIfCached) return false;
      const kept = cache.get(tenant, asked.target);
      return kept !== undefined && kept.isRenewable && freshness.judge(kept, directives) === 'call';
    },
  };
}
