import { describe, expect, it } from 'vitest';
import { createSimulationQueue } from '../../../src/dry-run/simulation-queue.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

/** A queue, and simulations that the test ends. */
function createQueue() {
  const clock = createVirtualClock();
  const queue = createSimulationQueue(clock);
  const begun: string[] = [];
  const ends = new Map<string, (result: string) => void>();
  const leaving = new Map<string, AbortController>();
  const run = (name: string, maxWaitMs?: number) => {
    const left = new AbortController();
    leaving.set(name, left);
    const simulate = () => {
      begun.push(name);
      return new Promise<string>((resolve) => ends.set(name, resolve));
    };
    return queue.run({ fairShare: name[0] ?? '', ended: left.signal }, simulate, maxWaitMs);
  };
  return {
    clock,
    begun,
    run,
    queue,
    leave: (name: string) => leaving.get(name)?.abort('clientGone'),
    async end(name: string) {
      ends.get(name)?.(`${name} done`);
      await clock.settle();
    },
  };
}

describe('the queue of simulations', () => {
  it('runs one at a time, and rotates between fair shares', async () => {
    const { begun, run, end } = createQueue();
    const results = ['x1', 'x2', 'x3', 'y1', 'y2', 'z1'].map((name) => run(name));
    for (const name of ['x1', 'x2', 'y1', 'z1', 'x3', 'y2']) {
      expect(begun.at(-1)).toBe(name);
      await end(name);
    }
    expect(begun).toEqual(['x1', 'x2', 'y1', 'z1', 'x3', 'y2']);
    expect(await Promise.all(results)).toEqual(['x1 done', 'x2 done', 'x3 done', 'y1 done', 'y2 done', 'z1 done']);
  });

  it('lets twenty of a fair share wait, independent of the others', async () => {
    const { begun, run, end } = createQueue();
    void run('x0');
    const waiting = Array.from({ length: 20 }, (_, index) => run(`x${index + 1}`));
    expect(await run('x21')).toBeUndefined();
    const other = run('y1');
    await end('x0');
    void run('x22');
    expect(await run('x23')).toBeUndefined();
    await end('x1');
    await end('y1');
    expect(await other).toBe('y1 done');
    expect(await waiting[0]).toBe('x1 done');
    expect(begun).toEqual(['x0', 'x1', 'y1', 'x2']);
  });

  it('lets two hundred wait in all', async () => {
    const { run, end } = createQueue();
    void run('!');
    const names = Array.from({ length: 200 }, (_, index) => String.fromCodePoint(0x4e00 + index));
    for (const name of names) void run(name);
    expect(await run('z')).toBeUndefined();
    await end('!');
    const late = run('z');
    for (const name of names) await end(name);
    await end('z');
    expect(await late).toBe('z done');
  });

  it('removes a simulation whose client leaves while it waits', async () => {
    const { begun, run, end, leave } = createQueue();
    void run('x0');
    const [gone, last] = [run('x1'), run('x2')];
    leave('x1');
    expect(await gone).toBeUndefined();
    await end('x0');
    await end('x2');
    expect(await last).toBe('x2 done');
    leave('y1');
    expect(begun).toEqual(['x0', 'x2']);
  });

  it('starts the next one only when the running one ends, even if its client has left', async () => {
    const { begun, run, end, leave } = createQueue();
    const first = run('x1');
    void run('y1');
    leave('x1');
    expect(begun).toEqual(['x1']);
    await end('x1');
    expect(begun).toEqual(['x1', 'y1']);
    expect(await first).toBe('x1 done');
  });

  it('removes a simulation that has waited for its longest time', async () => {
    const { clock, begun, run, end } = createQueue();
    void run('x0');
    const [impatient, patient] = [run('y1', 1_000), run('y2')];
    await clock.advance(1_000);
    expect(await impatient).toBeUndefined();
    await end('x0');
    await clock.advance(1_000);
    await end('y2');
    expect(await patient).toBe('y2 done');
    expect(begun).toEqual(['x0', 'y2']);
  });

  it('passes a failure to its caller, and continues', async () => {
    const { queue, run, end } = createQueue();
    const { signal } = new AbortController();
    const failure = queue.run({ fairShare: 'x', ended: signal }, () => Promise.reject(new TypeError('a mistake')));
    const next = run('x1');
    await expect(failure).rejects.toThrow(new TypeError('a mistake'));
    await end('x1');
    expect(await next).toBe('x1 done');
  });
});
