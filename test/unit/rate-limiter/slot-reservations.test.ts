import { describe, expect, it } from 'vitest';
import { AdmissionQueue } from '../../../src/upstream/rate-limiter/queue/admission-queue.ts';
import { RateLimiter } from '../../../src/upstream/rate-limiter/rate-limiter.ts';
import { createFairShare } from '../../../src/upstream/rate-limiter/queue/fair-share.ts';
import { SlotReservations } from '../../../src/upstream/rate-limiter/queue/slot-reservations.ts';
import type { SlotGrant, SlotSource } from '../../../src/upstream/rate-limiter/slot-source.ts';
import { toBudgetOptions } from '../../support/budget-options.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

/** A source that records reservations, and grants them on request. */
class RecordingSource extends RateLimiter {
  readonly maxFractions: number[] = [];
  readonly given: SlotGrant[] = [];
  readonly returned: SlotGrant[] = [];
  readonly #pending: (() => void)[] = [];

  override reserve(...[request, maxFraction, done]: Parameters<SlotSource['reserve']>): void {
    this.maxFractions.push(maxFraction);
    this.#pending.push(() =>
      super.reserve(request, 1, (grant) => {
        if (grant) this.given.push(grant);
        done(grant);
      }),
    );
  }

  override giveBack(...args: Parameters<RateLimiter['giveBack']>): void {
    this.returned.push(args[0]);
    super.giveBack(...args);
  }

  /** Grants all pending requests. */
  answer(): void {
    for (const grant of this.#pending.splice(0)) grant();
  }
}

function createSetup() {
  const clock = createVirtualClock();
  const options = toBudgetOptions(clock);
  const slots = new RecordingSource(options, () => {});
  const queue = new AdmissionQueue(slots, options.reservedCalls, clock);
  const reservations = new SlotReservations(slots, queue, clock);
  return {
    clock,
    slots,
    reservations,
    /** Reserves a slot for a call that is expected after so many milliseconds. */
    keep(key: string, inMs: number) {
      const share = createFairShare();
      const position = queue.nextPosition('general', share);
      queue.count('general', share, position);
      reservations.add(key, { routeClass: 'general', position, retryAtMs: clock.nowMs() + inMs });
    },
    remaining: () => slots.view.snapshot().remaining,
  };
}

describe('slots reserved for a refused call', () => {
  it('are requested at its retry time and held for two seconds; its position is reserved for a minute more', async () => {
    const { clock, slots, reservations, keep, remaining } = createSetup();
    keep('a', 1_000);
    await clock.advance(999);
    expect(slots.maxFractions).toEqual([]);
    await clock.advance(1);
    slots.answer();
    expect([slots.maxFractions, reservations.find('a')?.grant, remaining()]).toEqual([[1], slots.given[0], 59]);
    await clock.advance(1_999);
    expect([slots.returned, remaining()]).toEqual([[], 59]);
    await clock.advance(1);
    expect([slots.returned, reservations.find('a')?.grant, remaining()]).toEqual([slots.given, undefined, 60]);
    await clock.advance(59_999);
    expect(reservations.find('a')?.position).toBeDefined();
    await clock.advance(1);
    expect(reservations.find('a')).toBeUndefined();
  });

  it('are given back once, when the call arrives', async () => {
    const { clock, slots, reservations, keep, remaining } = createSetup();
    keep('a', 0);
    slots.answer();
    expect(reservations.redeem('a')?.grant).toBe(slots.given[0]);
    expect([slots.returned, remaining()]).toEqual([slots.given, 60]);
    await clock.advance(120_000);
    expect(slots.returned).toHaveLength(1);
  });

  it('are a smaller fraction of a window when fewer calls return, and a larger one again when more do', async () => {
    const { clock, slots, reservations, keep } = createSetup();
    const refuse = async (key: string, inMs: number) => {
      keep(key, inMs);
      await clock.advance(inMs);
      slots.answer();
    };
    await refuse('stays away', 100);
    await clock.advance(2_000);
    await refuse('stays away, too', 100);
    await clock.advance(2_000);
    await refuse('comes', 100);
    reservations.redeem('comes');
    keep('comes too soon', 10_000);
    reservations.redeem('comes too soon');
    await refuse('last', 100);
    const afterTwo = (7 / 8) ** 2;
    expect(slots.maxFractions).toEqual([1, 7 / 8, afterTwo, afterTwo + (1 - afterTwo) / 8]);
  });

  it.each<[string, (setup: ReturnType<typeof createSetup>) => void]>([
    ['it has come back', ({ reservations }) => void reservations.redeem('a')],
    ['all are forgotten', ({ reservations }) => reservations.clear()],
    ['it has been refused again', ({ keep }) => keep('a', 10_000)],
  ])('are given back at once where they are granted when %s meanwhile', async (_, happen) => {
    const setup = createSetup();
    const { clock, slots, reservations, keep, remaining } = setup;
    keep('a', 0);
    happen(setup);
    expect(slots.returned).toEqual([]);
    slots.answer();
    expect(slots.given).toHaveLength(1);
    expect([slots.returned, reservations.find('a')?.grant, remaining()]).toEqual([slots.given, undefined, 60]);
    await clock.advance(5_000);
    expect(slots.returned).toHaveLength(1);
  });

  it('are given back when the call is refused again, and when all reservations are cleared', () => {
    const { slots, reservations, keep, remaining } = createSetup();
    for (const key of ['a', 'b']) keep(key, 0);
    slots.answer();
    slots.answer();
    keep('a', 10_000);
    expect([slots.returned, remaining()]).toEqual([slots.given.slice(0, 1), 59]);
    reservations.clear();
    expect([slots.returned, remaining()]).toEqual([slots.given, 60]);
  });
});
