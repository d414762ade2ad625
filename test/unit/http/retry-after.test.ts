import { describe, expect, it } from 'vitest';
import type { ResponseHeaders } from '../../../src/upstream/http/rate-limit-headers.ts';
import { parseThrottleHeaders, toRefusedWaitMs } from '../../../src/upstream/http/retry-after.ts';

const NOW_MS = Date.UTC(2026, 0, 15, 12, 0, 0);
const NOW_SECONDS = NOW_MS / 1000;
// One hour ahead of us.
const THEIR_DATE = 'Thu, 15 Jan 2026 13:00:00 GMT';

/** The wait of a 429 with these headers and this text. */
const waitMs = (headers: ResponseHeaders, text?: string) =>
  toRefusedWaitMs(parseThrottleHeaders(headers, NOW_MS), text);

const cases: readonly (readonly [string, ResponseHeaders, string | undefined, number | undefined])[] = [
  ['Retry-After in seconds', { 'retry-after': '7' }, undefined, 7000],
  ['Retry-After in parts of a second', { 'retry-after': '0.25' }, undefined, 250],
  ['Retry-After of zero', { 'retry-after': '0' }, undefined, 0],
  ['Retry-After as a date', { 'retry-after': 'Thu, 15 Jan 2026 12:00:30 GMT' }, undefined, 30_000],
  [
    'Retry-After as a date against the clock of the sender',
    { date: THEIR_DATE, 'retry-after': 'Thu, 15 Jan 2026 13:00:30 GMT' },
    undefined,
    30_000,
  ],
  ['Retry-After as a date that has passed', { 'retry-after': 'Thu, 15 Jan 2026 11:00:00 GMT' }, undefined, 0],
  ['Retry-After twice: the first', { 'retry-after': ['7', '9'] }, undefined, 7000],
  ['RetryAfter', { retryafter: '8' }, undefined, 8000],
  ['X-RateLimit-RetryAfter', { 'x-ratelimit-retryafter': '9' }, undefined, 9000],
  ['the reset of RateLimit', { ratelimit: 'limit=300, remaining=0, reset=7' }, undefined, 7000],
  ['the reset of the structured RateLimit', { ratelimit: '"default";r=0;t=11' }, undefined, 11_000],
  ['the reset of the window with no calls left', { ratelimit: '"default";r=9;t=52, "burst";r=0;t=4' }, undefined, 4000],
  [
    'the longest reset of several windows with no calls left',
    { ratelimit: '"default";r=0;t=4, "burst";r=0;t=30, "other";r=0;t=9, "free";r=1;t=50' },
    undefined,
    30_000,
  ],
  [
    'the first reset where no window says that no calls are left',
    { ratelimit: '"default";r=3, "burst";r=9;t=4, "other";t=30' },
    undefined,
    4000,
  ],
  [
    'the first reset where the window with no calls left has none',
    { ratelimit: '"default";r=0, "burst";r=9;t=4' },
    undefined,
    4000,
  ],
  ['the text where no window has a reset', { ratelimit: '"default";r=0' }, `retry at ${NOW_SECONDS + 3}`, 3000],
  ['RateLimit-Reset in seconds', { 'ratelimit-reset': '12' }, undefined, 12_000],
  ['RateLimit-Reset as an epoch', { 'ratelimit-reset': String(NOW_SECONDS + 12) }, undefined, 12_000],
  ['X-RateLimit-Reset as an epoch', { 'x-ratelimit-reset': String(NOW_SECONDS + 13) }, undefined, 13_000],
  [
    'X-RateLimit-Reset against the clock of the sender',
    { date: THEIR_DATE, 'x-ratelimit-reset': String(NOW_SECONDS + 3613) },
    undefined,
    13_000,
  ],
  ['X-RateLimit-Reset in epoch milliseconds', { 'x-ratelimit-reset': String(NOW_MS + 14_500) }, undefined, 14_500],
  ['13 digits in the text', {}, `Rate limit hit. Please retry at ${NOW_MS + 15_250}`, 15_250],
  ['10 digits in the text', {}, `Rate limit hit. Please retry after ${NOW_SECONDS + 16}.`, 16_000],
  [
    'digits in the text against the clock of the sender',
    { date: THEIR_DATE },
    `retry after ${NOW_SECONDS + 3617}`,
    17_000,
  ],
  ['digits in the text that are over', {}, 'retry at 1465452702843', 0],
  ['a text in other words', {}, `User 1234567890 is over the limit, try again at: ${NOW_SECONDS + 18}`, 18_000],
  ['a number that is no time', {}, 'Too many requests of user 1234567890, retry later', undefined],
  ['a number of another length', {}, `retry after ${NOW_MS}0`, undefined],
  ['a text with a short number', {}, 'retry after 30', undefined],
  ['nothing', {}, undefined, undefined],
  ['a negative wait as none', { 'retry-after': '-5' }, undefined, 0],
  ['no wait of more than 31 days', { 'retry-after': '1000000000' }, undefined, undefined],
  ['a wait of 31 days', { 'retry-after': '2678400' }, undefined, 2_678_400_000],
  ['the next spelling after an absurd wait', { 'retry-after': '1000000000', retryafter: '8' }, undefined, 8000],
  [
    'the next spelling after garbage',
    { 'retry-after': 'soon', 'x-ratelimit-retryafter': '', ratelimit: 'reset=7' },
    undefined,
    7000,
  ],
  [
    'no garbage',
    { 'retry-after': 'NaN', retryafter: '1e3', 'ratelimit-reset': 'Infinity' },
    'retry after a while',
    undefined,
  ],
  ['no list of nothing', { 'retry-after': [] }, undefined, undefined],
];

describe('toRefusedWaitMs', () => {
  it.each(cases)('reads %s', (_, headers, text, expected) => {
    expect(waitMs(headers, text)).toBe(expected);
  });

  it('uses the first spelling if all are present', () => {
    const text = `retry after ${NOW_SECONDS + 6}`;
    const inOrder: readonly (readonly [string, string])[] = [
      ['retry-after', '1'],
      ['retryafter', '2'],
      ['x-ratelimit-retryafter', '3'],
      ['ratelimit', 'limit=300, remaining=0, reset=4'],
      ['ratelimit-reset', '5'],
      ['x-ratelimit-reset', '5.5'],
    ];
    const waits = inOrder.map((_, skipped) => waitMs(Object.fromEntries(inOrder.slice(skipped)), text));
    expect([...waits, waitMs({}, text)]).toStrictEqual([1000, 2000, 3000, 4000, 5000, 5500, 6000]);
  });

  it('reads only the beginning of a long message', () => {
    expect(waitMs({}, `${'retry '.repeat(2_000_000)}at 1465452702843`)).toBeUndefined();
  });
});

describe('parseThrottleHeaders', () => {
  it('does not treat the reset of a window as a wait', () => {
    const retryAfterMs = (headers: ResponseHeaders) => parseThrottleHeaders(headers, NOW_MS).retryAfterMs;
    expect(retryAfterMs({ ratelimit: 'reset=7', 'x-ratelimit-reset': '7' })).toBeUndefined();
    expect(retryAfterMs({ ratelimit: 'reset=7', 'retry-after': '120' })).toBe(120_000);
  });
});
