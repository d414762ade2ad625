import type { LearnedSizes } from '../postman/list-sizes.ts';
import type { ResponseCache } from '../cache/response-cache.ts';
import type { CallsElsewhere } from './cached-reads/calls-elsewhere.ts';
import type { CachedReads } from './cached-reads/cached-reads.ts';
import type { ApiKeys } from './api-keys/api-keys.ts';
import type { CircuitBreakers } from './circuit-breakers.ts';
import type { Call } from '../postman/call.ts';
import { type Clock, readInstant } from '../clock.ts';
import type { HttpClient } from '../http/http-client.ts';
import type { ReceivedResponse } from '../cache/cached-response.ts';
import type { Caller, Operation } from './operation/operation.ts';
import { parseResponse } from './parse-response.ts';
import type { QueuedCall } from '../rate-limiter/queue/queued-call.ts';
import type { ExplainRefusedKey } from './api-keys/refused-keys.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { LimitChanges } from './limit-changes.ts';
import type { UpstreamObserver } from '../observer.ts';
import { parseThrottleHeaders, type ThrottleHeaders } from '../http/retry-after.ts';
import { toFailure, UpstreamError } from '../http/upstream-error.ts';

/** The services that all calls to one origin share. */
export interface CallServices {
  readonly http: HttpClient;
  readonly cache: ResponseCache;
  readonly cachedReads: CachedReads;
  /** Absent: calls are not shared with other instances. */
  readonly callsElsewhere?: CallsElsewhere | undefined;
  readonly learnedSizes: LearnedSizes;
  readonly clock: Clock;
  readonly apiKeys: ApiKeys;
  readonly breakers: CircuitBreakers;
  readonly retryBudget: RetryBudget;
  readonly explainRefusedKey: ExplainRefusedKey;
  readonly observer: UpstreamObserver;
  readonly limitChanges: LimitChanges;
}

// A wrong Retry-After of hours must not stop all calls for as long.
const MAX_PAUSE_MS = 300_000;

/**
 * Sends a call once for an operation, and reports the outcome to the cache, the API keys, the circuit breakers, the
 * retry budget and the learned sizes. The slot is settled last, because settling sends the next queued call.
 *
 * @param slot - An admitted call of the queue.
 * @throws {UpstreamError} of every kind that comes from upstream; and every other error of the call's `parse`.
 */
export async function sendCall(
  services: CallServices,
  call: Call<unknown>,
  { caller, meter, firstRowScheduler }: Operation,
  slot: QueuedCall,
): Promise<ReceivedResponse> {
  const { http, clock, explainRefusedKey } = services;
  const { keyHash, apiKey } = caller;
  const sentAtMs = clock.nowMs();
  meter.cost.calls++;
  firstRowScheduler?.sent();
  let throttle: ThrottleHeaders | undefined;
  try {
    const response = await http.get(call.target, call.route.template, apiKey, keyHash);
    try {
      const { atMs: receivedAtMs, epochMs } = readInstant(clock);
      throttle = parseThrottleHeaders(response.headers, epochMs);
      const value = await parseResponse(response, call, { throttle, receivedAtMs, secret: apiKey.reveal() });
      const { text, heapBytes: bytes } = response;
      learnFromResponse(services, call, caller, { value, bytes, text }, sentAtMs);
      settle(services, caller, () => slot.settle(throttle?.rateLimit));
      return { value, bytes };
    } finally {
      response.release();
    }
  } catch (thrown) {
    const error = explainRefusedKey(thrown, apiKey);
    const refusedUntilMs =
      error instanceof UpstreamError ? learnFromFailure(services, call, caller, error, sentAtMs) : undefined;
    if (error instanceof UpstreamError && error.isConnectFailure) {
      meter.cost.calls--;
      slot.giveBack();
    } else settle(services, caller, () => slot.settle(throttle?.rateLimit, refusedUntilMs));
    throw error;
  }
}

