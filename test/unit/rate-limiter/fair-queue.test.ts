import { array, assert, boolean, integer, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairQueue, type QueuePosition } from '../../../src/upstream/rate-limiter/queue/fair-queue.ts';
import type { FreeSlots } from '../../../src/upstream/rate-limiter/slot-source.ts';

const PLENTY: FreeSlots = { forFirstCalls: true, forLaterCalls: true };
const SCARCE: FreeSlots = { forFirstCalls: true, forLaterCalls: false };
const NONE: FreeSlots = { forFirstCalls: false, forLaterCalls: false };

/** The first letter of a name gives the kind of call: `n` a first call of its operation, `r` a later one. */
const isFirstCall = (id: string) => id.startsWith('n');

interface Call {
  readonly id: string;
  readonly position: QueuePosition;
}

/** A queue, the free slots reported to it, and the names of the calls sent. */
function createSetup(maxPasses = 2) {
  const state = { room: PLENTY };
  const started: string[] = [];
  const queue = new FairQueue<Call>(maxPasses);
  const enter = (id: string, position: QueuePosition) => queue.add({ id, position });
  /** Sends the next call as the queue's owner does, and counts a pass if a later call was held back. */
  const startOne = () => {
    const next = queue.next(state.room);
    if (!next) return;
    const isHeldBack = queue.isHeldBack(state.room);
    queue.serve(next);
    if (isHeldBack) queue.countPass();
    started.push(next.id);
  };
  let order = 0;
  return {
    queue,
    state,
    started,
    enter,
    /** Whether a call would be sent now, and whether a later call is held back. */
    now: () => [queue.next(state.room) !== undefined, queue.isHeldBack(state.room)],
    /** Calls that arrive in this order with the same virtual time. */
    enterAll: (...ids: readonly string[]) => {
      for (const id of ids) enter(id, { virtualTime: 1, sequenceNumber: order++, isFirstCall: isFirstCall(id) });
    },
    startOne,
    startAll(count: number) {
      for (let index = 0; index < count; index++) startOne();
      return started.splice(0);
    },
  };
}

const at = (virtualTime: number, order: number, ofFirstCall = false): QueuePosition => ({
  virtualTime,
  sequenceNumber: order,
  isFirstCall: ofFirstCall,
});

/** How many calls a queue that is always short of slots sends before each waiting call. */
function playOut(maxPasses: number, passes: number, calls: readonly Call[]) {
  const { queue, state, enter, startOne, started } = createSetup(maxPasses);
  for (const { id, position } of calls) enter(id, position);
  state.room = SCARCE;
  for (let pass = 0; pass < passes && queue.isHeldBack(SCARCE); pass++) queue.countPass();
  const counted = new Map(calls.map(({ id, position }) => [id, queue.countAhead(position)]));
  while (queue.size > 0) {
    // Without first calls, the slots reserved for them stay free.
    state.room = queue.next(SCARCE) ? SCARCE : PLENTY;
    startOne();
  }
  return { counted, started: new Map(started.map((id, index) => [id, index])) };
}

const positions = (maxLength: number) =>
  array(record({ virtualTime: nat(12), ofFirstCall: boolean() }), { maxLength }).map((drawn) =>
    drawn.map(({ virtualTime, ofFirstCall }, order) => ({
      id: `${ofFirstCall ? 'n' : 'r'}${order}`,
      position: at(virtualTime, order, ofFirstCall),
    })),
  );

const queueRun = [integer({ min: 1, max: 6 }), nat(6), positions(40)] as const;

