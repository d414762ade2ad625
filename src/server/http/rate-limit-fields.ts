import type { BudgetSnapshot } from '../../upstream/rate-limiter/budget.ts';
import type { WindowSnapshot } from '../../upstream/rate-limiter/slot-source.ts';

/**
 * Formats a budget as the response headers `RateLimit-Policy` and `RateLimit`.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-10: `q` quota, `w` window in seconds, `r` remaining calls, `t` seconds
 *   until the full quota is available again.
 */
export function toRateLimitFields(snapshot: BudgetSnapshot): { readonly policy: string; readonly rateLimit: string } {
  const policies = [toPolicy('general', snapshot)];
  const limits = [toLimit('general', snapshot)];
  const add = (name: string, window: WindowSnapshot) => {
    policies.push(toPolicy(name, window));
    limits.push(toLimit(name, window));
  };
  if (snapshot.burst) add('burst', snapshot.burst);
  for (const window of snapshot.learned) add(`${toSeconds(window.windowMs)}s`, window);
  return { policy: policies.join(', '), rateLimit: limits.join(', ') };
}

const toSeconds = (ms: number) => Math.ceil(ms / 1_000);
const toPolicy = (name: string, { limit, windowMs }: WindowSnapshot) => `"${name}";q=${limit};w=${toSeconds(windowMs)}`;
const toLimit = (name: string, { remaining, restoredInMs }: WindowSnapshot) =>
  `"${name}";r=${remaining};t=${toSeconds(restoredInMs)}`;
