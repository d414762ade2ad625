import { array, assert, constantFrom, date, dictionary, double, integer, oneof, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  leadingNumber,
  parseHttpDateMs,
  parseRateLimitHeaders,
  readHeader,
  responseClockMs,
  toWaitMs,
} from '../../../src/upstream/http/rate-limit-headers.ts';
import type {
  AnnouncedRateLimit,
  AnnouncedWindow,
  ResponseHeaders,
} from '../../../src/upstream/http/rate-limit-headers.ts';

const NOW_MS = Date.UTC(2026, 0, 15, 12, 0, 0);
const NOW_SECONDS = NOW_MS / 1000;
// One hour ahead of us, and one behind.
const DATE_AHEAD = 'Thu, 15 Jan 2026 13:00:00 GMT';
const DATE_BEHIND = 'Thu, 15 Jan 2026 11:00:00 GMT';
const DAY_SECONDS = 86_400;

type WindowCase = readonly [string, ResponseHeaders, readonly AnnouncedWindow[]];

const combined: readonly WindowCase[] = [
  [
    'the combined form with its policy',
    { ratelimit: 'limit=300, remaining=299, reset=52', 'ratelimit-policy': '300;w=60' },
    [{ limit: 300, remaining: 299, resetInMs: 52_000, windowMs: 60_000 }],
  ],
  [
    'the combined form without blanks, in capitals, with semicolons',
    { ratelimit: 'LIMIT=300;Remaining=0;reset=1' },
    [{ limit: 300, remaining: 0, resetInMs: 1000 }],
  ],
  [
    'the combined form with blanks around everything, and numbers in quotes',
    {
      ratelimit: '  limit = "300" ,remaining\t=\t5 , reset = 1.5  ',
      'ratelimit-policy': ' 300 ; w = 60 ; comment="x" ',
    },
    [{ limit: 300, remaining: 5, resetInMs: 1500, windowMs: 60_000 }],
  ],
  [
    'the combined form in several headers',
    { ratelimit: ['limit=300', 'remaining=7', 'reset=9'] },
    [{ limit: 300, remaining: 7, resetInMs: 9000 }],
  ],
  [
    'the combined form sent twice',
    { ratelimit: ['limit=300, remaining=7, reset=9', 'limit=300, remaining=7, reset=9'] },
    [{ limit: 300, remaining: 7, resetInMs: 9000 }],
  ],
  [
    'the combined form once per window',
    {
      ratelimit: ['limit=300, remaining=299, reset=52', 'limit=10, remaining=3, reset=4'],
      'ratelimit-policy': '10;w=10, 300;w=60',
    },
    [
      { limit: 300, remaining: 299, resetInMs: 52_000, windowMs: 60_000 },
      { limit: 10, remaining: 3, resetInMs: 4000, windowMs: 10_000 },
    ],
  ],
  [
    'the combined form among keys of others',
    { ratelimit: 'x=1, limit=300, my-limit=2, remaining=7, x=3, reset=9' },
    [{ limit: 300, remaining: 7, resetInMs: 9000 }],
  ],
  [
    'the combined form with unreadable numbers',
    { ratelimit: 'limit=300, remaining=x, remaining=5, reset=soon' },
    [{ limit: 300, remaining: 5 }],
  ],
  ['the combined form with parts missing', { ratelimit: 'remaining=3' }, [{ remaining: 3 }]],
  [
    'the combined form without a limit, of the only policy',
    { ratelimit: 'remaining=3, reset=5', 'ratelimit-policy': '300;w=60' },
    [{ limit: 300, remaining: 3, resetInMs: 5000, windowMs: 60_000 }],
  ],
  [
    'the combined form without a limit, of none of several policies',
    { ratelimit: 'remaining=3, reset=5', 'ratelimit-policy': '300;w=60, 10;w=10' },
    [
      { remaining: 3, resetInMs: 5000 },
      { limit: 300, windowMs: 60_000 },
      { limit: 10, windowMs: 10_000 },
    ],
  ],
  [
    'the combined form next to a policy of another limit',
    { ratelimit: 'limit=300, remaining=299, reset=52', 'ratelimit-policy': '10;w=10' },
    [
      { limit: 300, remaining: 299, resetInMs: 52_000 },
      { limit: 10, windowMs: 10_000 },
    ],
  ],
  [
    'the combined form of one of several policies',
    { ratelimit: 'limit=10, remaining=9, reset=7', 'ratelimit-policy': '300;w=60, 10;w=10' },
    [
      { limit: 10, remaining: 9, resetInMs: 7000, windowMs: 10_000 },
      { limit: 300, windowMs: 60_000 },
    ],
  ],
];

