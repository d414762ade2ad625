import type { BudgetSnapshot } from '../../upstream/rate-limiter/budget.ts';

/**
 * Formats a budget as the response headers `RateLimit-Policy` and `RateLimit`.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-10: `q` quota, `w` window in seconds, `r` remaining calls, `t` seconds
 *   until the full quota is available again.
 */
export function toRateLimitFields(snapshot: BudgetSnapshot): { readonly policy: string; readonly rateLimit: string } {
  const windows = [
    { name: 'general', ...snapshot },
    ...(snapshot.burst ? [{ name: 'burst', ...snapshot.burst }] : []),
    ...snapshot.learned.map((window) => ({ name: `${Math.ceil(window.windowMs / 1_000)}s`, ...window })),
  ];
  const seconds = (ms: number) => Math.ceil(ms / 1_000);
  return {
    policy: windows.map(({ name, limit, windowMs }) => `"${name}";q=${limit};w=${seconds(windowMs)}`).join(', '),
    rateLimit: windows
      .map(({ name, remaining, restoredInMs }) => `"${name}";r=${remaining};t=${seconds(restoredInMs)}`)
      .join(', '),
  };
}
