import { describe, expect, it } from 'vitest';
import { createCircuitBreaker, type Failure } from '../../../src/upstream/calls/circuit-breaker.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

/** A closed breaker, the changes it reported, and its refusals as times since it was made. */
function createSetup() {
  const clock = createVirtualClock();
  const startMs = clock.nowMs();
  const changes: boolean[] = [];
  const breaker = createCircuitBreaker(clock, (isOpen) => changes.push(isOpen));
  const fail = (failure: Partial<Failure> = {}) =>
    breaker.failed({ route: '/me', key: 'me', isConnectFailure: false, ...failure });
  return {
    breaker,
    changes,
    fail,
    sinceStart: () => clock.nowMs() - startMs,
    advance: (ms: number) => clock.advance(ms),
    /** Asks to make a call: when to ask again, or that it may be made. */
    ask(key: string) {
      const atMs = breaker.refuse(key);
      return atMs === undefined ? 'may' : atMs - startMs;
    },
    /** Calls of two routes that fail evenly, the first now and the last after so long. */
    async failFor(count: number, ms: number) {
      for (let index = 0; index < count; index++) {
        if (index > 0) await clock.advance(ms / (count - 1));
        fail({ route: index % 2 === 0 ? '/me' : '/workspaces', key: `call-${index}` });
      }
    },
  };
}

/** A breaker that has just opened. Times are since it was made: it opened at 1000, its first probe is due at 7000. */
async function createOpenSetup() {
  const setup = createSetup();
  await setup.failFor(5, 1_000);
  return setup;
}