const structured: readonly WindowCase[] = [
  [
    'the structured form',
    { ratelimit: '"default";r=50;t=30', 'ratelimit-policy': '"default";q=60;w=60' },
    [{ limit: 60, remaining: 50, resetInMs: 30_000, windowMs: 60_000 }],
  ],
  [
    'the structured form with several policies, by name',
    {
      ratelimit: '"default";r=299;t=52, "burst";r=3;t=4',
      'ratelimit-policy': '"burst";q=10;w=10, "default";q=300;w=60',
    },
    [
      { limit: 300, remaining: 299, resetInMs: 52_000, windowMs: 60_000 },
      { limit: 10, remaining: 3, resetInMs: 4000, windowMs: 10_000 },
    ],
  ],
  [
    'the structured form without quotes, in several headers',
    { ratelimit: ['burst;r=0;t=4', 'default;r=0;t=30'], 'ratelimit-policy': ['burst;q=10;w=10', 'default;q=60;w=60'] },
    [
      { limit: 10, remaining: 0, resetInMs: 4000, windowMs: 10_000 },
      { limit: 60, remaining: 0, resetInMs: 30_000, windowMs: 60_000 },
    ],
  ],
  [
    'a window without its policy',
    { ratelimit: '"default";r=5, "burst";t=4', 'ratelimit-policy': '300;w=60' },
    [{ remaining: 5 }, { resetInMs: 4000 }, { limit: 300, windowMs: 60_000 }],
  ],
  [
    'a policy without its window',
    { ratelimit: '"default";r=5;t=9', 'ratelimit-policy': '"default";q=300;w=60, "burst";q=10;w=10' },
    [
      { limit: 300, remaining: 5, resetInMs: 9000, windowMs: 60_000 },
      { limit: 10, windowMs: 10_000 },
    ],
  ],
  [
    'a policy named by its quota',
    { ratelimit: '300;r=5;t=9', 'ratelimit-policy': '300;w=60' },
    [{ limit: 300, remaining: 5, resetInMs: 9000, windowMs: 60_000 }],
  ],
  [
    'a quota before a name that is a number',
    { ratelimit: '"7";r=5;t=9', 'ratelimit-policy': '"7";q=300;w=60' },
    [{ limit: 300, remaining: 5, resetInMs: 9000, windowMs: 60_000 }],
  ],
  [
    'one name twice, as when users have windows of their own',
    { ratelimit: '"default";r=5;t=9, "default";r=0;t=50', 'ratelimit-policy': '"default";q=300;w=60' },
    [
      { limit: 300, remaining: 5, resetInMs: 9000, windowMs: 60_000 },
      { limit: 300, remaining: 0, resetInMs: 50_000, windowMs: 60_000 },
    ],
  ],
  [
    'an item without a name, of the only policy',
    { ratelimit: 'r=5;t=9', 'ratelimit-policy': 'q=300;w=60' },
    [{ limit: 300, remaining: 5, resetInMs: 9000, windowMs: 60_000 }],
  ],
  [
    'names with quotes on one side only',
    { ratelimit: '"default";r=5, burst;r=3', 'ratelimit-policy': 'default;q=300;w=60, "burst";q=10;w=10' },
    [
      { limit: 300, remaining: 5, windowMs: 60_000 },
      { limit: 10, remaining: 3, windowMs: 10_000 },
    ],
  ],
  ['the last number of a key that comes twice in an item', { ratelimit: '"default";r=5;r=4;r=x' }, [{ remaining: 4 }]],
];

