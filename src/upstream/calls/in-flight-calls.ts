import { createLearnedSizes } from '../postman/list-sizes.ts';
import type { ResponseCache } from '../cache/response-cache.ts';
import { type CallsElsewhere, createCallsElsewhere } from './cached-reads/calls-elsewhere.ts';
import type { CallLocks } from '../shared-cache/locks/call-locks.ts';
import { type CachedReadsOptions, type CachedReads, createCachedReads } from './cached-reads/cached-reads.ts';
import { createApiKeys } from './api-keys/api-keys.ts';
import { type CircuitBreakers, createCircuitBreakers } from './circuit-breakers.ts';
import type { Call, Route } from '../postman/call.ts';
import type { Clock } from '../clock.ts';
import type { CallServices } from './send-call.ts';
import type { HttpClient } from '../http/http-client.ts';
import { InFlightCall } from './in-flight-call.ts';
import type { ReceivedResponse } from '../cache/cached-response.ts';
import type { Operation } from './operation/operation.ts';
import type { ExplainRefusedKey } from './api-keys/refused-keys.ts';
import { toEnded, toQuotaExhausted, toOutage, toUnreachable } from './local-errors.ts';
import { createLimitChanges } from './limit-changes.ts';
import { createRetryBudget } from './retry-budget.ts';
import { type RefusalReason, silentObserver, type UpstreamObserver } from '../observer.ts';
import type { UpstreamError } from '../http/upstream-error.ts';

/** What the calls of one origin are made with. */
export interface CallsOptions {
  readonly http: HttpClient;
  readonly cache: ResponseCache;
  /** Absent: each instance has its own cached responses. */
  readonly sharedCache?: CachedReadsOptions['sharedCache'];
  /** Which instance makes which call. Absent: calls are not shared. */
  readonly locks?: CallLocks | undefined;
  /** Runs work on a body that another instance has read. Default: at once. */
  readonly runTask?: CachedReadsOptions['runTask'];
  readonly clock: Clock;
  /** A number from 0 to below 1, for jitter. */
  readonly random: () => number;
  /** Whether the server itself was started with the key of this hash. */
  readonly isTrusted: (keyHash: string) => boolean;
  /** Default: nothing is observed. */
  readonly observer?: UpstreamObserver;
  /** Adds advice to the error of a rejected key. Default: the error stays as upstream gave it. */
  readonly explainRefusedKey?: ExplainRefusedKey;
}

/** The calls in flight, of all API keys. */
export interface InFlightCalls {
  /** The services that all calls use and report to. */
  readonly services: CallServices;
  /** Whether an equal call is in flight with the operation's key. */
  has(call: Call<unknown>, operation: Operation): boolean;
  /**
   * Joins an equal call in flight, or starts one.
   *
   * @param reservesSlot - If the budget has no slot in time, reserve one for the time that the error names.
   * @throws {UpstreamError} At once if the call cannot be sent before the deadline, or not at all.
   */
  make(call: Call<unknown>, operation: Operation, reservesSlot: boolean): Promise<ReceivedResponse>;
  /** Resolves when the equal call in flight has settled; undefined: there is none. */
  settled(call: Call<unknown>, operation: Operation): Promise<void> | undefined;
  /** Starts a background call, unless an equal one is in flight or none can be sent now. Never rejects. */
  revalidate(call: Call<unknown>, operation: Operation): Promise<void>;
}

const DEFAULTS = { explainRefusedKey: (thrown: unknown) => thrown, observer: silentObserver };

