import { array, assert, boolean, integer, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Room, type Standing, type WaitingCall, WaitingLine } from '../../src/upstream/waiting-line.ts';

const PLENTY: Room = { forNewcomers: true, forRegulars: true };
const SCARCE: Room = { forNewcomers: true, forRegulars: false };
const NONE: Room = { forNewcomers: false, forRegulars: false };

/** What the name of a call begins with tells who it is of: `n` of a newcomer, `r` of a regular. */
const isNewcomer = (id: string) => id.startsWith('n');

/** A line whose room a test can change, and the names of the calls it has started. */
function createSetup(maxPasses = 2) {
  const state = { room: PLENTY };
  const started: string[] = [];
  const line = new WaitingLine(maxPasses, () => state.room);
  const enter = (call: WaitingCall) => {
    line.enqueue(() => Promise.resolve(started.push(call.id)), { id: call.id, call });
  };
  /** Starts what the line hands out, as whoever owns it does: whatever was held back has been passed. */
  const startOne = () => {
    const isHeldBack = line.isHeldBack();
    const start = line.dequeue();
    if (isHeldBack && start) line.countPass();
    void start?.();
  };
  let order = 0;
  return {
    line,
    state,
    started,
    enter,
    /** Calls that come in this order, all of the same virtual time. */
    enterAll: (...ids: readonly string[]) => {
      for (const id of ids) enter({ id, tag: 1, order: order++, isNewcomer: isNewcomer(id) });
    },
    startOne,
    startAll(count: number) {
      for (let index = 0; index < count; index++) startOne();
      return started.splice(0);
    },
  };
}

const at = (tag: number, order: number, ofNewcomer = false): Standing => ({ tag, order, isNewcomer: ofNewcomer });

/** How many calls a line that never has a slot left over starts before each of those that wait in it. */
function playOut(maxPasses: number, passes: number, calls: readonly WaitingCall[]) {
  const setup = createSetup(maxPasses);
  for (const call of calls) setup.enter(call);
  setup.state.room = SCARCE;
  for (let pass = 0; pass < passes && setup.line.isHeldBack(); pass++) setup.line.countPass();
  const counted = new Map(calls.map((call) => [call.id, setup.line.countAhead(call)]));
  while (setup.line.size > 0) {
    // With no newcomer left the slots come back that are kept for them.
    setup.state.room = SCARCE;
    if (!setup.line.hasNext()) setup.state.room = PLENTY;
    setup.startOne();
  }
  return { counted, started: new Map(setup.started.map((id, index) => [id, index])) };
}

const standings = (maxLength: number) =>
  array(record({ tag: nat(12), ofNewcomer: boolean() }), { maxLength }).map((drawn) =>
    drawn.map(({ tag, ofNewcomer }, order) => ({
      id: `${ofNewcomer ? 'n' : 'r'}${order}`,
      tag,
      order,
      isNewcomer: ofNewcomer,
    })),
  );

const lineRun = [integer({ min: 1, max: 6 }), nat(6), standings(40)] as const;

