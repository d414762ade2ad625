import { describe, expect, it } from 'vitest';
import { createTaskQueue } from '../../../src/upstream/http/body/large-body-queue.ts';

const LARGE_BYTES = 1_000_000;

/** Counts the passes of the event loop. */
function countPasses() {
  let passes = 0;
  let isOver = false;
  const pass = () => {
    passes++;
    if (!isOver) setImmediate(pass);
  };
  setImmediate(pass);
  return { passes: () => passes, stop: () => (isOver = true) };
}

describe('a task on a large body', () => {
  it('lets other work run before it', async () => {
    const queue = createTaskQueue();
    const { passes, stop } = countPasses();
    const at = await Promise.all([1, 2, 3].map(() => queue.run(LARGE_BYTES, passes)));
    stop();
    expect(at.map((pass, index) => pass > (at[index - 1] ?? 0))).toEqual([true, true, true]);
  });

  it('rejects if it fails, and does not block the next one', async () => {
    const queue = createTaskQueue();
    const failed = queue.run(LARGE_BYTES, () => JSON.parse('{') as unknown);
    const next = queue.run(LARGE_BYTES, () => 'done');
    await expect(failed).rejects.toThrow(SyntaxError);
    expect(await next).toBe('done');
  });
});

describe('a task on a small body', () => {
  it('runs at once, even before queued large ones', async () => {
    const queue = createTaskQueue();
    const done: string[] = [];
    const large = queue.run(LARGE_BYTES, () => done.push('large'));
    await queue.run(10, () => done.push('small'));
    await large;
    expect(done).toEqual(['small', 'large']);
  });
});
