import { array, asyncProperty, assert, constant, constantFrom, integer, oneof, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnnouncedRateLimit } from '../../src/upstream/http/rate-limit-headers.ts';
import type { RouteClass } from '../../src/upstream/postman/route-class.ts';
import type {
  CreateSlotSource,
  SlotGrant,
  SlotRequest,
  SlotSource,
} from '../../src/upstream/rate-limiter/slot-source.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

/** Creates a source with 6 slots per s, 2 burst slots per 200 ms, 1 reserved, 4 calls in flight, and no cold start. */
export type CreateSlotSourceForTest = (clock: VirtualClock) => CreateSlotSource;

const WINDOW_MS = 1_000;
const LIMIT = 6;
const BURST_WINDOW_MS = 200;
const BURST_LIMIT = 2;
const MAX_IN_FLIGHT = 4;

const announced = (limit: number, remaining: number): AnnouncedRateLimit => ({
  windows: [{ limit, remaining, windowMs: WINDOW_MS }],
});

/**
 * Tests the guarantees of `SlotSource` for any implementation.
 *
 * @param createFor - Creates the sources of one test. The clock is settled before the first request.
 * @param createClock - Creates the clock of one test.
 */
export function describeSlotSource(
  name: string,
  createFor: CreateSlotSourceForTest,
  createClock: () => Promise<VirtualClock> = async () => createVirtualClock(),
) {
  const createSetup = async () => {
    const clock = await createClock();
    let delays = 0;
    const open = () => createFor(clock)(() => delays++);
    const slots = open();
    await clock.settle();
    let keys = 0;
    const request = (routeClass: RouteClass = 'general', changes: Partial<SlotRequest> = {}): SlotRequest => ({
      routeClass,
      key: `key ${keys++}`,
      virtualTime: 1,
      usesReserve: true,
      ...changes,
    });
    /** Requests slots and waits for the reply; simulated time does not pass. */
    const requestGrant = async (how: (done: (grant: SlotGrant | undefined) => void) => void) => {
      const grants: (SlotGrant | undefined)[] = [];
      how((grant) => grants.push(grant));
      await clock.settle();
      expect(grants).toHaveLength(1);
      return grants[0];
    };
    const take = (routeClass?: RouteClass, changes?: Partial<SlotRequest>, source: SlotSource = slots) =>
      requestGrant((done) => source.take(request(routeClass, changes), done));
    const reserve = (maxFraction: number, routeClass?: RouteClass) =>
      requestGrant((done) => slots.reserve(request(routeClass), maxFraction, done));
    /** Takes all free slots, settles each at once, and counts them. */
    const drain = async (routeClass?: RouteClass, changes?: Partial<SlotRequest>, source: SlotSource = slots) => {
      for (let count = 0; ; count++) {
        const grant = await take(routeClass, changes, source);
        if (!grant) return count;
        source.settle(grant);
      }
    };
    return { clock, slots, open, take, reserve, drain, delays: () => delays };
  };

  /** Throws if the request was refused. */
  const granted = (grant: SlotGrant | undefined): SlotGrant => {
    if (!grant) throw new TypeError('No slots were granted');
    return grant;
  };

  describe(`${name} as a slot source`, () => {
    it('grants all slots of the window, and again one window after the settlement, not after the grant', async () => {
      const { clock, slots, take, drain } = await createSetup();
      const slow = granted(await take());
      await clock.advance(500);
      expect(await drain()).toBe(LIMIT - 1);
      await clock.advance(WINDOW_MS - 1);
      slots.settle(slow);
      expect([slots.view.freeSlots('general').forFirstCalls, await drain()]).toEqual([false, 0]);
      expect(slots.view.nextFreeSlotAtMs('general')).toBe(clock.nowMs() + 1);
      await clock.advance(1);
      expect(await drain()).toBe(LIMIT - 1);
      await clock.advance(WINDOW_MS - 1);
      expect(await drain()).toBe(1);
    });

    it('counts a burst call in both windows', async () => {
      const { clock, slots, drain } = await createSetup();
      expect([await drain('burst'), slots.view.snapshot().remaining]).toEqual([BURST_LIMIT, LIMIT - BURST_LIMIT]);
      await clock.advance(BURST_WINDOW_MS);
      expect([await drain('burst'), await drain()]).toEqual([BURST_LIMIT, LIMIT - 2 * BURST_LIMIT]);
    });

    it('does not count a slot that was given back', async () => {
      const { slots, take, drain } = await createSetup();
      slots.giveBack(granted(await take('burst')));
      expect([slots.view.callsInFlight(), await drain('burst'), await drain()]).toEqual([
        0,
        BURST_LIMIT,
        LIMIT - BURST_LIMIT,
      ]);
    });

    it('accepts each grant back only once', async () => {
      const { slots, take } = await createSetup();
      const [settled, unused] = [granted(await take()), granted(await take())];
      slots.settle(settled);
      slots.giveBack(unused);
      expect(() => slots.settle(settled)).toThrow(TypeError);
      expect(() => slots.giveBack(unused)).toThrow(TypeError);
      expect(slots.view.snapshot().remaining).toBe(LIMIT - 1);
    });

    it('leaves reserved slots to first calls', async () => {
      const { drain } = await createSetup();
      expect([await drain('general', { usesReserve: false }), await drain()]).toEqual([LIMIT - 1, 1]);
    });

    it('limits the calls in flight, and reports that a response has to come first', async () => {
      const { slots, take } = await createSetup();
      const out = [await take(), await take(), await take(), await take()];
      expect([await take(), slots.view.callsInFlight()]).toEqual([undefined, MAX_IN_FLIGHT]);
      expect(slots.view.nextFreeSlotAtMs('general')).toBe(Number.POSITIVE_INFINITY);
      slots.settle(granted(out[0]));
      expect(await take()).toBeDefined();
    });

    it('leaves a connection to first calls', async () => {
      const { take } = await createSetup();
      for (let call = 0; call < MAX_IN_FLIGHT - 1; call++) await take();
      expect([await take('general', { usesReserve: false }), (await take())?.routeClass]).toEqual([
        undefined,
        'general',
      ]);
    });

    it('shows no free slot when it refuses, until a time in the future', async () => {
      const { clock, slots, drain } = await createSetup();
      await drain();
      expect(slots.view.freeSlots('general').forFirstCalls).toBe(false);
      const atMs = slots.view.nextFreeSlotAtMs('general');
      expect(atMs).toBeGreaterThan(clock.nowMs());
      await clock.advance(atMs - clock.nowMs());
      expect(slots.view.freeSlots('general').forFirstCalls).toBe(true);
    });

    it('reserves slots, which are not calls in flight, up to a fraction of the window', async () => {
      const { slots, reserve, drain } = await createSetup();
      // Of windows as short as these, only a small fraction may be reserved.
      const reserved = await reserve(40);
      expect([reserved?.isReservation, slots.view.callsInFlight(), await reserve(0)]).toEqual([true, 0, undefined]);
      expect(await drain()).toBe(LIMIT - 1);
      slots.giveBack(granted(reserved));
      expect(await drain()).toBe(1);
    });

    it('reports the virtual time of the last grant of each class, which never decreases', async () => {
      const { slots, take } = await createSetup();
      for (const virtualTime of [5, Number.NEGATIVE_INFINITY, 3]) await take('general', { virtualTime });
      expect([slots.view.virtualTime('general'), slots.view.virtualTime('burst')]).toEqual([5, 0]);
    });

    it('sends nothing during a pause, then one call alone, and reports the delay', async () => {
      const { clock, slots, take, delays } = await createSetup();
      slots.pause(clock.nowMs() + 1_500);
      expect([delays(), await take(), slots.view.outlook(true).startMs]).toEqual([1, undefined, clock.nowMs() + 1_500]);
      await clock.advance(1_500);
      const probe = granted(await take());
      expect(await take()).toBeUndefined();
      slots.settle(probe, announced(LIMIT, LIMIT - 1));
      expect(await take()).toBeDefined();
    });

    it('pauses for longer with each 429 in a row', async () => {
      const { clock, slots, take } = await createSetup();
      const pauses: number[] = [];
      for (let refusal = 0; refusal < 3; refusal++) {
        slots.pause(clock.nowMs());
        pauses.push(slots.view.nextFreeSlotAtMs('general') - clock.nowMs());
        await clock.advance(pauses.at(-1) ?? 0);
        slots.settle(granted(await take()), announced(LIMIT, 1), true);
      }
      expect(pauses).toEqual([1_000, 2_000, 4_000]);
      await clock.advance(WINDOW_MS);
      slots.settle(granted(await take()), announced(LIMIT, LIMIT - 1));
      slots.pause(clock.nowMs());
      expect(slots.view.nextFreeSlotAtMs('general') - clock.nowMs()).toBe(1_000);
    });

    it('learns the use by others, and reports the delay', async () => {
      const { clock, slots, take, drain, delays } = await createSetup();
      slots.settle(granted(await take()), announced(LIMIT, 2));
      await clock.settle();
      expect([delays(), await drain()]).toEqual([1, 2]);
    });

    it('reports an exhausted monthly quota, and allows a check after ten minutes', async () => {
      const { clock, slots, delays } = await createSetup();
      slots.exhaustMonthlyQuota();
      expect([slots.view.isMonthlyQuotaExhausted(), delays(), slots.view.snapshot().remaining]).toEqual([true, 1, 0]);
      await clock.advance(600_000);
      expect(slots.view.isMonthlyQuotaExhausted()).toBe(false);
    });

    it('has spare slots while half of every window is free', async () => {
      const { slots, take } = await createSetup();
      const spare: boolean[] = [];
      for (let call = 0; call < 4; call++) {
        spare.push(slots.view.hasSpareSlot('general'));
        slots.settle(granted(await take()));
      }
      expect(spare).toEqual([true, true, true, false]);
    });

    it('absorbs the slots in use of another source, and settles its grants', async () => {
      const { clock, slots, open, take, drain, delays } = await createSetup();
      const other = open();
      other.settle(granted(await take('general', {}, other)));
      const out = granted(await take('burst', {}, other));
      slots.settle(granted(await take()));
      slots.absorb(other);
      expect([
        slots.view.callsInFlight(),
        other.view.callsInFlight(),
        slots.view.snapshot().remaining,
        delays(),
      ]).toEqual([1, 0, 3, 1]);
      expect([await drain('burst'), await drain()]).toEqual([1, 2]);
      await clock.advance(100);
      slots.settle(out);
      await clock.advance(WINDOW_MS - 1);
      expect([slots.view.callsInFlight(), await drain()]).toEqual([0, LIMIT - 1]);
      expect(() => other.settle(out)).toThrow(TypeError);
    });

    it('never exceeds a limit, whatever is requested', async () => {
      const step = oneof(
        record({ does: constantFrom('take', 'reserve', 'burst'), ms: constant(0) }),
        record({ does: constantFrom('settle', 'giveBack'), ms: constant(0) }),
        record({ does: constant('wait'), ms: integer({ min: 1, max: 400 }) }),
        record({ does: constantFrom('pause', 'merge'), ms: constant(0) }),
      );
      await assert(
        asyncProperty(array(step, { maxLength: 120 }), async (steps) => {
          const { clock, slots, open, take, reserve } = await createSetup();
          const held: SlotGrant[] = [];
          // Postman may count a call at any moment from the grant to the settlement.
          const calls: { readonly routeClass: RouteClass; readonly fromMs: number; toMs: number }[] = [];
          const callOf = new Map<SlotGrant, (typeof calls)[number]>();
          const note = (grant: SlotGrant | undefined) => {
            if (!grant) return;
            held.push(grant);
            if (grant.isReservation) return;
            const call = { routeClass: grant.routeClass, fromMs: clock.nowMs(), toMs: Number.POSITIVE_INFINITY };
            calls.push(call);
            callOf.set(grant, call);
          };
          for (const { does, ms } of steps) {
            if (does === 'take') note(await take());
            if (does === 'burst') note(await take('burst'));
            if (does === 'reserve') note(await reserve(40));
            if (does === 'wait') await clock.advance(ms);
            if (does === 'pause') slots.pause(clock.nowMs() + 50);
            if (does === 'merge') slots.absorb(open());
            const grant = does === 'settle' || does === 'giveBack' ? held.shift() : undefined;
            const call = grant && callOf.get(grant);
            if (grant && (does === 'giveBack' || !call)) {
              slots.giveBack(grant);
              if (call) calls.splice(calls.indexOf(call), 1);
            } else if (grant && call) {
              slots.settle(grant);
              call.toMs = clock.nowMs();
            }
            const within = (windowMs: number, routeClass?: RouteClass) =>
              calls.filter(
                (one) => one.toMs > clock.nowMs() - windowMs && (!routeClass || one.routeClass === routeClass),
              );
            expect(within(WINDOW_MS).length).toBeLessThanOrEqual(LIMIT);
            expect(within(BURST_WINDOW_MS, 'burst').length).toBeLessThanOrEqual(BURST_LIMIT);
          }
        }),
        { numRuns: 60 },
      );
    });
  });
}
