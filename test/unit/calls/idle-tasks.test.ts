import { describe, expect, it } from 'vitest';
import { createIdleTasks } from '../../../src/upstream/calls/operation/idle-tasks.ts';

describe('idle tasks', () => {
  it('run the most urgent first, each after all promises that the previous one triggered', async () => {
    const tasks = createIdleTasks();
    const ran: string[] = [];
    /** A chain of promises longer than any chain of resolvers. */
    const settle = async (name: string) => {
      for (let hop = 0; hop < 1_000; hop++) await Promise.resolve();
      ran.push(name);
    };
    const done = new Promise<void>((resolve) => {
      tasks.add('row', () => {
        ran.push('row');
        tasks.add('row', resolve);
        tasks.add('plan', () => ran.push('plan of the row'));
      });
    });
    tasks.add('call', () => ran.push('call'));
    tasks.add('plan', () => {
      ran.push('plan');
      void settle('asked after the plan').then(() => tasks.add('plan', () => ran.push('second plan')));
    });
    tasks.add('plan', () => ran.push('other plan'));
    await done;
    expect(ran).toEqual([
      'plan',
      'asked after the plan',
      'other plan',
      'second plan',
      'call',
      'row',
      'plan of the row',
    ]);
  });
});
