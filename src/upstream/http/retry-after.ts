import {
  type AnnouncedRateLimit,
  leadingNumber,
  parseHttpDateMs,
  parseRateLimitHeaders,
  readHeader,
  responseClockMs,
  type ResponseHeaders,
  toWaitMs,
} from './rate-limit-headers.ts';

/** What the headers of one response say about further calls. They are parsed once per response. */
export interface ThrottleHeaders {
  readonly rateLimit: AnnouncedRateLimit;
  /** The wait that `Retry-After`, in any spelling, asks for, in milliseconds; undefined: missing or unreadable. */
  readonly retryAfterMs: number | undefined;
  /** The sender's clock when it responded, or else ours; epoch milliseconds. */
  readonly senderMs: number;
}

const MAX_TEXT = 2000;

/**
 * Parses the headers about rate limits.
 *
 * `Retry-After` (seconds or a date), `RetryAfter` and `X-RateLimit-RetryAfter`: the first readable one counts. Epochs
 * and dates are relative to the `Date` of the response. A wait of more than 31 days counts as unreadable, because no
 * window lasts so long.
 *
 * @param nowMs - Epoch milliseconds, for a response without a `Date`.
 */
export function parseThrottleHeaders(headers: ResponseHeaders, nowMs: number): ThrottleHeaders {
  const senderMs = responseClockMs(headers, nowMs);
  return {
    rateLimit: parseRateLimitHeaders(headers, senderMs),
    retryAfterMs: parseRetryAfterMs(headers, senderMs),
    senderMs,
  };
}

/**
 * Determines how long a 429 asks the caller to wait.
 *
 * The first readable one counts: `Retry-After`; the reset of the window with no calls left (the longest of several; if
 * no window is used up, the first reset); "retry at" or "retry after" with an epoch in the text (13 digits are
 * milliseconds, 10 are seconds). For other statuses the windows do not say when to retry.
 *
 * @param text - The message of the error body.
 * @returns Milliseconds from now, 0 for a time that has passed; undefined if nothing can be read.
 */
export function toRefusedWaitMs({ rateLimit, retryAfterMs, senderMs }: ThrottleHeaders, text = ''): number | undefined {
  return retryAfterMs ?? windowResetMs(rateLimit) ?? parseRetryTextMs(text, senderMs);
}

function parseRetryAfterMs(headers: ResponseHeaders, senderMs: number): number | undefined {
  for (const name of ['retry-after', 'retryafter', 'x-ratelimit-retryafter']) {
    const text = readHeader(headers, name);
    const seconds = leadingNumber(text);
    const atMs = seconds === undefined ? parseHttpDateMs(text) : senderMs + seconds * 1000;
    const waitMs = atMs === undefined ? undefined : toWaitMs(atMs - senderMs);
    if (waitMs !== undefined) return waitMs;
  }
  return undefined;
}

function windowResetMs({ windows }: AnnouncedRateLimit): number | undefined {
  const resets = windows.flatMap(({ remaining, resetInMs }) =>
    resetInMs === undefined ? [] : [{ remaining, resetInMs }],
  );
  const usedUp = resets.filter(({ remaining }) => remaining === 0).map(({ resetInMs }) => resetInMs);
  return usedUp.length > 0 ? Math.max(...usedUp) : resets[0]?.resetInMs;
}

function parseRetryTextMs(text: string, senderMs: number): number | undefined {
  // Other numbers in the message may be ids: only one that follows "try" or "retry" is a time.
  const digits = /\b(?:re)?try\D{0,40}(\d{13}|\d{10})(?!\d)/i.exec(text.slice(0, MAX_TEXT))?.[1];
  if (digits === undefined) return undefined;
  return toWaitMs(Number(digits) * (digits.length === 13 ? 1 : 1000) - senderMs);
}