const policies: readonly WindowCase[] = [
  ['a policy alone', { 'ratelimit-policy': '300;w=60' }, [{ limit: 300, windowMs: 60_000 }]],
  [
    'policies alone',
    { 'ratelimit-policy': '300;w=60, 10;w=10' },
    [
      { limit: 300, windowMs: 60_000 },
      { limit: 10, windowMs: 10_000 },
    ],
  ],
  ['a policy sent twice', { 'ratelimit-policy': ['300;w=60', '300;w=60'] }, [{ limit: 300, windowMs: 60_000 }]],
  ['a policy without a length', { 'ratelimit-policy': '300' }, [{ limit: 300 }]],
  ['a policy with a length of nothing', { 'ratelimit-policy': '300;w=0' }, [{ limit: 300 }]],
  ['a policy with a length below nothing', { 'ratelimit-policy': '300;w=-60' }, [{ limit: 300 }]],
  ['a policy with parts of a second', { 'ratelimit-policy': '300;w=0.0001' }, [{ limit: 300, windowMs: 1 }]],
  [
    'the length of a policy without a quota',
    { 'ratelimit-policy': '"default";w=60', 'x-ratelimit-limit': '300' },
    [{ limit: 300, windowMs: 60_000 }],
  ],
  ['no policy without a quota', { 'ratelimit-policy': '"default";w=60' }, []],
  ['a policy of a day', { 'ratelimit-policy': '300;w=86400' }, [{ limit: 300, windowMs: 86_400_000 }]],
  [
    'no policy of more than a day',
    { 'ratelimit-policy': '300;w=86400.001, 10;w=10' },
    [{ limit: 10, windowMs: 10_000 }],
  ],
  [
    'no window of the combined form of more than a day',
    { ratelimit: 'limit=10000, remaining=0, reset=900', 'ratelimit-policy': '10000;w=2592000' },
    [],
  ],
  [
    'no window of the structured form of more than a day',
    {
      ratelimit: '"month";r=0;t=900, "default";r=5;t=9',
      'ratelimit-policy': '"month";q=10000;w=999999999999999, "default";q=300;w=60',
    },
    [{ limit: 300, remaining: 5, resetInMs: 9000, windowMs: 60_000 }],
  ],
  [
    'no window of the separate headers of more than a day',
    { 'x-ratelimit-limit': '10000', 'x-ratelimit-remaining': '0', 'ratelimit-policy': '10000;w=2592000' },
    [],
  ],
  [
    'the separate headers next to a policy of more than a day',
    {
      ratelimit: '"month";r=0;t=900',
      'x-ratelimit-remaining': '5',
      'ratelimit-policy': '"month";q=10000;w=2592000, 300;w=60',
    },
    [{ limit: 300, remaining: 5, windowMs: 60_000 }],
  ],
];

