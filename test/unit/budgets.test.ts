import { describe, expect, it } from 'vitest';
import { createBudgets } from '../../src/upstream/budgets.ts';
import { createShare } from '../../src/upstream/share.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

function createSetup() {
  const clock = createVirtualClock();
  const budgets = createBudgets({
    general: { limit: 60, windowMs: 60_000, isCap: false },
    burst: { limit: 10, windowMs: 10_000 },
    reservedCalls: 5,
    maxConcurrentCalls: 10,
    coldStart: 'off',
    processStartedAtMs: clock.nowMs(),
    clock,
  });
  /** Has a tenant make one call that is answered at once. */
  const use = async (tenant: string) => {
    const budget = budgets.of(tenant)?.current;
    if (!budget) return undefined;
    const place = budget.enter('general', createShare(), 'key', () => {});
    await place.admitted;
    place.settle();
    return budget;
  };
  const useMany = async (count: number, prefix: string) => {
    for (let index = 0; index < count; index++) await use(`${prefix} ${index}`);
  };
  return { clock, budgets, use, useMany };
}

describe('createBudgets', () => {
  it('gives each tenant one budget of its own', () => {
    const { budgets } = createSetup();
    expect(budgets.of('one')).toBe(budgets.of('one'));
    expect(budgets.of('one')).not.toBe(budgets.of('two'));
  });

  it('keeps budgets apart: what one uses is not missing to another', async () => {
    const { budgets, use } = createSetup();
    await use('one');
    expect([budgets.of('one'), budgets.of('two')].map((key) => key?.current.snapshot().remaining)).toEqual([59, 60]);
  });

  it('forgets a budget only after its windows have passed', async () => {
    const { clock, budgets, use, useMany } = createSetup();
    const budget = await use('one');
    await clock.advance(59_999);
    await useMany(2_000, 'other');
    expect(budgets.of('one')?.current).toBe(budget);
    await clock.advance(60_000);
    await useMany(4_000, 'another');
    expect(budgets.of('one')?.current).not.toBe(budget);
  });

  it('does not forget a budget whose call is out or waits', async () => {
    const { clock, budgets, useMany } = createSetup();
    const out = budgets.of('out')?.current;
    await out?.enter('general', createShare(), 'key', () => {}).admitted;
    const waiting = budgets.of('waiting')?.current;
    waiting?.pause(clock.nowMs() + 200_000);
    waiting?.enter('general', createShare(), 'key', () => {});
    await clock.advance(100_000);
    await useMany(4_000, 'other');
    expect([budgets.of('out')?.current, budgets.of('waiting')?.current]).toEqual([out, waiting]);
  });

  it('keeps count of so many keys at once and refuses more, until some are no longer in use', async () => {
    const { clock, budgets, use, useMany } = createSetup();
    const first = await use('first');
    await useMany(9_999, 'other');
    expect([budgets.of('one more'), budgets.of('first')?.current]).toEqual([undefined, first]);
    await clock.advance(60_000);
    expect(budgets.of('one more')).toBeDefined();
  });
});
