import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createListed } from '../../../src/loaders/listed.ts';

/** Listed items, lists that the test settles, and the names of the callers that have stopped waiting. */
function createReading() {
  const listed = createListed<string>((item) => item);
  const woken: string[] = [];
  return {
    listed,
    woken,
    wait: (name: string, keys: readonly string[]) => void listed.expected(keys).then(() => woken.push(name)),
    begin() {
      let settle = (_fails: boolean) => {};
      const list = new Promise<void>((resolve, reject) => {
        settle = (fails) => (fails ? reject(new Error('The list cannot be read.')) : resolve());
      });
      listed.expect(list).catch(() => undefined);
      return async (...items: readonly string[]) => {
        listed.add(items);
        settle(items.length === 0);
        await setImmediate();
      };
    },
  };
}

describe('waiting for listed items', () => {
  it('ends at once if no list is being read, or the item is already listed', async () => {
    const { listed, woken, wait, begin } = createReading();
    wait('without a list', ['a']);
    begin();
    listed.add(['a']);
    wait('listed', ['a']);
    await setImmediate();
    expect(woken).toEqual(['without a list', 'listed']);
    expect(listed.isExpecting()).toBe(true);
  });

  it('ends when all its items are listed, or when the last list has been read or has failed', async () => {
    const { listed, woken, wait, begin } = createReading();
    const [endFirst, endSecond, endThird] = [begin(), begin(), begin()];
    wait('a', ['a']);
    wait('a and b', ['a', 'b']);
    wait('c', ['c']);
    await endFirst('a', 'x');
    expect(woken).toEqual(['a']);
    await endSecond('b');
    expect(woken).toEqual(['a', 'a and b']);
    await endThird();
    expect(woken).toEqual(['a', 'a and b', 'c']);
    expect({ isExpecting: listed.isExpecting(), has: ['a', 'b', 'c', 'x'].filter(listed.has) }).toEqual({
      isExpecting: false,
      has: ['a', 'b', 'x'],
    });
  });

  it('includes lists that were started meanwhile', async () => {
    const { woken, wait, begin } = createReading();
    const endFirst = begin();
    wait('a', ['a']);
    const endSecond = begin();
    await endFirst('x');
    expect(woken).toEqual([]);
    await endSecond('a');
    expect(woken).toEqual(['a']);
  });

  it('includes a list that is started when the previous one has been read', async () => {
    const listed = createListed<string>((item) => item);
    const woken: string[] = [];
    let endFirst = () => {};
    const first = new Promise<void>((resolve) => {
      endFirst = resolve;
    });
    void listed.expect(first);
    void listed.expected(['a']).then(() => woken.push('a'));
    let endSecond = () => {};
    void first.then(() =>
      listed.expect(
        new Promise<void>((resolve) => {
          endSecond = resolve;
        }),
      ),
    );
    endFirst();
    await setImmediate();
    expect(woken).toEqual([]);
    listed.add(['a']);
    endSecond();
    await setImmediate();
    expect(woken).toEqual(['a']);
  });
});