const separate: readonly WindowCase[] = [
  [
    'the X- form with an epoch',
    { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '59', 'x-ratelimit-reset': String(NOW_SECONDS + 30) },
    [{ limit: 60, remaining: 59, resetInMs: 30_000 }],
  ],
  [
    'the form without X-, with an epoch',
    { 'ratelimit-limit': '300', 'ratelimit-remaining': '0', 'ratelimit-reset': String(NOW_SECONDS + 5) },
    [{ limit: 300, remaining: 0, resetInMs: 5000 }],
  ],
  [
    'both forms, that without X- first',
    {
      'ratelimit-limit': '300',
      'ratelimit-remaining': '9',
      'ratelimit-reset': '5',
      'x-ratelimit-limit': '60',
      'x-ratelimit-remaining': '8',
      'x-ratelimit-reset': '4',
    },
    [{ limit: 300, remaining: 9, resetInMs: 5000 }],
  ],
  [
    'the policy with the limit of the separate headers, of several',
    { 'ratelimit-limit': '300', 'ratelimit-remaining': '9', 'ratelimit-policy': ['10;w=10', '300;w=60'] },
    [
      { limit: 300, remaining: 9, windowMs: 60_000 },
      { limit: 10, windowMs: 10_000 },
    ],
  ],
  [
    'no policy for separate headers without a limit, of several',
    { 'x-ratelimit-remaining': '9', 'ratelimit-policy': '10;w=10, 300;w=60' },
    [{ remaining: 9 }, { limit: 10, windowMs: 10_000 }, { limit: 300, windowMs: 60_000 }],
  ],
  [
    'no policy for separate headers of another limit, of several',
    { 'x-ratelimit-limit': '60', 'ratelimit-policy': '10;w=10, 300;w=60' },
    [{ limit: 60 }, { limit: 10, windowMs: 10_000 }, { limit: 300, windowMs: 60_000 }],
  ],
  [
    'the only policy for separate headers without a limit',
    { 'x-ratelimit-remaining': '9', 'x-ratelimit-reset': '7', 'ratelimit-policy': ', 300;w=60, x;y=1,' },
    [{ limit: 300, remaining: 9, resetInMs: 7000, windowMs: 60_000 }],
  ],
  [
    'the only policy for separate headers of a lower limit, which counts',
    { 'x-ratelimit-limit': '60', 'ratelimit-policy': '300;w=60' },
    [{ limit: 60, windowMs: 60_000 }],
  ],
  [
    'the only policy for separate headers of a higher limit, which does not',
    { 'x-ratelimit-limit': '300', 'ratelimit-policy': '60;w=60' },
    [{ limit: 60, windowMs: 60_000 }],
  ],
  [
    'everything of one window in three spellings',
    {
      ratelimit: 'limit=300, remaining=299, reset=52',
      'ratelimit-policy': '300;w=60',
      'ratelimit-limit': '300',
      'ratelimit-remaining': '298',
      'ratelimit-reset': String(NOW_SECONDS + 51),
      'x-ratelimit-limit': '300',
      'x-ratelimit-remaining': '297',
      'x-ratelimit-reset': String(NOW_SECONDS + 50),
    },
    [{ limit: 300, remaining: 299, resetInMs: 52_000, windowMs: 60_000 }],
  ],
  [
    'what RateLimit leaves out from the separate headers',
    {
      ratelimit: 'limit=300',
      'ratelimit-policy': '300;w=60',
      'x-ratelimit-limit': '300',
      'x-ratelimit-remaining': '7',
      'x-ratelimit-reset': '9',
    },
    [{ limit: 300, remaining: 7, resetInMs: 9000, windowMs: 60_000 }],
  ],
  [
    'separate headers without a limit next to RateLimit',
    { ratelimit: 'limit=300, remaining=8', 'x-ratelimit-remaining': '7', 'x-ratelimit-reset': '9' },
    [{ limit: 300, remaining: 8, resetInMs: 9000 }],
  ],
  [
    'RateLimit without a limit next to separate headers',
    { ratelimit: '"default";r=8', 'x-ratelimit-limit': '300', 'x-ratelimit-reset': '9' },
    [{ limit: 300, remaining: 8, resetInMs: 9000 }],
  ],
  [
    'windows without a limit next to separate headers, which may be of any of them',
    { ratelimit: '"default";r=8, "burst";r=3', 'x-ratelimit-limit': '300', 'x-ratelimit-reset': '9' },
    [{ remaining: 8 }, { remaining: 3 }, { limit: 300, resetInMs: 9000 }],
  ],
  [
    'separate headers of another window than RateLimit',
    { ratelimit: 'limit=300, remaining=299, reset=52', 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '2' },
    [
      { limit: 300, remaining: 299, resetInMs: 52_000 },
      { limit: 10, remaining: 2 },
    ],
  ],
  [
    'separate headers of the second window of RateLimit',
    {
      ratelimit: '"default";r=299;t=52, "burst";r=3',
      'ratelimit-policy': '"default";q=300;w=60, "burst";q=10;w=10',
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '2',
      'x-ratelimit-reset': '6',
    },
    [
      { limit: 300, remaining: 299, resetInMs: 52_000, windowMs: 60_000 },
      { limit: 10, remaining: 3, resetInMs: 6000, windowMs: 10_000 },
    ],
  ],
  [
    'nothing more where the only policy is of one of several windows',
    { ratelimit: '"default";r=299;t=52, "burst";r=3', 'ratelimit-policy': '"default";q=300;w=60' },
    [{ limit: 300, remaining: 299, resetInMs: 52_000, windowMs: 60_000 }, { remaining: 3 }],
  ],
  ['a limit followed by its policies', { 'ratelimit-limit': '100, 100;w=10' }, [{ limit: 100 }]],
  [
    'a header that came twice: its first',
    { 'x-ratelimit-limit': ['60', '70'], 'x-ratelimit-remaining': ['5', '6'] },
    [{ limit: 60, remaining: 5 }],
  ],
];

