import { createLearnedSizes } from '../postman/list-sizes.ts';
import type { ResponseCache } from '../cache/response-cache.ts';
import { createApiKeys } from './api-keys/api-keys.ts';
import { createCircuitBreakers, type OutageScope } from './circuit-breakers.ts';
import type { Call, Route } from '../postman/call.ts';
import type { Clock } from '../clock.ts';
import type { CallServices } from './send-call.ts';
import type { HttpClient } from '../http/http-client.ts';
import { InFlightCall } from './in-flight-call.ts';
import type { ReceivedResponse } from '../cache/cached-response.ts';
import type { Operation } from './operation/operation.ts';
import type { ExplainRefusedKey } from './api-keys/refused-keys.ts';
import { toEnded, toQuotaExhausted, toOutage, toUnreachable } from './local-errors.ts';
import { createRetryBudget } from './retry-budget.ts';
import type { UpstreamError } from '../http/upstream-error.ts';

/** What the call layer is made with; one per origin. */
export interface CallsOptions {
  readonly http: HttpClient;
  readonly cache: ResponseCache;
  readonly clock: Clock;
  /** A number from 0 to below 1, for jitter. */
  readonly random: () => number;
  /** Whether the server itself was started with a tenant's key. */
  readonly isTrusted: (keyHash: string) => boolean;
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
  make(call: Call<unknown>, operation: Operation, reservesSlot: boolean): Promise<ReceivedResponse>;
  /** Starts a call that nobody waits for, if one can be made now and none is in flight. Never rejects. */
  revalidate(call: Call<unknown>, operation: Operation): Promise<void>;
}

/** Makes the registry of calls in flight: there are none. */
export function createInFlightCalls({ isTrusted, onOutage, random, ...options }: CallsOptions): InFlightCalls {
  const { clock, explainRefusedKey = (thrown) => thrown } = options;
  // By tenant, then by target.
  const inFlight = new Map<string, Map<string, InFlightCall>>();

  const cancelAll = (keyHash: string, toError: (call: Call<unknown>) => UpstreamError) => {
    for (const one of [...(inFlight.get(keyHash)?.values() ?? [])]) one.cancel(toError(one.call));
  };

  const breakers = createCircuitBreakers(clock, (isOpen, keyHash) => {
    onOutage(isOpen, keyHash === undefined ? 'everybody' : 'tenant');
    if (!isOpen) return;
    for (const one of keyHash === undefined ? [...inFlight.keys()] : [keyHash]) {
      cancelAll(one, ({ route, target }) => toRefused(route, one, breakers.refuse(one, target) ?? clock.nowMs()));
    }
  });

  /** The refusal of a call by an open circuit breaker, until the next probe (monotonic ms). */
  const toRefused = (route: Route, keyHash: string, probeAtMs: number) => {
    const reason = breakers.unreachable(keyHash);
    return reason === undefined ? toOutage(route, probeAtMs) : toUnreachable(route, reason);
  };

  const services: CallServices = {
    ...options,
    explainRefusedKey,
    breakers,
    learnedSizes: createLearnedSizes(),
    retryBudget: createRetryBudget(random),
    apiKeys: createApiKeys({ clock, isTrusted, onRefused: (keyHash, error) => cancelAll(keyHash, () => error) }),
  };

  const find = ({ target }: Call<unknown>, { caller }: Operation) => inFlight.get(caller.keyHash)?.get(target);

  /** Why a call cannot be made now, whatever else is in flight. */
  const refuse = ({ route, target }: Call<unknown>, operation: Operation, reservesSlot: boolean) => {
    const { caller, fairShare, deadlineMs, refusals } = operation;
    const budget = caller.keyBudget.current;
    if (budget.slots.view.isMonthlyQuotaExhausted()) return toQuotaExhausted(route);
    const slotAtMs = budget.expectedSlotAtMs(route.routeClass, fairShare, target);
    if (slotAtMs > deadlineMs || budget.view.isFull()) {
      const reserve = () => budget.reserveSlotAtMs(route.routeClass, fairShare, target);
      return refusals.ofUnqueued(route, slotAtMs, reservesSlot ? reserve : () => slotAtMs);
    }
    const probeAtMs = breakers.refuse(caller.keyHash, target);
    return probeAtMs === undefined ? undefined : toRefused(route, caller.keyHash, probeAtMs);
  };

  const start = (call: Call<unknown>, operation: Operation): Promise<ReceivedResponse> => {
    const { keyHash } = operation.caller;
    const callsOfKey = inFlight.get(keyHash) ?? new Map<string, InFlightCall>();
    const started = new InFlightCall(services, call, operation, () => {
      if (callsOfKey.get(call.target) === started) callsOfKey.delete(call.target);
      if (callsOfKey.size === 0 && inFlight.get(keyHash) === callsOfKey) inFlight.delete(keyHash);
    });
    inFlight.set(keyHash, callsOfKey.set(call.target, started));
    return started.join(operation);
  };

  return {
    services,

    has: (call, operation) => find(call, operation) !== undefined,

    async make(call, operation, reservesSlot) {
      const { route, target } = call;
      const { caller, fairShare, deadlineMs, meter, maxCalls, refusals } = operation;
      if (!find(call, operation)) {
        const redeeming = caller.keyBudget.current.redeemReservation(route.routeClass, fairShare, target, deadlineMs);
        if (redeeming) await redeeming;
      }
      const other = find(call, operation);
      // What was sent before the client asked may be from before what it wants to see.
      if (other && !(operation.directives.noCache && other.isSent())) {
        meter.cost.coalesced++;
        return other.join(operation);
      }
      if (operation.ended.aborted) throw toEnded(route, operation);
      if (meter.requestedCalls >= maxCalls) {
        const slotAtMs = () => caller.keyBudget.current.expectedSlotAtMs(route.routeClass, fairShare, target);
        throw refusals.callLimitReached(route, slotAtMs, maxCalls);
      }
      // Asked for is asked for, also when it is refused.
      meter.requestedCalls++;
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