describe('FairQueue', () => {
  it('is empty at first', () => {
    const { queue, now } = createSetup();
    expect([queue.size, ...now(), queue.remove({ position: at(1, 0) })]).toEqual([0, false, false, false]);
  });

  it('sends calls by virtual time, and those of the same time in order of arrival', () => {
    const { queue, enter, startAll } = createSetup();
    enter('r1', at(3, 1));
    enter('n2', at(2, 2, true));
    enter('r3', at(2, 3));
    enter('n4', at(1, 4, true));
    enter('r5', at(Number.NEGATIVE_INFINITY, 6));
    enter('r6', at(Number.NEGATIVE_INFINITY, 5));
    expect(queue.size).toBe(6);
    expect(startAll(6)).toEqual(['r6', 'r5', 'n4', 'n2', 'r3', 'r1']);
    expect(queue.size).toBe(0);
  });

  it('sends nothing while no slot is free', () => {
    const { queue, state, now, enterAll, startAll } = createSetup();
    enterAll('n1', 'r2');
    state.room = NONE;
    expect([...now(), startAll(3), queue.size]).toEqual([false, false, [], 2]);
  });

  it('holds later calls back from the slots reserved for first calls', () => {
    const { state, now, enterAll } = createSetup();
    enterAll('r1');
    const withPlenty = now();
    state.room = SCARCE;
    expect([withPlenty, now()]).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('holds no call back when only first calls wait', () => {
    const { state, now, enterAll } = createSetup();
    enterAll('n1');
    state.room = SCARCE;
    expect(now()).toEqual([true, false]);
  });

  it('lets that many first calls pass, then sends the later call they passed, and starts counting again', () => {
    const { queue, state, enterAll, startAll } = createSetup(2);
    enterAll('r1', 'r2', 'n3', 'n4', 'n5', 'n6', 'n7');
    state.room = SCARCE;
    expect(startAll(9)).toEqual(['n3', 'n4', 'r1', 'n5', 'n6', 'r2', 'n7']);
    expect(queue.size).toBe(0);
  });

  it('sends first calls ahead of a later call before it, however many have passed it', () => {
    const { state, enterAll, startAll } = createSetup(2);
    enterAll('n1', 'n2', 'n3', 'r4', 'n5');
    state.room = SCARCE;
    expect(startAll(5)).toEqual(['n1', 'n2', 'n3', 'r4', 'n5']);
  });

  it('counts passes by calls of another queue too', () => {
    const { queue, state, enterAll, startAll } = createSetup(2);
    enterAll('r1', 'n2');
    state.room = SCARCE;
    queue.countPass();
    const heldBack = queue.isHeldBack(state.room);
    queue.countPass();
    expect([heldBack, queue.isHeldBack(state.room), startAll(2)]).toEqual([true, false, ['r1', 'n2']]);
  });

  it('resets the passes when a later call is sent, not when a first call is', () => {
    const { queue, state, enterAll, startAll } = createSetup(2);
    enterAll('n1', 'r2', 'n3', 'r4', 'n5', 'n6');
    state.room = SCARCE;
    queue.countPass();
    const first = startAll(2);
    state.room = PLENTY;
    const withPlenty = startAll(1);
    state.room = SCARCE;
    expect([first, withPlenty, startAll(3)]).toEqual([['n1', 'r2'], ['n3'], ['n5', 'n6', 'r4']]);
  });

  it('holds no call back when no slot is reserved', () => {
    const { queue, state, enterAll, startAll } = createSetup(0);
    enterAll('r1', 'n2', 'r3');
    state.room = SCARCE;
    expect([queue.isHeldBack(state.room), startAll(3)]).toEqual([false, ['r1', 'n2', 'r3']]);
  });

  it('removes the call that leaves, and no other', () => {
    const { queue, enterAll, startAll } = createSetup();
    enterAll('n1', 'r2', 'n3', 'r4');
    const removed = [at(1, 1), at(1, 2, true), at(1, 1), at(1, 9)].map((position) => queue.remove({ position }));
    expect([removed, queue.size, queue.countAhead(at(2, 9))]).toEqual([[true, true, false, false], 2, 2]);
    expect(startAll(3)).toEqual(['n1', 'r4']);
  });
});

describe('FairQueue.countAhead', () => {
  it('counts no calls in an empty queue', () => {
    const { queue } = createSetup();
    expect([queue.countAhead(at(1, 0)), queue.countAhead(at(1, 0, true))]).toEqual([0, 0]);
  });

  it('counts the calls of its own kind before it, whether it is queued or not, up to the end of the queue', () => {
    const { queue, enter } = createSetup(0);
    for (const [order, time] of [1, 2, 2, 5].entries()) enter(`r${order}`, at(time, order));
    const places = [at(0, 9), at(1, 0), at(1, 9), at(2, 1), at(2, 2), at(2, 9), at(5, 3), at(5, 9), at(Infinity, 9)];
    expect(places.map((standing) => queue.countAhead(standing))).toEqual([0, 0, 1, 1, 2, 3, 3, 4, 4]);
    expect(places.map((standing) => queue.countAhead({ ...standing, isFirstCall: true }))).toEqual([
      0, 0, 1, 1, 2, 3, 3, 4, 4,
    ]);
  });

  it('counts the first calls that will pass a later call, also for a call not queued yet', () => {
    const { queue, enterAll, state } = createSetup(2);
    enterAll('r0', 'r1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8');
    state.room = SCARCE;
    const counts = () => [at(0, 9), at(1, 0), at(1, 1), at(1, 99)].map((standing) => queue.countAhead(standing));
    const before = counts();
    queue.countPass();
    expect([before, counts()]).toEqual([
      [2, 2, 5, 9],
      [1, 1, 4, 9],
    ]);
  });

  it('counts the later calls that go before a first call because enough first calls passed them', () => {
    const { queue, enterAll } = createSetup(2);
    enterAll('r0', 'r1', 'r2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8', 'n9', 'n10');
    const ahead = [3, 4, 5, 6, 7, 8, 9, 10, 11].map((order) => queue.countAhead(at(1, order, true)));
    expect(ahead).toEqual([0, 1, 3, 4, 6, 7, 9, 10, 11]);
  });

  it('counts the first calls before the first later call, and then those that pass the next one', () => {
    const { queue, enterAll } = createSetup(2);
    enterAll('n0', 'n1', 'n2', 'n3', 'n4', 'r5', 'r6', 'n7', 'n8', 'n9');
    expect([5, 6].map((order) => queue.countAhead(at(1, order)))).toEqual([5, 8]);
    expect([7, 8, 9, 10].map((order) => queue.countAhead(at(1, order, true)))).toEqual([6, 7, 9, 10]);
  });

  it('agrees with the order of sending when no first calls stand between later calls', () => {
    assert(
      property(...queueRun, (maxPasses, passes, drawn) => {
        // Those of one kind stand together, on either side of the later calls.
        const calls = drawn.map(({ id, position: { virtualTime, sequenceNumber: order, isFirstCall } }) => ({
          id,
          position: at(isFirstCall ? (virtualTime % 2) * 20 : virtualTime + 1, order, isFirstCall),
        }));
        const { counted, started } = playOut(maxPasses, passes, calls);
        expect(counted).toEqual(new Map(calls.map(({ id }) => [id, started.get(id)])));
      }),
      { numRuns: 300 },
    );
  });

  it('agrees with the order of sending when no slot is reserved', () => {
    assert(
      property(positions(40), (calls) => {
        const { counted, started } = playOut(0, 0, calls);
        expect(counted).toEqual(new Map(calls.map(({ id }) => [id, started.get(id)])));
      }),
      { numRuns: 200 },
    );
  });

  it('never estimates a first call too early or a later call too late, and is rarely off, and only a little', () => {
    let countedCalls = 0;
    let wrongCalls = 0;
    assert(
      property(...queueRun, (maxPasses, passes, calls) => {
        const { counted, started } = playOut(maxPasses, passes, calls);
        for (const { id } of calls) {
          const error = (counted.get(id) ?? 0) - (started.get(id) ?? 0);
          expect(isFirstCall(id) ? error : -error).toBeGreaterThanOrEqual(0);
          expect(Math.abs(error)).toBeLessThanOrEqual(calls.length / 4);
          countedCalls++;
          if (error !== 0) wrongCalls++;
        }
      }),
      { numRuns: 300 },
    );
    expect(wrongCalls / countedCalls).toBeLessThan(0.05);
  });
});