const resets: readonly WindowCase[] = [
  ['a reset in seconds from now', { 'ratelimit-reset': '52' }, [{ resetInMs: 52_000 }]],
  ['a reset in epoch milliseconds', { 'x-ratelimit-reset': String(NOW_MS + 1234) }, [{ resetInMs: 1234 }]],
  ['a reset with a fraction', { 'ratelimit-reset': '1.5' }, [{ resetInMs: 1500 }]],
  ['a reset with less than a millisecond as one', { 'ratelimit-reset': '0.0001' }, [{ resetInMs: 1 }]],
  ['an epoch in the combined form', { ratelimit: `reset=${NOW_SECONDS + 52}` }, [{ resetInMs: 52_000 }]],
  ['an epoch in the structured form', { ratelimit: `"default";t=${NOW_SECONDS + 52}` }, [{ resetInMs: 52_000 }]],
  [
    'an epoch against a sender ahead of us',
    { date: DATE_AHEAD, 'x-ratelimit-reset': String(NOW_SECONDS + 3600 + 20) },
    [{ resetInMs: 20_000 }],
  ],
  [
    'an epoch against a sender behind us',
    { date: DATE_BEHIND, ratelimit: `reset=${NOW_SECONDS - 3600 + 20}` },
    [{ resetInMs: 20_000 }],
  ],
  [
    'epoch milliseconds against a sender ahead of us',
    { date: DATE_AHEAD, 'x-ratelimit-reset': String(NOW_MS + 3_600_000 + 20) },
    [{ resetInMs: 20 }],
  ],
  [
    'seconds from now whatever the clock of the sender',
    { date: DATE_AHEAD, ratelimit: 'reset=20' },
    [{ resetInMs: 20_000 }],
  ],
  [
    'an epoch against our clock if the date is unreadable',
    { date: 'yesterday', 'x-ratelimit-reset': String(NOW_SECONDS + 20) },
    [{ resetInMs: 20_000 }],
  ],
  ['a reset that has passed as now', { 'x-ratelimit-reset': String(NOW_SECONDS - 5) }, [{ resetInMs: 0 }]],
  ['the least epoch seconds', { 'x-ratelimit-reset': '1000000000' }, [{ resetInMs: 0 }]],
  ['the greatest seconds from now, which no window lasts', { 'x-ratelimit-reset': '999999999' }, []],
  ['the least epoch milliseconds', { 'x-ratelimit-reset': '1000000000000' }, [{ resetInMs: 0 }]],
  ['the greatest epoch seconds, which no window lasts', { 'x-ratelimit-reset': '999999999999' }, []],
  ['a reset in 31 days', { 'x-ratelimit-reset': String(31 * DAY_SECONDS) }, [{ resetInMs: 31 * DAY_SECONDS * 1000 }]],
  ['no reset later than 31 days', { 'x-ratelimit-reset': String(NOW_SECONDS + 31 * DAY_SECONDS + 1) }, []],
  [
    'the reset of another spelling if the first is later than 31 days',
    { 'ratelimit-reset': '999999999', 'x-ratelimit-reset': '7' },
    [{ resetInMs: 7000 }],
  ],
];

const oddities: readonly WindowCase[] = [
  ['nothing', {}, []],
  [
    'negative counts as 0',
    { 'x-ratelimit-remaining': '-3', 'x-ratelimit-reset': '-1' },
    [{ remaining: 0, resetInMs: 0 }],
  ],
  [
    'fractions of calls rounded down',
    { 'x-ratelimit-limit': '60.9', 'x-ratelimit-remaining': '0.9' },
    [{ limit: 60, remaining: 0 }],
  ],
  [
    'counts capped at 32 bits',
    { 'x-ratelimit-limit': '2147483648', 'x-ratelimit-remaining': '999999999999999' },
    [{ limit: 2_147_483_647, remaining: 2_147_483_647 }],
  ],
  ['no limit below one', { 'x-ratelimit-limit': '0', 'ratelimit-policy': '-5;w=0', ratelimit: 'limit=0.5' }, []],
  ['a limit of one', { 'x-ratelimit-limit': '1' }, [{ limit: 1 }]],
  ['the next spelling of a limit below one', { 'ratelimit-limit': '0', 'x-ratelimit-limit': '60' }, [{ limit: 60 }]],
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
    [],
  ],
  [
    'a readable spelling after garbage',
    { ratelimit: '???', 'ratelimit-limit': '-', 'x-ratelimit-limit': '60' },
    [{ limit: 60 }],
  ],
  [
    'no key of objects',
    { ratelimit: '__proto__;r=1, constructor=2', 'ratelimit-policy': '__proto__;q=2;w=3, toString;w=1' },
    [{ limit: 2, remaining: 1, windowMs: 3000 }],
  ],
  [
    'no more than eight windows',
    {
      'ratelimit-policy': Array.from({ length: 20 }, (_, index) => `${index + 1};w=60`),
      ratelimit: 'limit=12, remaining=5',
    },
    [
      { limit: 12, remaining: 5, windowMs: 60_000 },
      ...[1, 2, 3, 4, 5, 6, 7].map((limit) => ({ limit, windowMs: 60_000 })),
    ],
  ],
  ['a header as long as any can be', { 'x-ratelimit-limit': `60,${' '.repeat(1021)}` }, [{ limit: 60 }]],
  ['no header that is longer', { 'x-ratelimit-limit': `60,${' '.repeat(1022)}` }, []],
  ['no list that is longer', { 'x-ratelimit-limit': ['60', ' '.repeat(1021)] }, []],
];