describe('createCircuitBreaker', () => {
  it('is closed at first and lets every call be made', () => {
    const { breaker, ask, changes } = createSetup();
    expect([breaker.isOpen(), ask('a'), ask('a'), ask('b'), changes]).toEqual([false, 'may', 'may', 'may', []]);
  });

  it.each([
    { what: 'opens at the fifth failure in a second', count: 5, ms: 1_000, isOpen: true },
    { what: 'opens at the fifth failure in just under a minute', count: 5, ms: 59_996, isOpen: true },
    { what: 'makes nothing of four failures', count: 4, ms: 50_000, isOpen: false },
    { what: 'makes nothing of five failures at once', count: 5, ms: 0, isOpen: false },
    { what: 'makes nothing of many failures in less than a second', count: 60, ms: 999, isOpen: false },
    { what: 'makes nothing of a first failure a minute ago', count: 5, ms: 60_000, isOpen: false },
  ])('$what', async ({ count, ms, isOpen }) => {
    const { breaker, failFor, changes } = createSetup();
    await failFor(count, ms);
    expect([breaker.isOpen(), changes]).toEqual([isOpen, isOpen ? [true] : []]);
  });

  it('never opens for failures that are always more than a quarter of a minute apart', async () => {
    const { breaker, failFor } = createSetup();
    await failFor(100, 99 * 15_001);
    expect(breaker.isOpen()).toBe(false);
  });

  it('opens however fast calls fail, once that has gone on for a second', async () => {
    const { breaker, failFor, fail, sinceStart, advance } = createSetup();
    await failFor(1_000, 999);
    const before = breaker.isOpen();
    await advance(1_000 - sinceStart());
    fail();
    expect([before, breaker.isOpen()]).toEqual([false, true]);
  });

  it('never opens for one route, or one document, that always fails', async () => {
    const { breaker, fail, advance } = createSetup();
    for (let index = 0; index < 200; index++) {
      fail({ route: '/collections/{uid}', key: `collection-${index}` });
      await advance(500);
    }
    expect(breaker.isOpen()).toBe(false);
  });

  it('opens when a second route fails too', async () => {
    const { breaker, fail, advance } = createSetup();
    for (let index = 0; index < 100; index++) {
      fail({ route: '/collections/{uid}', key: 'collection' });
      await advance(100);
    }
    fail({ route: '/workspaces' });
    expect(breaker.isOpen()).toBe(true);
  });

  it('opens for one route to which no connection can be made five times', async () => {
    const { breaker, fail, advance } = createSetup();
    const states: boolean[] = [];
    for (let index = 0; index < 5; index++) {
      fail({ isConnectFailure: true });
      states.push(breaker.isOpen());
      await advance(250);
    }
    expect(states).toEqual([false, false, false, false, true]);
  });

  it('counts no other failure of one route as one of connecting', async () => {
    const { breaker, fail, advance } = createSetup();
    for (let index = 0; index < 8; index++) {
      fail({ isConnectFailure: index % 2 === 0 });
      await advance(1_000);
    }
    const withFour = breaker.isOpen();
    fail({ isConnectFailure: true });
    expect([withFour, breaker.isOpen()]).toEqual([false, true]);
  });

  it('forgets all failures at any success', async () => {
    const { breaker, failFor, changes } = createSetup();
    await failFor(4, 3_000);
    breaker.succeeded();
    await failFor(4, 3_000);
    expect([breaker.isOpen(), changes]).toEqual([false, []]);
  });

  it('names the time of the first probe when it has opened', async () => {
    const { ask, advance } = await createOpenSetup();
    const atOnce = ask('a');
    await advance(5_999);
    expect([atOnce, ask('a'), ask('b')]).toEqual([7_000, 7_000, 7_000]);
  });

  it('lets exactly one call through, and names the next probe to the others', async () => {
    const { ask, advance, changes } = await createOpenSetup();
    await advance(6_000);
    const first = [ask('a'), ask('b'), ask('a')];
    await advance(500);
    expect([...first, ask('b'), changes]).toEqual(['may', 13_000, 13_000, 13_500, [true]]);
  });

  it('lets the next one through six seconds after a probe has failed', async () => {
    const { ask, advance, fail, breaker } = await createOpenSetup();
    await advance(6_000);
    ask('a');
    await advance(200);
    fail({ key: 'a' });
    const refused = ask('b');
    await advance(5_999);
    const early = ask('b');
    await advance(1);
    expect([refused, early, ask('b'), ask('c'), breaker.isOpen()]).toEqual([13_200, 13_200, 'may', 19_200, true]);
  });

  it('makes what a probe asked for wait six seconds longer', async () => {
    const { ask, advance, fail } = await createOpenSetup();
    await advance(6_000);
    ask('a');
    fail({ key: 'a' });
    await advance(6_000);
    const due = ask('a');
    await advance(5_999);
    const early = ask('a');
    await advance(1);
    expect([due, early, ask('a')]).toEqual([19_000, 19_000, 'may']);
  });

  it('makes all calls that failed within a minute wait longer, however many they are', async () => {
    const { ask, advance, fail } = await createOpenSetup();
    await advance(6_000);
    ask('a');
    fail({ key: 'a' });
    await advance(6_000);
    ask('b');
    fail({ key: 'b' });
    await advance(6_000);
    // The five that opened it have failed, too.
    const refused = [ask('a'), ask('b'), ask('call-4')];
    expect([...refused, ask('c')]).toEqual([25_000, 25_000, 25_000, 'may']);
  });

  it('takes for its probe what failed more than a minute ago', async () => {
    const { ask, advance } = await createOpenSetup();
    await advance(59_999);
    const first = ask('call-0');
    expect(first).toBe('may');
  });

  it('opens at the number of failures that it is given', async () => {
    const { breaker, changes } = createSetup();
    const failure = { route: '/me', key: 'me', isConnectFailure: false };
    breaker.failed(failure, 2);
    const withOne = breaker.isOpen();
    breaker.failed(failure, 2);
    expect([withOne, breaker.isOpen(), changes]).toEqual([false, true, [true]]);
  });

  it('waits six seconds for a probe that hangs, then lets another one through', async () => {
    const { ask, advance } = await createOpenSetup();
    await advance(6_000);
    const answers = [ask('slow')];
    await advance(5_999);
    answers.push(ask('b'));
    await advance(1);
    // Not the one that is slow again.
    answers.push(ask('slow'), ask('b'), ask('c'));
    expect(answers).toEqual(['may', 18_999, 19_000, 'may', 19_000]);
  });

  it('makes the next call the probe when the probe will not be sent', async () => {
    const { ask, advance, breaker } = await createOpenSetup();
    await advance(6_000);
    const answers = [ask('a')];
    breaker.abandon('b');
    answers.push(ask('b'));
    breaker.abandon('a');
    answers.push(ask('b'), ask('a'));
    expect(answers).toEqual(['may', 13_000, 'may', 13_000]);
  });

  it('ignores failures of calls that were in flight when it opened', async () => {
    const { ask, advance, fail, changes } = await createOpenSetup();
    await advance(1_000);
    fail({ key: 'out' });
    const before = ask('a');
    await advance(5_000);
    const probe = ask('a');
    fail({ key: 'out' });
    expect([before, probe, ask('b'), ask('out'), changes]).toEqual([7_000, 'may', 13_000, 13_000, [true]]);
  });

  it.each(['the probe', 'a call that was out when it opened'])('closes when %s is answered', async (which) => {
    const { ask, advance, breaker, changes } = await createOpenSetup();
    if (which === 'the probe') {
      await advance(6_000);
      ask('a');
    }
    breaker.succeeded();
    breaker.succeeded();
    expect([breaker.isOpen(), ask('a'), ask('b'), changes]).toEqual([false, 'may', 'may', [true, false]]);
  });

  it('starts from nothing when it opens again', async () => {
    const { ask, advance, fail, failFor, breaker, changes } = await createOpenSetup();
    await advance(6_000);
    ask('a');
    fail({ key: 'a' });
    await advance(6_000);
    ask('b');
    breaker.succeeded();
    await failFor(4, 3_000);
    const withFour = breaker.isOpen();
    fail({ key: 'c' });
    const refused = ask('c');
    await advance(6_000);
    // Neither is what the last probe of the outage before asked for, nor is that probe out.
    expect([withFour, refused, ask('a'), ask('b')]).toEqual([false, 28_000, 'may', 28_000]);
    expect(changes).toEqual([true, false, true]);
  });

  it('reports a change after it has taken place', async () => {
    const clock = createVirtualClock();
    const seen: unknown[] = [];
    const breaker = createCircuitBreaker(clock, (isOpen) =>
      seen.push([isOpen, breaker.isOpen(), breaker.refuse('a') !== undefined]),
    );
    for (let index = 0; index < 5; index++) {
      breaker.failed({ route: `/route-${index}`, key: 'a', isConnectFailure: false });
      await clock.advance(500);
    }
    breaker.succeeded();
    expect(seen).toEqual([
      [true, true, true],
      [false, false, false],
    ]);
  });
});
