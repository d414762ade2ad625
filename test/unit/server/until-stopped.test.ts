import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { untilStopped } from '../../../src/server/incremental/until-stopped.ts';

describe('what is awaited until it is stopped', () => {
  it('comes to its value or its failure, and leaves nothing on the signal', async () => {
    const { signal } = new AbortController();
    const rows = Array.from({ length: 100 }, (_, row) => untilStopped(Promise.resolve(row), signal));
    const failing = untilStopped(Promise.reject(new Error('broken')), signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(101);
    expect(await Promise.all(rows)).toEqual([...rows.keys()]);
    await expect(failing).rejects.toThrow('broken');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('fails with the reason of the signal, also of one that has aborted before', async () => {
    const stopping = new AbortController();
    const pending = untilStopped(new Promise(() => {}), stopping.signal);
    stopping.abort(new Error('too much'));
    await expect(pending).rejects.toThrow('too much');
    await expect(untilStopped(Promise.resolve('late'), stopping.signal)).rejects.toThrow('too much');
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  });

  it('may fail after that without anybody to see to it', async () => {
    const stopping = new AbortController();
    let reject = (_error: Error) => {};
    const promise = new Promise<never>((_resolve, fail) => {
      reject = fail;
    });
    const pending = untilStopped(promise, stopping.signal);
    stopping.abort(new Error('too much'));
    await expect(pending).rejects.toThrow('too much');
    reject(new Error('nobody looks'));
    await expect(promise).rejects.toThrow('nobody looks');
  });
});
