import { describe, expect, it } from 'vitest';
import { createFirstRowScheduler } from '../../../src/upstream/calls/operation/first-row-scheduler.ts';
import { createIdleTasks } from '../../../src/upstream/calls/operation/idle-tasks.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

/** Calls that a test settles itself; `made` lists them in the order in which they were made. */
function start() {
  const clock = createVirtualClock();
  const idleTasks = createIdleTasks();
  const scheduler = createFirstRowScheduler(clock, idleTasks);
  const settle = () => new Promise<void>((resolve) => idleTasks.add('row', resolve));
  const made: string[] = [];
  const answers = new Map<string, { resolve: (value: string) => void; reject: (error: Error) => void }>();
  return {
    clock,
    idleTasks,
    scheduler,
    made,
    ask: (name: string) =>
      scheduler.run(() => {
        made.push(name);
        return new Promise<string>((resolve, reject) => answers.set(name, { resolve, reject }));
      }),
    async answer(name: string) {
      answers.get(name)!.resolve(name);
      await settle();
    },
    async fail(name: string) {
      answers.get(name)!.reject(new Error(name));
      await settle();
    },
  };
}

describe('the calls of an operation that streams', () => {
  it('go one at a time, those triggered by the latest response first, until three have responses', async () => {
    const { made, ask, answer } = start();
    const leadTo = async (name: string, next: readonly string[]): Promise<unknown> => {
      await ask(name);
      return next.map((one) => (one === 'list 1' ? leadTo(one, ['row 1', 'row 2']) : ask(one)));
    };
    void leadTo('workspaces', ['list 1', 'list 2', 'list 3']);
    await answer('workspaces');
    expect(made).toEqual(['workspaces', 'list 1']);
    await answer('list 1');
    expect(made.slice(2)).toEqual(['row 1']);
    await answer('row 1');
    expect(made.slice(3)).toEqual(['row 2', 'list 2', 'list 3']);
    void ask('row 3');
    expect(made.slice(6)).toEqual(['row 3']);
  });

  it('wait until planners have requested the next calls', async () => {
    const { idleTasks, made, ask, answer } = start();
    const planned = () => new Promise<void>((resolve) => idleTasks.add('plan', resolve));
    const plan = async () => {
      await ask('list 1');
      await planned();
      await planned();
      await ask('row 1');
    };
    void plan();
    void ask('list 2');
    await answer('list 1');
    expect(made).toEqual(['list 1', 'row 1']);
  });

  it('count also when they fail, and reject for their caller', async () => {
    const { made, ask, fail } = start();
    const asked = ['a', 'b', 'c', 'd', 'e'].map((name) => ask(name).catch(({ message }) => `no ${message}`));
    for (const name of ['a', 'b', 'c']) await fail(name);
    expect(made).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await Promise.all(asked.slice(0, 3))).toEqual(['no a', 'no b', 'no c']);
  });

  it('wait at most a second for a sent call, and any time for one that waits for a slot', async () => {
    const { clock, scheduler, made, ask } = start();
    for (const name of ['a', 'b', 'c']) void ask(name);
    await clock.advance(100_000);
    expect(made).toEqual(['a']);
    scheduler.sent();
    await clock.advance(999);
    expect(made).toEqual(['a']);
    await clock.advance(1);
    expect(made).toEqual(['a', 'b', 'c']);
  });

  it('have a second each', async () => {
    const { clock, scheduler, made, ask, answer } = start();
    for (const name of ['a', 'b', 'c']) void ask(name);
    scheduler.sent();
    await clock.advance(900);
    await answer('a');
    scheduler.sent();
    await clock.advance(900);
    expect(made).toEqual(['a', 'b']);
  });
});
