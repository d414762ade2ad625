import type { RetryableErrorExtensions } from './error-extensions.ts';

/**
 * Says of a refusal of this server's own when to come back.
 *
 * @param code - What there is no room in: the budget and what else is shared by keys, or memory.
 * @param seconds - Whole seconds from now.
 * @param nowMs - Epoch milliseconds.
 * @returns The extensions of a GraphQL error.
 */
export function toRetryLater(
  code: 'RATE_LIMITED' | 'SERVER_BUSY',
  seconds: number,
  nowMs: number,
): RetryableErrorExtensions {
  return {
    code,
    retryable: true,
    retryAfterSeconds: seconds,
    retryAt: new Date(nowMs + seconds * 1_000).toISOString(),
    ...(code === 'RATE_LIMITED' && { limitedBy: 'facade' }),
  };
}