/** Milliseconds from now until the error's retry time; 0 if it has none. */
export const toRetryWaitMs = ({ retryAtMs = 0 }: UpstreamError, clock: Clock) => Math.max(0, retryAtMs - clock.nowMs());

/** Settles the slot of a call, and reports the limits that this has changed. */
function settle({ limitChanges }: CallServices, { keyHash, keyBudget }: Caller, settleSlot: () => void): void {
  const { slots } = keyBudget.current;
  limitChanges.remember(slots);
  settleSlot();
  limitChanges.report(slots, keyHash);
}

function learnFromResponse(
  services: CallServices,
  call: Call<unknown>,
  caller: Caller,
  { value, bytes, text }: ReceivedResponse & { readonly text: string },
  sentAtMs: number,
): void {
  const { cachedReads, learnedSizes } = services;
  const { keyHash } = caller;
  recordResponded(services, keyHash);
  services.apiKeys.accept(keyHash);
  const updatedAt = call.updatedAtOf?.(value) ?? null;
  const stored = cachedReads.store(call, caller, { value, text, bytes, updatedAt, sentAtMs });
  services.callsElsewhere?.storing(call, caller, stored, text.length);
  if (call.listedUpdates) cachedReads.renew(caller, call.listedUpdates(value));
  const sizes = call.sizes?.(value);
  if (sizes) learnedSizes.learn(keyHash, sizes, sentAtMs);
}

/** Upstream has responded, with whatever status. */
function recordResponded({ breakers, retryBudget }: CallServices, keyHash: string): void {
  breakers.succeeded(keyHash);
  retryBudget.earn(keyHash);
}

/** @returns When the key may send calls again (monotonic ms); undefined: the failure pauses nothing. */
function learnFromFailure(
  services: CallServices,
  call: Call<unknown>,
  caller: Caller,
  error: UpstreamError,
  sentAtMs: number,
): number | undefined {
  const { route, target, forbiddenTtlMs } = call;
  const { keyHash, keyBudget } = caller;
  const { cachedReads, learnedSizes, clock, apiKeys, breakers } = services;
  const { kind, message, isConnectFailure = false } = error;
  if (kind === 'unavailable' || kind === 'unreachable' || kind === 'serverError' || kind === 'timeout') {
    const failure = { route: route.template, key: target, isConnectFailure, isTimeout: kind === 'timeout' };
    breakers.failed(keyHash, { ...failure, ...(kind === 'unreachable' && { unreachable: message }) });
    return undefined;
  }
  recordResponded(services, keyHash);
  switch (kind) {
    case 'rateLimited':
      return clock.nowMs() + Math.min(MAX_PAUSE_MS, toRetryWaitMs(error, clock));
    case 'unauthenticated':
      cachedReads.dropKey(caller);
      learnedSizes.dropKey(keyHash, clock.nowMs());
      apiKeys.refuse(keyHash, error);
      break;
    case 'quotaExhausted':
      // Other names mean the quota of a single feature. Headers about the monthly quota are read with every response.
      if (error.upstreamName?.toLowerCase() === 'servicelimitexhausted') keyBudget.current.slots.exhaustMonthlyQuota();
      apiKeys.accept(keyHash);
      break;
    case 'forbidden':
    case 'notFound':
    case 'badInput': {
      apiKeys.accept(keyHash);
      // The refusal replaces the cached response, so that data the key may no longer read is not served.
      const failureTtlMs = kind === 'forbidden' ? forbiddenTtlMs : undefined;
      const stored = cachedReads.store(call, caller, {
        failure: toFailure(error),
        bytes: message.length,
        updatedAt: null,
        sentAtMs,
        subjects: () => call.subjects?.(undefined) ?? [],
        ...(failureTtlMs !== undefined && { failureTtlMs }),
      });
      services.callsElsewhere?.storing(call, caller, stored, message.length);
      break;
    }
    default:
  }
  return undefined;
}
