import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { untilStopped } from '../../../src/graph/limits/until-stopped.ts';

describe('untilStopped', () => {
  it('settles like its promise, and leaves no listener on the signal', async () => {
    const { signal } = new AbortController();
    const rows = Array.from({ length: 100 }, (_, row) => untilStopped(Promise.resolve(row), signal));
    const failing = untilStopped(Promise.reject(new Error('broken')), signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(101);
    expect(await Promise.all(rows)).toEqual([...rows.keys()]);
    await expect(failing).rejects.toThrow('broken');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('rejects with the reason of the signal, even of one that has already aborted', async () => {
    const stopping = new AbortController();
    const pending = untilStopped(new Promise(() => {}), stopping.signal);
    stopping.abort(new Error('too much'));
    await expect(pending).rejects.toThrow('too much');
    await expect(untilStopped(Promise.resolve('late'), stopping.signal)).rejects.toThrow('too much');
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  });

  it('causes no unhandled rejection if its promise rejects later', async () => {
    const stopping = new AbortController();
    let reject = (_error: Error) => {};
    const promise = new Promise<never>((_resolve, fail) => {
      reject = fail;
    });
    const pending = untilStopped(promise, stopping.signal);
    stopping.abort(new Error('too much'));
    await expect(pending).rejects.toThrow('too much');
    reject(new Error('too late'));
    await expect(promise).rejects.toThrow('too late');
  });
});
