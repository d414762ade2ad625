import type { Account, AccountUser } from './account/account.ts';
import { epochMs } from './clock.ts';
import {
  type Answer,
  type Dialect,
  type MonthReading,
  toAllowanceSpent,
  toRateHeaders,
  toTooManyRequests,
} from './behaviors.ts';
import { type Fault, type FaultPlan, isRefusal } from './faults.ts';
import { createRateWindows, type RateLimits, type RateWindows } from './rate-windows.ts';
import { isBurstRoute } from './routes.ts';

/**
 * A key beside the first one. A text alone has rate windows of its own and is answered as the account's own user. With a user it is
 * theirs: `/me` names that user, and all keys of one user id share their windows, those of the account's own user with the first key.
 */
export type OtherApiKey = string | { readonly apiKey: string; readonly user: AccountUser };

/** A key that is known. */
export interface KnownKey {
  /** 0 for the first key, from 1 for the others. */
  readonly index: number;
  /** Undefined: the account's own user. */
  readonly user: AccountUser | undefined;
  /** Whose windows its calls count in. */
  readonly spender: string;
}

/** What was decided about a call when it arrived. */
export interface Admission {
  /** The 429 it gets; undefined when it is served. */
  readonly refusal?: Answer;
  /** What will go wrong with its answer. */
  readonly fault?: Fault | undefined;
  readonly rateHeaders: Readonly<Record<string, string>>;
}

/** Where every call is counted or refused. */
export interface Door {
  /**
   * @param key - Undefined for a call without a key that is known: nobody's budget is touched by it.
   * @param nowMs - Monotonic time of arrival.
   */
  admit(path: string, pathAndQuery: string, key: KnownKey | undefined, nowMs: number): Admission;
  setLimits(limits: RateLimits): void;
  /** Forgets what has been counted. */
  reset(): void;
}

/** Gives every key its place and the windows it counts in. */
export function toKnownKeys(
  apiKey: string,
  owner: AccountUser,
  others: readonly OtherApiKey[],
): ReadonlyMap<string, KnownKey> {
  const known = new Map<string, KnownKey>([[apiKey, { index: 0, user: undefined, spender: `user ${owner.id}` }]]);
  for (const [position, other] of others.entries()) {
    const index = position + 1;
    if (typeof other === 'string') known.set(other, { index, user: undefined, spender: `key ${index}` });
    else known.set(other.apiKey, { index, user: other.user, spender: `user ${other.user.id}` });
  }
  return known;
}

/** Makes a door through which nobody has come yet. */
export function createDoor({
  account,
  dialect,
  faults,
  limits: firstLimits,
}: {
  readonly account: Account;
  readonly dialect: Dialect;
  readonly faults: FaultPlan;
  readonly limits: RateLimits;
}): Door {
  const windows = new Map<string, RateWindows>();
  let limits = firstLimits;
  let callsThisMonth = 0;

  /** The allowance is the account's: all users spend it together. */
  const readMonth = (): MonthReading | undefined => {
    const meter = account.operations?.find(({ name }) => name === 'api_usage');
    return meter && { limit: meter.limit, remaining: Math.max(0, meter.limit - meter.usage - callsThisMonth) };
  };

  const windowsOf = ({ spender }: KnownKey) => {
    const known = windows.get(spender) ?? createRateWindows();
    windows.set(spender, known);
    return known;
  };

  return {
    admit(path, pathAndQuery, key, nowMs) {
      if (key === undefined || limits === 'off') return { fault: faults.take(pathAndQuery), rateHeaders: {} };
      const own = windowsOf(key);
      const isBurst = isBurstRoute(path);
      const isMonthSpent = readMonth()?.remaining === 0;
      const fullWindow = isMonthSpent ? undefined : own.refusal(limits, isBurst, nowMs);
      const isRefused = isMonthSpent || fullWindow !== undefined;
      const fault = isRefused ? undefined : faults.take(pathAndQuery);
      if (!isRefused && !(fault !== undefined && isRefusal(fault))) {
        own.count(isBurst, nowMs);
        callsThisMonth++;
      }
      const { general, burst } = own.read(limits, nowMs);
      const answeredAtMs = epochMs();
      const policies = isBurst && limits.isBurstAnnounced === true ? { general, burst } : undefined;
      const rateHeaders = toRateHeaders(dialect, fullWindow ?? general, policies, readMonth(), answeredAtMs);
      if (isMonthSpent) return { refusal: toAllowanceSpent(dialect), rateHeaders };
      if (fullWindow === undefined) return { fault, rateHeaders };
      return { refusal: toTooManyRequests(dialect, fullWindow.resetMs, answeredAtMs), rateHeaders };
    },
    setLimits(next) {
      limits = next;
    },
    reset() {
      windows.clear();
      callsThisMonth = 0;
    },
  };
}
