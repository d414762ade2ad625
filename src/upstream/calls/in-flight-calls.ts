import { createLearnedSizes } from '../postman/list-sizes.ts';
import type { AnswerCache } from '../cache/response-cache.ts';
import { createApiKeys } from './api-keys/api-keys.ts';
import { createCircuitBreakers, type OutageScope } from './circuit-breakers.ts';
import type { Call, Route } from '../postman/call.ts';
import type { Clock } from '../clock.ts';
import type { CallServices } from './send-call.ts';
import type { HttpClient } from '../http/http-client.ts';
import { InFlightCall } from './in-flight-call.ts';
import type { Answer } from '../cache/cached-response.ts';
import type { Operation } from './operation/operation.ts';
import type { ExplainRefusedKey } from './api-keys/refused-keys.ts';
import { toEnded, toMonthSpent, toOutage, toUnreachable } from './local-errors.ts';
import { createRetryBudget } from './retry-budget.ts';
import type { UpstreamError } from '../http/upstream-error.ts';

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

/** The calls that are in flight, of all tenants. */
export interface InFlightCalls {
  /** What they share, and learn together. */
  readonly services: CallServices;
  /** Whether a call for the same is in flight for the operation's tenant. */
  has(call: Call<unknown>, operation: Operation): boolean;
  /**
   * Joins the call for the same that is in flight, or starts one.
   *
   * @param reservesSlot - A call that is refused for want of budget has its slot reserved until the time that is named.
   * @throws {UpstreamError} At once, where the call cannot be made in time, or not at all.
   */
  make(call: Call<unknown>, operation: Operation, reservesSlot: boolean): Promise<Answer>;
  /** Starts a call that nobody waits for, if one can be made now and none is in flight. Never rejects. */
  revalidate(call: Call<unknown>, operation: Operation): Promise<void>;
}

/** Makes the registry of calls in flight: there are none. */
export function createInFlightCalls({ isTrusted, onOutage, random, ...options }: CallsOptions): InFlightCalls {
  const { clock, explainRefusedKey = (thrown) => thrown } = options;
  // By tenant, then by target.
  const inFlight = new Map<string, Map<string, InFlightCall>>();

  const cancelAll = (tenant: string, toError: (call: Call<unknown>) => UpstreamError) => {
    for (const one of [...(inFlight.get(tenant)?.values() ?? [])]) one.cancel(toError(one.call));
  };

  const breakers = createCircuitBreakers(clock, (isOpen, tenant) => {
    onOutage(isOpen, tenant === undefined ? 'everybody' : 'tenant');
    if (!isOpen) return;
    for (const one of tenant === undefined ? [...inFlight.keys()] : [tenant]) {
      cancelAll(one, ({ route, target }) => toRefused(route, one, breakers.refuse(one, target) ?? clock.nowMs()));
    }
  });

  /** The refusal of a call by an open circuit breaker, until the next probe (monotonic ms). */
  const toRefused = (route: Route, tenant: string, probeAtMs: number) => {
    const reason = breakers.unreachable(tenant);
    return reason === undefined ? toOutage(route, probeAtMs) : toUnreachable(route, reason);
  };

  const services: CallServices = {
    ...options,
    explainRefusedKey,
    breakers,
    learnedSizes: createLearnedSizes(),
    retryBudget: createRetryBudget(random),
    apiKeys: createApiKeys({ clock, isTrusted, onRefused: (tenant, error) => cancelAll(tenant, () => error) }),
  };

  const find = ({ target }: Call<unknown>, { caller }: Operation) => inFlight.get(caller.tenant)?.get(target);

  /** Why a call cannot be made now, whatever else is in flight. */
  const refuse = ({ route, target }: Call<unknown>, operation: Operation, reservesSlot: boolean) => {
    const { caller, share, deadlineMs, refusals } = operation;
    const budget = caller.keyBudget.current;
    if (budget.slots.view.isMonthSpent()) return toMonthSpent(route);
    const turnAtMs = budget.expectedTurnAtMs(route.routeClass, share, target);
    if (turnAtMs > deadlineMs || budget.view.isFull()) {
      const reserve = () => budget.promiseTurnAtMs(route.routeClass, share, target);
      return refusals.late(route, turnAtMs, reservesSlot ? reserve : () => turnAtMs);
    }
    const probeAtMs = breakers.refuse(caller.tenant, target);
    return probeAtMs === undefined ? undefined : toRefused(route, caller.tenant, probeAtMs);
  };

  const start = (call: Call<unknown>, operation: Operation): Promise<Answer> => {
    const { tenant } = operation.caller;
    const ofTenant = inFlight.get(tenant) ?? new Map<string, InFlightCall>();
    const started = new InFlightCall(services, call, operation, () => {
      if (ofTenant.get(call.target) === started) ofTenant.delete(call.target);
      if (ofTenant.size === 0 && inFlight.get(tenant) === ofTenant) inFlight.delete(tenant);
    });
    inFlight.set(tenant, ofTenant.set(call.target, started));
    return started.join(operation);
  };

  return {
    services,

    has: (call, operation) => find(call, operation) !== undefined,

    async make(call, operation, reservesSlot) {
      const { route, target } = call;
      const { caller, share, deadlineMs, meter, maxCalls, refusals } = operation;
      if (!find(call, operation)) {
        const claimed = caller.keyBudget.current.claimReserved(route.routeClass, share, target, deadlineMs);
        if (claimed) await claimed;
      }
      const other = find(call, operation);
      // What was sent before the client asked may be from before what it wants to see.
      if (other && !(operation.directives.noCache && other.isSent())) {
        meter.cost.coalesced++;
        return other.join(operation);
      }
      if (operation.ended.aborted) throw toEnded(route, operation);
      if (meter.askedCalls >= maxCalls) {
        const turnAtMs = () => caller.keyBudget.current.expectedTurnAtMs(route.routeClass, share, target);
        throw refusals.cutOff(route, turnAtMs, maxCalls);
      }
      // Asked for is asked for, also when it is refused.
      meter.askedCalls++;
      const refusal = refuse(call, operation, reservesSlot);
      if (refusal) throw refusal;
      return start(call, operation);
    },

    async revalidate(call, operation) {
      if (find(call, operation) || refuse(call, operation, false)) return;
      // A failure is nobody's: breakers, budget and cache have learned from it, and whoever asks next learns of it.
      await start(call, operation).catch(() => undefined);
    },
  };
}
