import type { RetryableErrorExtensions } from './error-extensions.ts';

/**
 * Makes the extensions of an error with which this server refuses something until later.
 *
 * @param code - `RATE_LIMITED`: too many streams or dry runs are open or waiting. `SERVER_BUSY`: no memory is free.
 * @param seconds - Whole seconds from now until a retry makes sense.
 * @param nowMs - The current time in epoch milliseconds.
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