const months: readonly (readonly [string, ResponseHeaders, AnnouncedRateLimit])[] = [
  [
    'the monthly quota',
    { 'ratelimit-limit-month': '10000', 'ratelimit-remaining-month': '0' },
    { windows: [], monthLimit: 10_000, monthRemaining: 0 },
  ],
  [
    'the monthly quota in the X- form',
    { 'x-ratelimit-limit-month': '10000', 'x-ratelimit-remaining-month': '9999' },
    { windows: [], monthLimit: 10_000, monthRemaining: 9999 },
  ],
  [
    'both forms of the monthly quota, that without X- first',
    {
      'ratelimit-limit-month': '10000',
      'ratelimit-remaining-month': '7',
      'x-ratelimit-limit-month': '9',
      'x-ratelimit-remaining-month': '8',
    },
    { windows: [], monthLimit: 10_000, monthRemaining: 7 },
  ],
  ['what is left of the month alone', { 'ratelimit-remaining-month': '-9' }, { windows: [], monthRemaining: 0 }],
  [
    'no monthly quota where there is no limit',
    { 'ratelimit-limit-month': '99999999', 'ratelimit-remaining-month': '99999998' },
    { windows: [] },
  ],
  [
    'the largest monthly quota',
    { 'ratelimit-limit-month': '99999998', 'ratelimit-remaining-month': '99999997' },
    { windows: [], monthLimit: 99_999_998, monthRemaining: 99_999_997 },
  ],
  [
    'the month and the windows',
    { 'x-ratelimit-limit': '60', 'ratelimit-limit-month': '10000' },
    { windows: [{ limit: 60 }], monthLimit: 10_000 },
  ],
];

const NAMES = ['ratelimit', 'ratelimit-policy', 'date'].concat(
  ['limit', 'remaining', 'reset', 'limit-month', 'remaining-month'].flatMap((name) => [
    `ratelimit-${name}`,
    `x-ratelimit-${name}`,
  ]),
);

/** Header values: pieces of real ones in any order, dates, numbers of any size, and arbitrary text. */
const anyValue = () => {
  const number = oneof(integer({ min: -5, max: 400 }), integer(), double(), constantFrom(1e9, 1e12, 999_999_999)).map(
    String,
  );
  const glue = constantFrom(
    ',',
    ';',
    '=',
    '"',
    ' ',
    'limit=',
    'remaining=',
    'reset=',
    '"a"',
    'b',
    ';q=',
    ';w=',
    ';r=',
    ';t=',
  );
  const pieces = array(oneof(number, glue), { maxLength: 30 }).map((all) => all.join(''));
  const dates = date({ noInvalidDate: true }).map((at) => at.toUTCString());
  return oneof(pieces, number, dates, string(), array(pieces, { maxLength: 4 }));
};

