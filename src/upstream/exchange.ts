import type { LearnedSizes } from './account-sizes.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { ApiKeys } from './api-keys.ts';
import type { CircuitBreakers } from './circuit-breakers.ts';
import type { Call } from './call.ts';
import { type Clock, readInstant } from './clock.ts';
import type { HttpClient } from './http.ts';
import type { Answer } from './kept-answer.ts';
import type { Caller } from './operation.ts';
import { parseResponse } from './parse-response.ts';
import type { AnnouncedRateLimit } from './rate-limit-headers.ts';
import type { ExplainRefusedKey } from './refused-keys.ts';
import type { RetryBudget } from './retry-budget.ts';
import { parseThrottleHeaders, type ThrottleHeaders } from './retry-after.ts';
import { toFailure, UpstreamError } from './upstream-error.ts';

/** What all calls of the process share. */
export interface CallServices {
  readonly http: HttpClient;
  readonly cache: AnswerCache;
  readonly learnedSizes: LearnedSizes;
  readonly clock: Clock;
  readonly apiKeys: ApiKeys;
  readonly breakers: CircuitBreakers;
  readonly retryBudget: RetryBudget;
  readonly explainRefusedKey: ExplainRefusedKey;
}

/** What came of sending a call, and how its slots are to be settled. */
export interface Exchange {
  readonly outcome: { readonly answer: Answer } | { readonly error: unknown };
  /** The limits that the response spoke of; undefined: there was none. */
  readonly rateLimit: AnnouncedRateLimit | undefined;
  /** It was answered with a 429, and no call is to be sent before (monotonic ms). */
  readonly refusedUntilMs: number | undefined;
  /** It has reached nobody: its slots have not been used. */
  readonly isUnsent: boolean;
}

// A longer one would trust a typing error for hours.
const MAX_PAUSE_MS = 300_000;

/**
 * Sends a call once, and hands what comes of it to everything that learns from it: cache, API keys, circuit breakers, retry budget, learned sizes.
 *
 * @returns Never rejects.
 */
export async function exchange(services: CallServices, call: Call<unknown>, caller: Caller): Promise<Exchange> {
  const { http, clock, explainRefusedKey } = services;
  const { tenant, apiKey } = caller;
  const sentAtMs = clock.nowMs();
  let throttle: ThrottleHeaders | undefined;
  try {
    const response = await http.get(call.target, call.route.template, apiKey, tenant);
    try {
      const { atMs: answeredAtMs, epochMs } = readInstant(clock);
      throttle = parseThrottleHeaders(response.headers, epochMs);
      const value = await parseResponse(response, call, { throttle, answeredAtMs, secret: apiKey.reveal() });
      const answer = { value, bytes: response.heapBytes };
      learnFromAnswer(services, call, tenant, answer, sentAtMs);
      return { outcome: { answer }, rateLimit: throttle.rateLimit, refusedUntilMs: undefined, isUnsent: false };
    } finally {
      response.release();
    }
  } catch (thrown) {
    const error = explainRefusedKey(thrown, apiKey);
    if (error instanceof UpstreamError) learnFromFailure(services, call, caller, error, sentAtMs);
    return {
      outcome: { error },
      rateLimit: throttle?.rateLimit,
      refusedUntilMs: isRateLimited(error) ? clock.nowMs() + Math.min(MAX_PAUSE_MS, toWaitMs(error, clock)) : undefined,
      isUnsent: error instanceof UpstreamError && error.isConnectFailure === true,
    };
  }
}

/** Whether a call was answered with a 429. */
export const isRateLimited = (error: unknown): error is UpstreamError =>
  error instanceof UpstreamError && error.kind === 'rateLimited';

/** For how long an error asks to wait from now, in milliseconds. */
export const toWaitMs = ({ retryAtMs = 0 }: UpstreamError, clock: Clock) => Math.max(0, retryAtMs - clock.nowMs());

function learnFromAnswer(
  services: CallServices,
  call: Call<unknown>,
  tenant: string,
  { value, bytes }: Answer,
  sentAtMs: number,
): void {
  const { cache, learnedSizes } = services;
  learnThatItAnswers(services, tenant);
  services.apiKeys.accept(tenant);
  const updatedAt = call.updatedAtOf?.(value) ?? null;
  cache.set(tenant, call.target, { outcome: { value }, bytes, updatedAt, sentAtMs });
  for (const [shown, shownAt] of call.shows?.(value) ?? []) {
    if (shownAt !== null) cache.renew(tenant, shown, shownAt);
  }
  const sizes = call.sizes?.(value);
  if (sizes) learnedSizes.learn(tenant, sizes, sentAtMs);
}

/** Upstream has answered, whatever it said. */
function learnThatItAnswers({ breakers, retryBudget }: CallServices, tenant: string): void {
  breakers.succeeded(tenant);
  retryBudget.earn(tenant);
}

function learnFromFailure(
  services: CallServices,
  { route, target }: Call<unknown>,
  { tenant, keyBudget }: Caller,
  error: UpstreamError,
  sentAtMs: number,
): void {
  const { cache, learnedSizes, clock, apiKeys, breakers } = services;
  switch (error.kind) {
    case 'unavailable':
    case 'unreachable':
    case 'serverError':
    case 'timeout':
      breakers.failed(tenant, {
        route: route.template,
        key: target,
        isConnectFailure: error.isConnectFailure ?? false,
        isTimeout: error.kind === 'timeout',
        ...(error.kind === 'unreachable' && { unreachable: error.message }),
      });
      return;
    default:
      learnThatItAnswers(services, tenant);
  }
  switch (error.kind) {
    case 'quotaExhausted':
      // There are other allowances, of single features; and headers that speak of the month are read with every answer.
      if (error.upstreamName?.toLowerCase() === 'servicelimitexhausted') keyBudget.current.slots.spendMonth();
      apiKeys.accept(tenant);
      return;
    case 'unauthenticated':
      cache.dropTenant(tenant);
      learnedSizes.dropTenant(tenant, clock.nowMs());
      apiKeys.refuse(tenant, error);
      return;
    case 'forbidden':
    case 'notFound':
    case 'badInput':
      apiKeys.accept(tenant);
      // What was there before is not to be shown any more.
      cache.set(tenant, target, {
        outcome: { failure: toFailure(error) },
        bytes: error.message.length,
        updatedAt: null,
        sentAtMs,
      });
      return;
    default:
  }
}