describe('WaitingLine', () => {
  it('is empty at first', () => {
    const { line } = createSetup();
    expect([line.size, line.hasNext(), line.isHeldBack(), line.dequeue(), line.filter()]).toEqual([
      0,
      false,
      false,
      undefined,
      [],
    ]);
  });

  it('starts calls by virtual time, and of the same time in the order they came', () => {
    const { line, enter, startAll } = createSetup();
    enter({ id: 'r1', ...at(3, 1) });
    enter({ id: 'n2', ...at(2, 2, true) });
    enter({ id: 'r3', ...at(2, 3) });
    enter({ id: 'n4', ...at(1, 4, true) });
    enter({ id: 'r5', ...at(Number.NEGATIVE_INFINITY, 6) });
    enter({ id: 'r6', ...at(Number.NEGATIVE_INFINITY, 5) });
    expect(line.size).toBe(6);
    expect(startAll(6)).toEqual(['r6', 'r5', 'n4', 'n2', 'r3', 'r1']);
    expect(line.size).toBe(0);
  });

  it('moves its virtual time on with what it starts, and never back', () => {
    const { line, enter, startOne } = createSetup();
    const times = [line.virtualTime];
    for (const [order, tag] of [5, Number.NEGATIVE_INFINITY, 3, 7].entries()) {
      enter({ id: `r${order}`, ...at(tag, order) });
      startOne();
      times.push(line.virtualTime);
    }
    expect(times).toEqual([0, 5, 5, 5, 7]);
  });

  it('starts nothing while there is no room', () => {
    const { line, state, enterAll, startAll } = createSetup();
    enterAll('n1', 'r2');
    state.room = NONE;
    expect([line.hasNext(), line.isHeldBack(), startAll(3), line.size]).toEqual([false, false, [], 2]);
  });

  it('holds regulars back from the slots kept for newcomers', () => {
    const { line, state, enterAll } = createSetup();
    enterAll('r1');
    const withPlenty = [line.hasNext(), line.isHeldBack()];
    state.room = SCARCE;
    expect([withPlenty, [line.hasNext(), line.isHeldBack()]]).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('holds nobody back where only newcomers wait', () => {
    const { line, state, enterAll } = createSetup();
    enterAll('n1');
    state.room = SCARCE;
    expect([line.hasNext(), line.isHeldBack()]).toEqual([true, false]);
  });

  it('lets so many newcomers pass, then starts the regular they have passed, and begins anew', () => {
    const { line, state, enterAll, startAll } = createSetup(2);
    enterAll('r1', 'r2', 'n3', 'n4', 'n5', 'n6', 'n7');
    state.room = SCARCE;
    expect(startAll(9)).toEqual(['n3', 'n4', 'r1', 'n5', 'n6', 'r2', 'n7']);
    expect(line.size).toBe(0);
  });

  it('keeps the turns of newcomers that stand before a regular, however many have passed it', () => {
    const { state, enterAll, startAll } = createSetup(2);
    enterAll('n1', 'n2', 'n3', 'r4', 'n5');
    state.room = SCARCE;
    expect(startAll(5)).toEqual(['n1', 'n2', 'n3', 'r4', 'n5']);
  });

  it('counts those that passed on behalf of another line too', () => {
    const { line, state, enterAll, startAll } = createSetup(2);
    enterAll('r1', 'n2');
    state.room = SCARCE;
    line.countPass();
    const heldBack = line.isHeldBack();
    line.countPass();
    expect([heldBack, line.isHeldBack(), startAll(2)]).toEqual([true, false, ['r1', 'n2']]);
  });

  it('begins anew when a regular was started, not when a newcomer was', () => {
    const { line, state, enterAll, startAll } = createSetup(2);
    enterAll('n1', 'r2', 'n3', 'r4', 'n5', 'n6');
    state.room = SCARCE;
    line.countPass();
    const first = startAll(2);
    state.room = PLENTY;
    const withPlenty = startAll(1);
    state.room = SCARCE;
    expect([first, withPlenty, startAll(3)]).toEqual([['n1', 'r2'], ['n3'], ['n5', 'n6', 'r4']]);
  });

  it('holds nobody back where no slot is kept', () => {
    const { line, state, enterAll, startAll } = createSetup(0);
    enterAll('r1', 'n2', 'r3');
    state.room = SCARCE;
    expect([line.isHeldBack(), startAll(3)]).toEqual([false, ['r1', 'n2', 'r3']]);
  });

  it('takes out who leaves, and no other', () => {
    const { line, enterAll, startAll } = createSetup();
    enterAll('n1', 'r2', 'n3', 'r4');
    line.remove('r2');
    line.remove('n3');
    line.remove('r2');
    line.remove('nobody');
    expect([line.size, line.countAhead(at(2, 9))]).toEqual([2, 2]);
    expect(startAll(3)).toEqual(['n1', 'r4']);
  });

  it('hands out every start', () => {
    const { line, enterAll } = createSetup();
    enterAll('r1', 'n2');
    expect(line.filter()).toHaveLength(2);
  });

  it('takes nothing but calls, and changes no turn', () => {
    const { line } = createSetup();
    const start = () => Promise.resolve();
    expect(() => line.enqueue(start)).toThrow(new TypeError('A waiting line only takes calls'));
    expect(() => line.enqueue(start, { id: '1' })).toThrow(new TypeError('A waiting line only takes calls'));
    expect(() => line.setPriority()).toThrow(new TypeError('A call keeps the turn its standing gives it'));
    expect(line.size).toBe(0);
  });
});

describe('WaitingLine.countAhead', () => {
  it('counts nobody in an empty line', () => {
    const { line } = createSetup();
    expect([line.countAhead(at(1, 0)), line.countAhead(at(1, 0, true))]).toEqual([0, 0]);
  });

  it('counts those of its own kind before it, whether it waits itself or not, up to the end of the line', () => {
    const { line, enter } = createSetup(0);
    for (const [order, tag] of [1, 2, 2, 5].entries()) enter({ id: `r${order}`, ...at(tag, order) });
    const places = [at(0, 9), at(1, 0), at(1, 9), at(2, 1), at(2, 2), at(2, 9), at(5, 3), at(5, 9), at(Infinity, 9)];
    expect(places.map((standing) => line.countAhead(standing))).toEqual([0, 0, 1, 1, 2, 3, 3, 4, 4]);
    expect(places.map((standing) => line.countAhead({ ...standing, isNewcomer: true }))).toEqual([
      0, 0, 1, 1, 2, 3, 3, 4, 4,
    ]);
  });

  it('counts the newcomers that will pass a regular, for one that is yet to come too', () => {
    const { line, enterAll, state } = createSetup(2);
    enterAll('r0', 'r1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8');
    state.room = SCARCE;
    const counts = () => [at(0, 9), at(1, 0), at(1, 1), at(1, 99)].map((standing) => line.countAhead(standing));
    const before = counts();
    line.countPass();
    expect([before, counts()]).toEqual([
      [2, 2, 5, 9],
      [1, 1, 4, 9],
    ]);
  });

  it('counts the regulars before a newcomer that will have let enough newcomers pass', () => {
    const { line, enterAll } = createSetup(2);
    enterAll('r0', 'r1', 'r2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8', 'n9', 'n10');
    const ahead = [3, 4, 5, 6, 7, 8, 9, 10, 11].map((order) => line.countAhead(at(1, order, true)));
    expect(ahead).toEqual([0, 1, 3, 4, 6, 7, 9, 10, 11]);
  });

  it('counts the newcomers before the first regular, and then those that pass the next one', () => {
    const { line, enterAll } = createSetup(2);
    enterAll('n0', 'n1', 'n2', 'n3', 'n4', 'r5', 'r6', 'n7', 'n8', 'n9');
    expect([5, 6].map((order) => line.countAhead(at(1, order)))).toEqual([5, 8]);
    expect([7, 8, 9, 10].map((order) => line.countAhead(at(1, order, true)))).toEqual([6, 7, 9, 10]);
  });

  it('counts what the line starts, where no newcomers stand between regulars', () => {
    assert(
      property(...lineRun, (maxPasses, passes, drawn) => {
        // Those of one kind stand together, on either side of the regulars.
        const calls = drawn.map((call) => ({ ...call, tag: call.isNewcomer ? (call.tag % 2) * 20 : call.tag + 1 }));
        const { counted, started } = playOut(maxPasses, passes, calls);
        expect(counted).toEqual(new Map(calls.map(({ id }) => [id, started.get(id)])));
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  it('counts what the line starts, where no slot is kept', () => {
    assert(
      property(standings(40), (calls) => {
        const { counted, started } = playOut(0, 0, calls);
        expect(counted).toEqual(new Map(calls.map(({ id }) => [id, started.get(id)])));
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it('never puts a newcomer before its turn, nor a regular behind, and is seldom and little wrong', () => {
    let countedCalls = 0;
    let wrongCalls = 0;
    assert(
      property(...lineRun, (maxPasses, passes, calls) => {
        const { counted, started } = playOut(maxPasses, passes, calls);
        for (const { id } of calls) {
          const error = (counted.get(id) ?? 0) - (started.get(id) ?? 0);
          expect(isNewcomer(id) ? error : -error).toBeGreaterThanOrEqual(0);
          expect(Math.abs(error)).toBeLessThanOrEqual(calls.length / 4);
          countedCalls++;
          if (error !== 0) wrongCalls++;
        }
      }),
      { numRuns: 300, seed: 7 },
    );
    expect(wrongCalls / countedCalls).toBeLessThan(0.05);
  });
});
