import {
  leadingNumber,
  parseHttpDateMs,
  parseRateLimitHeaders,
  readHeader,
  responseClockMs,
  toWaitMs,
} from './rate-limit-headers.ts';
import type { AnnouncedWindow, ResponseHeaders } from './rate-limit-headers.ts';

const MAX_TEXT = 2000;

/**
 * Reads how long a refused caller (429) is asked to wait, in whatever way it is said.
 *
 * The first that can be read counts: `Retry-After` (seconds or a date), `RetryAfter`, `X-RateLimit-RetryAfter`, the reset
 * of the window with no calls left (the longest of several; where none is said to be used up, the first reset there is),
 * then "retry at" or "retry after" an epoch in the text (13 digits are milliseconds, 10 are seconds). Epochs and dates
 * are read against the `Date` of the answer.
 *
 * @param bodyText - The message of the error body.
 * @param nowMs - Epoch milliseconds, for an answer without a `Date`.
 * @returns Milliseconds from now, 0 for a time that has passed. Undefined if nothing can be read; a wait of more than
 *   31 days counts as unreadable, since no window lasts so long and a spent monthly allowance is not waited for.
 */
export function parseRetryAfterMs(
  headers: ResponseHeaders,
  bodyText: string | undefined,
  nowMs: number,
): number | undefined {
  return (
    parseRetryAfterHeaderMs(headers, nowMs) ??
    windowResetMs(parseRateLimitHeaders(headers, nowMs).windows) ??
    parseRetryTextMs(bodyText, responseClockMs(headers, nowMs))
  );
}

/**
 * Reads only the headers that ask for a wait. For answers other than 429, whose rate-limit headers speak of the window
 * and not of when the trouble ends.
 *
 * @param nowMs - Epoch milliseconds, for an answer without a `Date`.
 * @returns As `parseRetryAfterMs`.
 */
export function parseRetryAfterHeaderMs(headers: ResponseHeaders, nowMs: number): number | undefined {
  const clockMs = responseClockMs(headers, nowMs);
  for (const name of ['retry-after', 'retryafter', 'x-ratelimit-retryafter']) {
    const text = readHeader(headers, name);
    const seconds = leadingNumber(text);
    const atMs = seconds === undefined ? parseHttpDateMs(text) : clockMs + seconds * 1000;
    const waitMs = atMs === undefined ? undefined : toWaitMs(atMs - clockMs);
    if (waitMs !== undefined) return waitMs;
  }
  return undefined;
}

function windowResetMs(windows: readonly AnnouncedWindow[]): number | undefined {
  const resets = windows.flatMap(({ remaining, resetInMs }) =>
    resetInMs === undefined ? [] : [{ remaining, resetInMs }],
  );
  const usedUp = resets.filter(({ remaining }) => remaining === 0).map(({ resetInMs }) => resetInMs);
  return usedUp.length > 0 ? Math.max(...usedUp) : resets[0]?.resetInMs;
}

function parseRetryTextMs(text: string | undefined, clockMs: number): number | undefined {
  // Any other number of the message may be an id: only the one that "retry" introduces is a time.
  const digits =
    text === undefined ? undefined : /\b(?:re)?try\D{0,40}(\d{13}|\d{10})(?!\d)/i.exec(text.slice(0, MAX_TEXT))?.[1];
  if (digits === undefined) return undefined;
  return toWaitMs(Number(digits) * (digits.length === 13 ? 1 : 1000) - clockMs);
}
