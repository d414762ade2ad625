import type { AnswerCache } from './answer-cache.ts';
import { createBreaker } from './breaker.ts';
import type { Clock } from './clock.ts';
import { type Flight, startFlight } from './flight.ts';
import type { HttpClient } from './http.ts';
import type { Operation } from './operation.ts';
import { toMonthSpent, toOutage, toRefusal, toTimeout, toTooExpensive } from './refusals.ts';
import { createRetries } from './retries.ts';
import type { RouteClass } from './share.ts';
import type { UpstreamError } from './upstream-error.ts';

/** A route of the Postman API. */
export interface Route {
  /** For example `/collections/{uid}`. */
  readonly template: string;
  readonly routeClass: RouteClass;
}

/** One GET to be made, and how its body is read. Equal targets are equal calls. */
export interface Call<T> {
  readonly route: Route;
  /** Path and query, encoded. */
  readonly target: string;
  /** @throws {UnexpectedShapeError} for a body that is not what the route answers with. */
  readonly parse: (body: unknown) => T;
}

/** Makes calls: from the cache, with somebody else's call under way, or inside the key's budget. */
export interface Calls {
  /**
   * @throws {UpstreamError} of every kind. `rateLimited` by the facade comes at once when the call's turn lies behind the operation's deadline,
   *   `unavailable` at once while upstream counts as down, `quotaExhausted` at once while the month's allowance is known to be used up.
   */
  make<T>(call: Call<T>, operation: Operation): Promise<T>;
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

/** Makes the one place through which every GET goes. */
export function createCalls({ http, cache, clock, random, onOutage }: CallsOptions): Calls {
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

  /** Why a call cannot be made now, whatever else is under way. */
  const refuse = (
    key: string,
    { route, target }: Call<unknown>,
    { budget, share, deadlineMs }: Operation,
  ): UpstreamError | undefined => {
    if (budget.isMonthSpent()) return toMonthSpent(route);
    const turnAtMs = budget.expectedTurnAtMs(route.routeClass, share, target);
    if (turnAtMs > deadlineMs || budget.isFull()) {
      return toRefusal(route, budget.promiseTurnAtMs(route.routeClass, share, target), clock);
    }
    const probeAtMs = breaker.refuse(key);
    return probeAtMs === undefined ? undefined : toOutage(route, probeAtMs, clock);
  };

  return {
    async make<T>(call: Call<T>, operation: Operation): Promise<T> {
      const { tenant } = operation;
      const { route, target } = call;
      const kept = cache.get(tenant, target);
      if (kept) {
        operation.cost.cached++;
        return kept.value as T;
      }
      const key = `${tenant} ${target}`;
      const underWay = flights.get(key);
      if (underWay) {
        operation.cost.coalesced++;
        return (await underWay.flight.join(operation)) as T;
      }
      if (operation.ended.aborted) throw toTimeout(route, operation.ended, clock);
      if (operation.askedCalls >= operation.maxCalls) {
        throw toTooExpensive(route, operation.askedCalls, operation.maxCalls);
      }
      // Asked for is asked for, also when it is refused: past the ceiling no waiting helps, and the client has to learn that.
      operation.askedCalls++;
      const refusal = refuse(key, call, operation);
      if (refusal) throw refusal;
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
      return (await flight.join(operation)) as T;
    },
  };
}
