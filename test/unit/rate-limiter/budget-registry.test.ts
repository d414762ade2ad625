import { describe, expect, it } from 'vitest';
import { createBudgetRegistry } from '../../../src/upstream/rate-limiter/budget-registry.ts';
import { createFairShare } from '../../../src/upstream/rate-limiter/queue/fair-share.ts';
import { toBudgetOptions } from '../../support/budget-options.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

function createSetup() {
  const clock = createVirtualClock();
  const budgets = createBudgetRegistry({
    ...toBudgetOptions(clock),
    maxBytes: 140_000_000,
  });
  /** Makes one call with a key; its response is immediate. */
  const use = async (tenant: string) => {
    const budget = budgets.of(tenant).current;
    const place = budget.enter('general', createFairShare(), 'key', () => {});
    await place.admitted;
    place.settle();
    return budget;
  };
  const useMany = async (count: number, prefix: string) => {
    for (let index = 0; index < count; index++) await use(`${prefix} ${index}`);
  };
  const remaining = (tenant: string) => budgets.of(tenant).view.snapshot().remaining;
  return { clock, budgets, use, useMany, remaining };
}

describe('createBudgetRegistry', () => {
  it('gives each API key a budget of its own', () => {
    const { budgets } = createSetup();
    expect(budgets.of('one').current).toBe(budgets.of('one').current);
    expect(budgets.of('one').current).not.toBe(budgets.of('two').current);
  });

  it('separates budgets: slots used by one key are not missing from another', async () => {
    const { use, remaining } = createSetup();
    await use('one');
    expect([remaining('one'), remaining('two')]).toEqual([59, 60]);
  });

  it('creates no budget when only its view is read', () => {
    const { budgets } = createSetup();
    const views = Array.from({ length: 100 }, (_, index) => budgets.of(`tenant ${index}`).view);
    expect(new Set(views).size).toBe(1);
    expect(views[0]?.snapshot()).toMatchObject({ limit: 60, remaining: 60, restoredInMs: 0, hasResponse: false });
  });

  it('drops a budget only after its windows have passed', async () => {
    const { clock, budgets, use, useMany } = createSetup();
    const budget = await use('one');
    await clock.advance(59_999);
    await useMany(2_000, 'other');
    expect(budgets.of('one').view).toBe(budget.view);
    await clock.advance(60_000);
    await useMany(4_000, 'another');
    expect(budgets.of('one').view).not.toBe(budget.view);
  });

  it('drops unused budgets as new ones are created, before the memory is used up', async () => {
    const { clock, budgets, use, useMany } = createSetup();
    const old = await use('old');
    await clock.advance(60_000);
    await use('new');
    await useMany(1, 'another');
    expect(budgets.of('old').view).not.toBe(old.view);
  });

  it('does not drop a budget with a waiting or in-flight call', async () => {
    const { clock, budgets, useMany } = createSetup();
    const out = budgets.of('out').current;
    await out.enter('general', createFairShare(), 'key', () => {}).admitted;
    const waiting = budgets.of('waiting').current;
    waiting.slots.pause(clock.nowMs() + 200_000);
    waiting.enter('general', createFairShare(), 'key', () => {});
    await clock.advance(100_000);
    await useMany(12_000, 'other');
    expect([budgets.of('out').view, budgets.of('waiting').view]).toEqual([out.view, waiting.view]);
  });

  it('drops a budget without calls to make space for a new one when more than ten thousand exist', async () => {
    const { budgets, use, useMany } = createSetup();
    const busy = budgets.of('busy').current;
    await busy.enter('general', createFairShare(), 'key', () => {}).admitted;
    const first = await use('first');
    const second = await use('second');
    await useMany(9_997, 'other');
    const before = [budgets.of('busy').view, budgets.of('first').view, budgets.of('second').view];
    const late = await use('one more');
    expect(before).toEqual([busy.view, first.view, second.view]);
    expect(budgets.of('one more').view).toBe(late.view);
    expect([budgets.of('busy').view === busy.view, budgets.of('first').view === first.view]).toEqual([true, false]);
  });

  it('merges the budgets of one user, until all of its keys have been dropped', async () => {
    const { clock, budgets, use, useMany, remaining } = createSetup();
    for (const tenant of ['one', 'two', 'three']) {
      await use(tenant);
      budgets.of(tenant).belongsTo('user');
      budgets.of(tenant).belongsTo('user');
    }
    expect([remaining('one'), remaining('two'), remaining('three')]).toEqual([57, 57, 57]);
    await clock.advance(60_000);
    await useMany(10, 'other');
    await use('four');
    budgets.of('four').belongsTo('user');
    expect([remaining('four'), remaining('one')]).toEqual([59, 60]);
  });

  it('moves a key to the budget of another user', async () => {
    const { budgets, use, remaining } = createSetup();
    for (const tenant of ['one', 'two']) await use(tenant);
    budgets.of('one').belongsTo('user');
    budgets.of('two').belongsTo('user');
    await use('three');
    budgets.of('three').belongsTo('somebody else');
    expect([remaining('one'), remaining('two'), remaining('three')]).toEqual([58, 58, 59]);
  });
});