describe('parseRateLimitHeaders', () => {
  it.each([...combined, ...structured, ...policies, ...separate, ...resets, ...oddities])(
    'reads %s',
    (_, headers, windows) => {
      expect(parseRateLimitHeaders(headers, responseClockMs(headers, NOW_MS))).toStrictEqual({ windows });
    },
  );

  it.each(months)('reads %s', (_, headers, expected) => {
    expect(parseRateLimitHeaders(headers, NOW_MS)).toStrictEqual(expected);
  });

  it('ignores headers longer than any rate limit', () => {
    const nothing = { windows: [] };
    expect(parseRateLimitHeaders({ 'x-ratelimit-limit': `6${'0'.repeat(10_000_000)}` }, NOW_MS)).toStrictEqual(nothing);
    expect(parseRateLimitHeaders({ ratelimit: `limit=3${', x=1'.repeat(1_000_000)}` }, NOW_MS)).toStrictEqual(nothing);
  });

  it('returns only values within bounds for any headers', () => {
    const isWithin = (value: number | undefined, least: number, most: number) =>
      value === undefined || (Number.isInteger(value) && value >= least && value <= most);
    assert(
      property(dictionary(constantFrom(...NAMES), anyValue()), (headers) => {
        const { windows, monthLimit, monthRemaining } = parseRateLimitHeaders(headers, NOW_MS);
        expect(windows.length).toBeLessThanOrEqual(8);
        expect(isWithin(monthLimit, 1, 99_999_998) && isWithin(monthRemaining, 0, 2 ** 31 - 1)).toBe(true);
        for (const { limit, remaining, resetInMs, windowMs } of windows) {
          expect(limit ?? remaining ?? resetInMs).toBeDefined();
          expect([limit, remaining, resetInMs, windowMs]).toSatisfy(
            () =>
              isWithin(limit, 1, 2 ** 31 - 1) &&
              isWithin(remaining, 0, 2 ** 31 - 1) &&
              isWithin(resetInMs, 0, 31 * DAY_SECONDS * 1000) &&
              isWithin(windowMs, 1, DAY_SECONDS * 1000),
          );
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('readHeader', () => {
  it.each([
    ['one', ' a ', 'a'],
    ['several', ['a', 'b '], 'a, b'],
    ['none', undefined, undefined],
    ['an empty one', '', ''],
  ])('reads %s', (_, value, expected) => {
    expect(readHeader({ name: value }, 'name')).toBe(expected);
  });
});

describe('leadingNumber', () => {
  it.each([
    ['300', 300],
    ['-5', -5],
    ['+5', 5],
    ['1.25', 1.25],
    ['300;w=60', 300],
    ['7  , 7', 7],
    ['999999999999999', 999_999_999_999_999],
    ['0.123456789', 0.123456789],
  ])('reads %s', (text, expected) => {
    expect(leadingNumber(text)).toBe(expected);
  });

  it.each(['', 'a7', '7a', ';7', '.5', '5.', '--5', '7 7', '1e3', '1000000000000000', '0.1234567891', undefined])(
    'does not read %s',
    (text) => {
      expect(leadingNumber(text)).toBeUndefined();
    },
  );
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

  it.each(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])('reads a date on %s', (day) => {
    expect(parseHttpDateMs(`${day}, 06 Nov 1994 08:49:37 GMT`)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
  });

  it.each([
    '7',
    '',
    'soon',
    'Sunday',
    'Mon 7',
    '1994-11-06',
    '1994-11-06T08:49:37Z',
    'Sun, 99 Nov 1994 08:49:37 GMT',
    'Date: Sun, 06 Nov 1994 08:49:37 GMT',
    undefined,
  ])('does not read %s', (text) => {
    expect(parseHttpDateMs(text)).toBeUndefined();
  });
});

describe('responseClockMs', () => {
  it('is the clock of the sender, or else ours', () => {
    expect(responseClockMs({ date: DATE_AHEAD }, NOW_MS)).toBe(NOW_MS + 3_600_000);
    expect(responseClockMs({ date: 'soon' }, NOW_MS)).toBe(NOW_MS);
    expect(responseClockMs({}, NOW_MS)).toBe(NOW_MS);
  });
});

describe('toWaitMs', () => {
  it('is between 0 and 31 days, in whole milliseconds', () => {
    const mostMs = 31 * DAY_SECONDS * 1000;
    expect([-Infinity, -1, 0, 0.1, 1, mostMs, mostMs + 0.1, Infinity].map(toWaitMs)).toStrictEqual([
      0,
      0,
      0,
      1,
      1,
      mostMs,
      undefined,
      undefined,
    ]);
  });
});
