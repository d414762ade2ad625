import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSliceScheduler } from '../../../src/graph/limits/time-slices.ts';
import type { Steps } from '../../../src/upstream/steps.ts';

/** Each reading of the clock takes a millisecond, so that ten of them fill a slice. */
function createScheduler() {
  let ms = 0;
  return createSliceScheduler(() => ms++);
}

function* note(events: string[], what: string, count: number): Steps<string> {
  for (let index = 0; index < count; index++) {
    events.push(what);
    yield;
  }
  return what;
}

/** Records each round of the event loop until the work is over. */
async function noteRounds(events: string[], isOver: () => boolean) {
  while (!isOver()) {
    await setImmediate();
    events.push('round');
  }
}

/** Groups equal consecutive events, with their count. */
function toRuns(events: readonly string[]): readonly (readonly [string, number])[] {
  const runs: [string, number][] = [];
  for (const event of events) {
    const last = runs.at(-1);
    if (last?.[0] === event) last[1] += 1;
    else runs.push([event, 1]);
  }
  return runs;
}

describe('long work', () => {
  it('runs synchronously if it fits into a slice', () => {
    const events: string[] = [];
    expect(
      createScheduler()
        .open('share')
        .run(note(events, 'a', 9)),
    ).toBe('a');
    expect(events).toHaveLength(9);
  });

  it('yields to the event loop after each slice', async () => {
    const events: string[] = [];
    const slices = createScheduler().open('share');
    let result: string | undefined;
    const work = async () => {
      result = await slices.run(note(events, 'a', 40));
    };
    void work();
    await noteRounds(events, () => result !== undefined);
    const works = toRuns(events).filter(([what]) => what === 'a');
    expect(result).toBe('a');
    expect(events.filter((event) => event === 'a')).toHaveLength(40);
    expect(works.length).toBeGreaterThan(3);
    expect(Math.max(...works.map(([, count]) => count))).toBeLessThanOrEqual(11);
  });

  it('alternates with other work, however many callbacks of each wait', async () => {
    const events: string[] = [];
    const scheduler = createScheduler();
    const [a, b] = [scheduler.open('share'), scheduler.open('share')];
    while (!a.isUsedUp());
    let done = 0;
    const wait = async (slices: typeof a, what: string) => {
      await slices.next();
      events.push(what);
      done += 1;
    };
    for (let index = 0; index < 40; index++) void wait(a, 'a');
    void wait(b, 'b');
    await noteRounds([], () => done === 41);
    expect(events.filter((event) => event === 'a')).toHaveLength(40);
    // After one slice of the other work, not after all of it.
    expect(events.indexOf('b')).toBeLessThan(15);
  });

  it('resumes waiting callbacks in order', async () => {
    const slices = createScheduler().open('share');
    while (!slices.isUsedUp());
    const order: number[] = [];
    await Promise.all(Array.from({ length: 30 }, (_, index) => slices.next().then(() => order.push(index))));
    expect(order).toEqual(Array.from({ length: 30 }, (_, index) => index));
  });

  it('stops once it has been ended, and other work continues', async () => {
    const scheduler = createScheduler();
    const ended = new AbortController();
    const [a, b] = [scheduler.open('share', ended.signal), scheduler.open('share')];
    while (!a.isUsedUp());
    const events: string[] = [];
    const work = async () => {
      await a.next();
      events.push('a');
      ended.abort();
    };
    for (let index = 0; index < 30; index++) void work();
    await b.next();
    await b.next();
    void work();
    for (let round = 0; round < 10; round++) await setImmediate();
    expect(events).toEqual(['a']);
  });

  it('runs one after the other, another fair share first; work that releases memory comes before it', async () => {
    const events: string[] = [];
    const scheduler = createScheduler();
    const over: string[] = [];
    const begin = (name: string, fairShare: string, lets?: 'go') => {
      const result = scheduler.open(fairShare, undefined, lets).run(note(events, name, 200));
      void Promise.resolve(result).then(() => over.push(name));
    };
    for (const name of ['a1', 'a2', 'a3']) begin(name, 'a');
    begin('b1', 'b');
    begin('writes', 'a', 'go');
    await noteRounds(events, () => over.length === 5);
    expect(over).toEqual(['writes', 'a1', 'b1', 'a2', 'a3']);
  });
});
