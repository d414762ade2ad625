import type { Account, AccountUser } from './account/account.ts';
import { epochMs } from './clock.ts';
import {
  type ServiceResponse,
  type Behavior,
  type QuotaReading,
  toQuotaExhausted,
  toRateHeaders,
  toTooManyRequests,
} from './behaviors.ts';
import { type Fault, type FaultPlan, isRefusal } from './faults.ts';
import { createRateWindows, type RateLimits, type RateWindows } from './rate-windows.ts';
import { isBurstRoute } from './routes.ts';

/**
 * A known key besides the first one. A string is a key with its own rate windows, for which `/me` returns the account's
 * user. With a `user`, `/me` returns that user, and all keys with the same user id have the same windows; the first key
 * belongs to the account's user.
 */
export type OtherApiKey = string | { readonly apiKey: string; readonly user: AccountUser };

/** An API key that the sandbox accepts. */
export interface KnownKey {
  /** 0 for the first key, from 1 for the others. */
  readonly index: number;
  /** Undefined: the account's user. */
  readonly user: AccountUser | undefined;
  /** Identifies the rate windows that count its calls. */
  readonly windowsKey: string;
}

/** What happens to a call, decided when it arrives. */
export interface GateResult {
  /** The 429 for the call; undefined when it is served. */
  readonly refusal?: ServiceResponse;
  /** The planned fault of its response. */
  readonly fault?: Fault | undefined;
  readonly rateHeaders: Readonly<Record<string, string>>;
}

/** Counts every call in the rate windows, or refuses it. */
export interface RateLimitGate {
  /**
   * @param key - Undefined for a call without a known key; such a call is not counted.
   * @param nowMs - Monotonic time of arrival.
   */
  check(path: string, pathAndQuery: string, key: KnownKey | undefined, nowMs: number): GateResult;
  setLimits(limits: RateLimits): void;
  /** Sets all counts to 0. */
  reset(): void;
}

/** Gives each key its index and the name of its rate windows. */
export function toKnownKeys(
  apiKey: string,
  owner: AccountUser,
  others: readonly OtherApiKey[],
): ReadonlyMap<string, KnownKey> {
  const known = new Map<string, KnownKey>([[apiKey, { index: 0, user: undefined, windowsKey: `user ${owner.id}` }]]);
  for (const [position, other] of others.entries()) {
    const index = position + 1;
    if (typeof other === 'string') known.set(other, { index, user: undefined, windowsKey: `key ${index}` });
    else known.set(other.apiKey, { index, user: other.user, windowsKey: `user ${other.user.id}` });
  }
  return known;
}

/** Creates a gate that has counted no calls. */
export function createRateLimitGate({
  account,
  behavior,
  faults,
  limits: firstLimits,
}: {
  readonly account: Account;
  readonly behavior: Behavior;
  readonly faults: FaultPlan;
  readonly limits: RateLimits;
}): RateLimitGate {
  const windows = new Map<string, RateWindows>();
  let limits = firstLimits;
  let monthlyCalls = 0;

  /** The monthly quota belongs to the account: the calls of all users count. */
  const readQuota = (): QuotaReading | undefined => {
    const meter = account.operations?.find(({ name }) => name === 'api_usage');
    return meter && { limit: meter.limit, remaining: Math.max(0, meter.limit - meter.usage - monthlyCalls) };
  };

  const windowsOf = ({ windowsKey }: KnownKey) => {
    const keyWindows = windows.get(windowsKey) ?? createRateWindows();
    windows.set(windowsKey, keyWindows);
    return keyWindows;
  };

  return {
    check(path, pathAndQuery, key, nowMs) {
      if (key === undefined || limits === 'off') return { fault: faults.take(pathAndQuery), rateHeaders: {} };
      const keyWindows = windowsOf(key);
      const isBurst = isBurstRoute(path);
      const isQuotaExhausted = readQuota()?.remaining === 0;
      const fullWindow = isQuotaExhausted ? undefined : keyWindows.refusal(limits, isBurst, nowMs);
      const isRefused = isQuotaExhausted || fullWindow !== undefined;
      const fault = isRefused ? undefined : faults.take(pathAndQuery);
      if (!isRefused && !(fault !== undefined && isRefusal(fault))) {
        keyWindows.count(isBurst, nowMs);
        monthlyCalls++;
      }
      const { general, burst } = keyWindows.read(limits, nowMs);
      const respondedAtMs = epochMs();
      const policies = isBurst && limits.isBurstAnnounced === true ? { general, burst } : undefined;
      const rateHeaders = toRateHeaders(behavior, fullWindow ?? general, policies, readQuota(), respondedAtMs);
      if (isQuotaExhausted) return { refusal: toQuotaExhausted(behavior), rateHeaders };
      if (fullWindow === undefined) return { fault, rateHeaders };
      return { refusal: toTooManyRequests(behavior, fullWindow.resetMs, respondedAtMs), rateHeaders };
    },
    setLimits(next) {
      limits = next;
    },
    reset() {
      windows.clear();
      monthlyCalls = 0;
    },
  };
}
