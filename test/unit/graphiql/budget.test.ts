import { expect, it } from 'vitest';
import { createBudget, parseBudget, withReported } from '../../../src/graphiql/budget.ts';

const policy = '"general";q=60;w=60, "burst";q=10;w=10';

it('reads both windows from the headers', () => {
  expect(parseBudget(policy, '"general";r=52;t=38, "burst";r=9;t=8')).toEqual([
    { name: 'general', limit: 60, windowSeconds: 60, free: 52, fullInMs: 38_000 },
    { name: 'burst', limit: 10, windowSeconds: 10, free: 9, fullInMs: 8_000 },
  ]);
});

it.each([
  [null, '"general";r=52;t=38'],
  [policy, null],
  ['', ''],
  ['nonsense', '"general"'],
  ['"general";q=0;w=60', '"general";r=0;t=0'],
])('has no windows for %j and %j', (given, rateLimit) => {
  expect(parseBudget(given, rateLimit)).toEqual([]);
});

it('lets slots come back one response after the other', () => {
  const budget = createBudget();
  const freeAt = (nowMs: number) => budget.at(nowMs)[0]?.free;
  budget.note(parseBudget(policy, '"general";r=57;t=60'), 0);
  budget.note(parseBudget(policy, '"general";r=50;t=60'), 20_000);
  expect([20_000, 59_999, 60_000, 79_999, 80_000].map(freeAt)).toEqual([50, 50, 53, 53, 60]);
  expect(budget.at(60_000)[0]?.fullInMs).toBe(20_000);
});

it('believes a response that reports more free slots than expected', () => {
  const budget = createBudget();
  budget.note(parseBudget(policy, '"general";r=0;t=60'), 0);
  budget.note(parseBudget(policy, '"general";r=60;t=0'), 10);
  expect(budget.at(10)[0]?.free).toBe(60);
});

it('takes the budget of the extensions for the general window, by the clock of the server', () => {
  const windows = parseBudget(policy, '"general";r=52;t=38, "burst";r=9;t=8');
  const reported = { remaining: 47, resetAt: '2026-11-29T10:01:00.000Z' };
  expect(withReported(windows, reported, Date.parse('2026-11-29T10:00:15.000Z'))).toEqual([
    { ...windows[0], free: 47, fullInMs: 45_000 },
    windows[1],
  ]);
  expect(withReported(windows, { remaining: 60, resetAt: null }, 0)[0]).toMatchObject({ free: 60, fullInMs: 0 });
});
