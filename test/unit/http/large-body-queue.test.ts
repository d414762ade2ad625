import { describe, expect, it } from 'vitest';
import { createTaskQueue } from '../../../src/upstream/http/body/large-body-queue.ts';

const LARGE_BYTES = 1_000_000;

/** Says each time that the event loop turns. */
function countTurns() {
  let turns = 0;
  let isOver = false;
  const turn = () => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return { turns: () => turns, stop: () => (isOver = true) };
}

describe('a large piece of work', () => {
  it('has everybody else have a turn before it', async () => {
    const pieces = createTaskQueue();
    const { turns, stop } = countTurns();
    const at = await Promise.all([1, 2, 3].map(() => pieces.run(LARGE_BYTES, turns)));
    stop();
    expect(at.map((turn, index) => turn > (at[index - 1] ?? 0))).toEqual([true, true, true]);
  });

  it('that fails is told of it, and holds up no other', async () => {
    const pieces = createTaskQueue();
    const failed = pieces.run(LARGE_BYTES, () => JSON.parse('{') as unknown);
    const next = pieces.run(LARGE_BYTES, () => 'done');
    await expect(failed).rejects.toThrow(SyntaxError);
    expect(await next).toBe('done');
  });
});

describe('a small piece of work', () => {
  it('is done at once, also before large ones that wait', async () => {
    const pieces = createTaskQueue();
    const done: string[] = [];
    const large = pieces.run(LARGE_BYTES, () => done.push('large'));
    await pieces.run(10, () => done.push('small'));
    await large;
    expect(done).toEqual(['small', 'large']);
  });
});