/** Makes the registry of calls in flight, empty, and the services that they share. */
export function createInFlightCalls({ isTrusted, random, locks, ...given }: CallsOptions): InFlightCalls {
  const options = { ...DEFAULTS, ...given };
  const { clock, observer } = options;
  // By key hash, then by target.
  const inFlight = new Map<string, Map<string, InFlightCall>>();

  const cancelAll = (keyHash: string, toError: (call: Call<unknown>) => UpstreamError) => {
    for (const inFlightCall of [...(inFlight.get(keyHash)?.values() ?? [])])
      inFlightCall.cancel(toError(inFlightCall.call));
  };

  const breakers = createCircuitBreakers(clock, (isOpen, onlyKeyHash) => {
    observer.onCircuitChange(isOpen, onlyKeyHash);
    if (!isOpen) return;
    for (const keyHash of onlyKeyHash === undefined ? [...inFlight.keys()] : [onlyKeyHash]) {
      cancelAll(keyHash, ({ route, target }) =>
        toRefused(breakers, route, keyHash, breakers.refuse(keyHash, target) ?? clock.nowMs()),
      );
    }
  });

  const learnedSizes = createLearnedSizes();
  const cachedReads = createCachedReads({ ...options, learnedSizes });
  const services: CallServices = {
    ...options,
    cachedReads,
    callsElsewhere: locks && openCallsElsewhere(locks, cachedReads, options),
    limitChanges: createLimitChanges(observer),
    breakers,
    learnedSizes,
    retryBudget: createRetryBudget(random),
    apiKeys: createApiKeys({
      clock,
      isTrusted,
      observer,
      onRefused: (keyHash, error) => cancelAll(keyHash, () => error),
    }),
  };

  const find = ({ target }: Call<unknown>, { caller }: Operation) => inFlight.get(caller.keyHash)?.get(target);

  const start = (call: Call<unknown>, operation: Operation, slotAtMs: number): Promise<ReceivedResponse> =>
    startIn(inFlight, services, call, operation, slotAtMs).join(operation);

  return {
    services,

    has: (call, operation) => find(call, operation) !== undefined,

    settled: (call, operation) => find(call, operation)?.settled,

    async make(call, operation, reservesSlot) {
      const { route, target } = call;
      const { caller, fairShare, deadlineMs, meter, maxCalls, refusals } = operation;
      if (!find(call, operation)) {
        const redeeming = caller.keyBudget.current.redeemReservation(route.routeClass, fairShare, target, deadlineMs);
        if (redeeming) await redeeming;
      }
      const other = find(call, operation);
      // A call that is already sent may return data from before the client's request: too old with no-cache.
      if (other && !(operation.directives.noCache && other.isSent())) {
        meter.cost.coalesced++;
        observer.onRead('coalesced');
        return other.join(operation);
      }
      if (operation.ended.aborted) throw toEnded(route, operation);
      if (meter.requestedCalls >= maxCalls) {
        observer.onRefused('call_limit');
        throw refusals.callLimitReached(route, () => toSlotAtMs(call, operation), maxCalls);
      }
      // Refused calls count too, so that the limit bounds the work of an operation.
      meter.requestedCalls++;
      const slotAtMs = toSlotAtMs(call, operation);
      const refusal = refuse(breakers, call, operation, slotAtMs, reservesSlot);
      if (refusal) {
        observer.onRefused(refusal.reason);
        throw refusal.error;
      }
      observer.onRead('miss');
      return start(call, operation, slotAtMs);
    },

    async revalidate(call, operation) {
      const slotAtMs = toSlotAtMs(call, operation);
      if (find(call, operation) || refuse(breakers, call, operation, slotAtMs, false))
        return observer.onRevalidated('skipped');
      // No client waits for the failure. Breakers, budget and cache have learned from it already.
      await start(call, operation, slotAtMs).then(
        () => observer.onRevalidated('succeeded'),
        () => observer.onRevalidated('failed'),
      );
    },
  };
}

/** Starts a call, and removes it from the calls in flight once it has settled. */
function startIn(
  inFlight: Map<string, Map<string, InFlightCall>>,
  services: CallServices,
  call: Call<unknown>,
  operation: Operation,
  slotAtMs: number,
): InFlightCall {
  const { keyHash } = operation.caller;
  const callsOfKey = inFlight.get(keyHash) ?? new Map<string, InFlightCall>();
  const onSettled = () => {
    if (callsOfKey.get(call.target) === started) callsOfKey.delete(call.target);
    if (callsOfKey.size === 0 && inFlight.get(keyHash) === callsOfKey) inFlight.delete(keyHash);
  };
  const started = new InFlightCall({ services, call, initiator: operation, slotAtMs, onSettled });
  inFlight.set(keyHash, callsOfKey.set(call.target, started));
  return started;
}

function openCallsElsewhere(
  locks: CallLocks,
  cachedReads: CachedReads,
  { sharedCache, cache, clock }: Pick<CallsOptions, 'sharedCache' | 'cache' | 'clock'>,
): CallsElsewhere {
  return createCallsElsewhere({
    locks,
    clock,
    isStoring: () => sharedCache?.isStoring() ?? false,
    load: (call, { caller }) => cachedReads.load(call, caller),
    isServed(call, { caller, directives }) {
      const cached = cachedReads.find(call, caller);
      return cached !== undefined && cache.freshness.judge(cached, directives) !== 'call';
    },
  });
}

/** The error of a call that an open circuit breaker refuses until `probeAtMs`, the time of the next probe. */
function toRefused(breakers: CircuitBreakers, route: Route, keyHash: string, probeAtMs: number): UpstreamError {
  const reason = breakers.unreachable(keyHash);
  return reason === undefined ? toOutage(route, probeAtMs) : toUnreachable(route, reason);
}

/** When a call requested now would get its slot (monotonic ms). */
function toSlotAtMs({ route, target }: Call<unknown>, { caller, fairShare }: Operation): number {
  return caller.keyBudget.current.expectedSlotAtMs(route.routeClass, fairShare, target);
}

/** Why a new call may not be sent or queued now, and its error; undefined: it may. */
function refuse(
  breakers: CircuitBreakers,
  { route, target }: Call<unknown>,
  { caller, fairShare, deadlineMs, refusals }: Operation,
  slotAtMs: number,
  reservesSlot: boolean,
): { readonly reason: RefusalReason; readonly error: UpstreamError } | undefined {
  const budget = caller.keyBudget.current;
  if (budget.slots.view.isMonthlyQuotaExhausted()) return { reason: 'month', error: toQuotaExhausted(route) };
  if (slotAtMs > deadlineMs || budget.view.isFull()) {
    const reserve = () => budget.reserveSlotAtMs(route.routeClass, fairShare, target);
    const error = refusals.ofUnqueued(route, slotAtMs, reservesSlot ? reserve : () => slotAtMs);
    return { reason: slotAtMs > deadlineMs ? 'deadline' : 'full', error };
  }
  const probeAtMs = breakers.refuse(caller.keyHash, target);
  if (probeAtMs === undefined) return undefined;
  return { reason: 'breaker', error: toRefused(breakers, route, caller.keyHash, probeAtMs) };
}
