import { describe, expect, it } from 'vitest';
import { Budget, type BudgetOptions } from '../../../src/upstream/rate-limiter/budget.ts';
import { RateLimiter } from '../../../src/upstream/rate-limiter/rate-limiter.ts';
import { createFairShare, type FairShare } from '../../../src/upstream/rate-limiter/queue/fair-share.ts';
import type { SlotSource } from '../../../src/upstream/rate-limiter/slot-source.ts';
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts';

const REPLY_MS = 5;
const LATENCY_MS = 300;

/** Delays the replies of a source, like a network. */
function toSlow(slots: SlotSource, clock: VirtualClock): SlotSource {
  const later = (run: () => void) => void clock.schedule(clock.nowMs() + REPLY_MS, run);
  return {
    view: slots.view,
    isShared: slots.isShared,
    take: (request, done) => later(() => slots.take(request, done)),
    reserve: (request, maxFraction, done) => later(() => slots.reserve(request, maxFraction, done)),
    redeem: (request, done) => later(() => slots.redeem(request, done)),
    settle: (grant, announced, isRateLimited) => slots.settle(grant, announced, isRateLimited),
    giveBack: (grant, done) => slots.giveBack(grant, done),
    pause: (untilMs) => slots.pause(untilMs),
    exhaustMonthlyQuota: () => slots.exhaustMonthlyQuota(),
    absorb: (other) => slots.absorb(other),
  };
}

function createSetup(options: Partial<BudgetOptions> = {}) {
  const clock = createVirtualClock();
  const startMs = clock.nowMs();
  const limits: BudgetOptions = {
    general: { limit: 6, windowMs: 60_000, isCap: false },
    reservedCalls: 0,
    maxConcurrentCalls: 100,
    coldStart: 'off',
    processStartedAtMs: startMs,
    ...options,
    clock,
  };
  const budget = new Budget({ ...limits, createSlots: (onDelay) => toSlow(new RateLimiter(limits, onDelay), clock) });
  const sent: [name: string, atMs: number][] = [];
  const call = (name: string, share: FairShare = createFairShare(), key = name) => {
    const queued = budget.enter('general', share, key, () => {});
    const answer = async () => {
      await queued.admitted;
      sent.push([name, clock.nowMs() - startMs]);
      clock.schedule(clock.nowMs() + LATENCY_MS, () => queued.settle({ windows: [] }));
    };
    void answer();
    return queued;
  };
  return { clock, budget, sent, call };
}

describe('a budget with a slot source that replies later', () => {
  it('requests slots for one call after the other, in the order of the queue', async () => {
    const { clock, sent, call } = createSetup();
    const large = createFairShare();
    for (let index = 0; index < 6; index++) call('large', large);
    call('small');
    await clock.advance(100);
    // The small operation arrived during the first request.
    expect(sent).toEqual(['large', 'small', 'large', 'large', 'large', 'large'].map((name, i) => [name, 5 * (i + 1)]));
    await clock.advance(61_000);
    expect(sent.slice(6)).toEqual([['large', 60_310]]);
  });

  it('gives back slots granted to a call that left in the meantime', async () => {
    const { clock, budget, sent, call } = createSetup();
    const gone = call('gone');
    call('next');
    gone.leave();
    await clock.advance(100);
    expect([sent, gone.isAdmitted()]).toEqual([[['next', 10]], false]);
    await clock.advance(1_000);
    expect(budget.view.snapshot()).toMatchObject({ remaining: 5, queuedCalls: 0 });
  });

  it('serves a refused call that returns at its retry time, whatever calls wait', async () => {
    const { clock, budget, sent, call } = createSetup();
    for (let index = 0; index < 6; index++) call(`first ${index}`);
    await clock.advance(1_000);
    const atMs = budget.reserveSlotAtMs('general', createFairShare(), 'back');
    for (let index = 0; index < 12; index++) call(`other ${index}`);
    await clock.advance(atMs - clock.nowMs() + 1_000);
    call('back');
    await clock.advance(100);
    expect(sent.map(([name]) => name)).toContain('back');
    expect(sent).toHaveLength(12);
  });

  it('serves a call that returns while its slots are being reserved', async () => {
    const { clock, budget, sent, call } = createSetup();
    for (let index = 0; index < 6; index++) call(`first ${index}`);
    await clock.advance(1_000);
    const atMs = budget.reserveSlotAtMs('general', createFairShare(), 'back');
    for (let index = 0; index < 6; index++) call(`other ${index}`);
    await clock.advance(atMs - clock.nowMs() + 1);
    call('back');
    await clock.advance(10_000);
    expect(sent.slice(6).map(([name]) => name)).toContain('back');
    expect(sent).toHaveLength(12);
    await clock.advance(60_000);
    expect([sent.length, budget.view.isQuiet()]).toEqual([13, true]);
  });
});
