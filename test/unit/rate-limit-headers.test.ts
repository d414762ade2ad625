import { describe, expect, it } from 'vitest';
import { parseHttpDateMs, parseRateLimitHeaders } from '../../src/upstream/rate-limit-headers.ts';
import type { AnnouncedRateLimit, ResponseHeaders } from '../../src/upstream/rate-limit-headers.ts';

const NOW_MS = Date.UTC(2026, 0, 15, 12, 0, 0);
const NOW_SECONDS = NOW_MS / 1000;

const cases: readonly (readonly [string, ResponseHeaders, AnnouncedRateLimit])[] = [
  ['nothing', {}, {}],
  [
    'the combined form with its policy',
    { ratelimit: 'limit=300, remaining=299, reset=52', 'ratelimit-policy': '300;w=60' },
    { limit: 300, remaining: 299, resetInMs: 52_000, windowMs: 60_000 },
  ],
  [
    'the combined form without blanks, in capitals, with semicolons',
    { ratelimit: 'LIMIT=300;Remaining=0;reset=1' },
    { limit: 300, remaining: 0, resetInMs: 1000 },
  ],
  [
    'the combined form sent as several headers',
    { ratelimit: ['limit=300', 'remaining=7', 'reset=9'] },
    { limit: 300, remaining: 7, resetInMs: 9000 },
  ],
  ['the combined form with parts missing', { ratelimit: 'remaining=3' }, { remaining: 3 }],
  [
    'the structured form',
    { ratelimit: '"default";r=50;t=30', 'ratelimit-policy': '"default";q=60;w=60' },
    { limit: 60, remaining: 50, resetInMs: 30_000, windowMs: 60_000 },
  ],
  [
    'the structured form with several policies: the tightest counts',
    {
      ratelimit: '"default";r=50;t=30, "burst";r=2;t=4',
      'ratelimit-policy': '"default";q=60;w=60, "burst";q=10;w=10',
    },
    { limit: 10, remaining: 2, resetInMs: 4000, windowMs: 10_000 },
  ],
  [
    'the structured form with equally tight policies: the longer wait counts',
    { ratelimit: 'burst;r=0;t=4, default;r=0;t=30', 'ratelimit-policy': 'burst;q=10;w=10, default;q=60;w=60' },
    { limit: 60, remaining: 0, resetInMs: 30_000, windowMs: 60_000 },
  ],
  ['the structured form without a reset', { ratelimit: '"default";r=5' }, { remaining: 5 }],
  ['a policy alone', { 'ratelimit-policy': '300;w=60' }, { limit: 300, windowMs: 60_000 }],
  [
    'the policy that has the announced limit, of several',
    { 'ratelimit-limit': '300', 'ratelimit-policy': ['10;w=10', '300;w=60'] },
    { limit: 300, windowMs: 60_000 },
  ],
  [
    'no window where no policy has the announced limit',
    { 'ratelimit-limit': '300', 'ratelimit-policy': '10;w=10' },
    { limit: 300 },
  ],
  [
    'the X- form with an epoch',
    { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '59', 'x-ratelimit-reset': String(NOW_SECONDS + 30) },
    { limit: 60, remaining: 59, resetInMs: 30_000 },
  ],
  [
    'the form without X-, with an epoch',
    { 'ratelimit-limit': '300', 'ratelimit-remaining': '0', 'ratelimit-reset': String(NOW_SECONDS + 5) },
    { limit: 300, remaining: 0, resetInMs: 5000 },
  ],
  ['a reset in seconds from now', { 'ratelimit-reset': '52' }, { resetInMs: 52_000 }],
  ['a reset in epoch milliseconds', { 'x-ratelimit-reset': String(NOW_MS + 1234) }, { resetInMs: 1234 }],
  ['a reset with a fraction', { 'ratelimit-reset': '1.5' }, { resetInMs: 1500 }],
  [
    'an epoch against the clock of the sender, not ours',
    { date: 'Thu, 15 Jan 2026 13:00:00 GMT', 'x-ratelimit-reset': String(NOW_SECONDS + 3600 + 20) },
    { resetInMs: 20_000 },
  ],
  [
    'an epoch against our clock if the date is unreadable',
    { date: 'yesterday', 'x-ratelimit-reset': String(NOW_SECONDS + 20) },
    { resetInMs: 20_000 },
  ],
  [
    'the first of the spellings that differ',
    {
      ratelimit: 'limit=300, remaining=299, reset=52',
      'ratelimit-limit': '1',
      'x-ratelimit-remaining': '2',
      'x-ratelimit-reset': '3',
    },
    { limit: 300, remaining: 299, resetInMs: 52_000 },
  ],
  ['a limit followed by its policies', { 'ratelimit-limit': '100, 100;w=10' }, { limit: 100 }],
  [
    'a header that came twice: its first',
    { 'x-ratelimit-limit': ['60', '70'], 'x-ratelimit-remaining': ['5', '6'] },
    { limit: 60, remaining: 5 },
  ],
  [
    'the monthly allowance',
    { 'ratelimit-limit-month': '10000', 'ratelimit-remaining-month': '0' },
    { monthLimit: 10_000, monthRemaining: 0 },
  ],
  [
    'the monthly allowance in the X- form',
    { 'x-ratelimit-limit-month': '10000', 'x-ratelimit-remaining-month': '9999' },
    { monthLimit: 10_000, monthRemaining: 9999 },
  ],
  ['no monthly allowance', { 'ratelimit-limit-month': '99999999', 'ratelimit-remaining-month': '99999998' }, {}],
  [
    'less than nothing as nothing',
    { 'x-ratelimit-remaining': '-3', 'x-ratelimit-reset': '-1', 'ratelimit-remaining-month': '-9' },
    { remaining: 0, resetInMs: 0, monthRemaining: 0 },
  ],
  ['a reset that has passed as now', { 'x-ratelimit-reset': String(NOW_SECONDS - 5) }, { resetInMs: 0 }],
  ['no reset later than 31 days', { 'x-ratelimit-reset': String(NOW_SECONDS + 32 * 86_400) }, {}],
  ['no limit below one', { 'x-ratelimit-limit': '0', 'ratelimit-policy': '-5;w=0' }, {}],
  [
    'nothing from garbage',
    {
      date: '7',
      ratelimit: ';;,=,"x;r=,limit=NaN',
      'ratelimit-policy': '"";w=x,,;',
      'ratelimit-limit': 'NaN',
      'ratelimit-remaining': 'Infinity',
      'ratelimit-reset': '1e3',
      'x-ratelimit-limit': '',
      'x-ratelimit-remaining': [],
      'x-ratelimit-reset': '12 minutes',
      'ratelimit-limit-month': '0x10',
      'ratelimit-remaining-month': undefined,
    },
    {},
  ],
  [
    'a readable spelling after garbage',
    { ratelimit: '???', 'ratelimit-limit': '-', 'x-ratelimit-limit': '60' },
    { limit: 60 },
  ],
];

describe('parseRateLimitHeaders', () => {
  it.each(cases)('reads %s', (_, headers, expected) => {
    expect(parseRateLimitHeaders(headers, NOW_MS)).toStrictEqual(expected);
  });

  it('ignores headers longer than any rate limit', () => {
    expect(parseRateLimitHeaders({ 'x-ratelimit-limit': `6${'0'.repeat(10_000_000)}` }, NOW_MS)).toStrictEqual({});
    expect(parseRateLimitHeaders({ ratelimit: `limit=3${', x=1'.repeat(1_000_000)}` }, NOW_MS)).toStrictEqual({});
  });
});

describe('parseHttpDateMs', () => {
  it.each([
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:38 GMT',
  ])('reads %s', (text) => {
    expect(parseHttpDateMs(text)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
  });

  it.each(['7', '', 'soon', 'Sunday', 'Mon 7', '1994-11-06', undefined])('does not read %s', (text) => {
    expect(parseHttpDateMs(text)).toBeUndefined();
  });
});
