import { describe, expect, it } from 'vitest';
import { createCircuitBreakers } from '../../../src/upstream/calls/circuit-breakers.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

/** Closed circuit breakers, the changes they reported, and their refusals as times since they were made. */
function createSetup() {
  const clock = createVirtualClock();
  const startMs = clock.nowMs();
  const changes: [boolean, string | undefined][] = [];
  const breakers = createCircuitBreakers(clock, (isOpen, keyHash) => changes.push([isOpen, keyHash]));
  return {
    breakers,
    changes,
    advance: (ms: number) => clock.advance(ms),
    ask(keyHash: string, key: string) {
      const atMs = breakers.refuse(keyHash, key);
      return atMs === undefined ? 'may' : atMs - startMs;
    },
    fail: (keyHash: string, key = '/me', more: object = {}) =>
      breakers.failed(keyHash, { route: key, key, isConnectFailure: false, ...more }),
    /** Calls of one key to two routes fail for a second, which opens the circuit of the key. */
    async failFor(keyHash: string) {
      for (let index = 0; index < 5; index++) {
        if (index > 0) await clock.advance(250);
        breakers.failed(keyHash, { route: `/route-${index % 2}`, key: `call-${index}`, isConnectFailure: false });
      }
    },
  };
}

describe('createCircuitBreakers', () => {
  it('refuses only the key whose calls fail', async () => {
    const { breakers, ask, failFor, changes } = createSetup();
    await failFor('one');
    expect([ask('one', 'new'), ask('two', 'new'), ask('three', 'new')]).toEqual([7_000, 'may', 'may']);
    expect([breakers.isOpen('one'), breakers.isOpen('two'), changes]).toEqual([true, false, [[true, 'one']]]);
  });

  it('does not add the failures of one key to those of another', () => {
    const { ask, fail, changes } = createSetup();
    for (let index = 0; index < 100; index++) fail(`keyHash-${index}`);
    expect([ask('keyHash-0', 'a'), changes]).toEqual(['may', []]);
  });

  it('opens the circuit of a third key at its first failure once the circuits of two keys are open', async () => {
    const { ask, fail, failFor, changes } = createSetup();
    await failFor('one');
    await failFor('two');
    const before = ask('three', 'a');
    fail('three', 'a');
    expect([before, ask('three', 'b'), changes.at(-1)]).toEqual(['may', 8_000, [true, 'three']]);
  });

  it('considers upstream up again when any key gets a response', async () => {
    const { breakers, ask, fail, failFor } = createSetup();
    await failFor('one');
    await failFor('two');
    breakers.succeeded('four');
    fail('three', 'a');
    expect([ask('three', 'a'), ask('three', 'b'), ask('one', 'new')]).toEqual(['may', 'may', 7_000]);
  });

  it('closes the circuit of a key when that key gets a response', async () => {
    const { breakers, ask, failFor, advance, changes } = createSetup();
    await failFor('one');
    await advance(6_000);
    const probe = ask('one', 'new');
    breakers.succeeded('one');
    expect([probe, ask('one', 'a'), ask('one', 'b')]).toEqual(['may', 'may', 'may']);
    expect(changes).toEqual([
      [true, 'one'],
      [false, 'one'],
    ]);
  });

  it('refuses all keys if no connection is made, whichever keys noticed it', async () => {
    const { ask, fail, advance, changes } = createSetup();
    for (let index = 0; index < 5; index++) {
      fail(`keyHash-${index}`, '/me', { isConnectFailure: true });
      await advance(250);
    }
    expect([ask('another', '/me'), changes]).toEqual([7_000, [[true, undefined]]]);
    await advance(6_000);
    expect([ask('another', '/me'), ask('one more', '/me')]).toEqual(['may', 13_250]);
  });

  it('is probed by another key when a probe hangs, however often the key of that probe asks', async () => {
    const { ask, fail, advance } = createSetup();
    for (let index = 0; index < 5; index++) {
      for (const keyHash of ['one', 'two']) fail(keyHash, '/me', { isConnectFailure: true });
      await advance(250);
    }
    await advance(5_750);
    const first = ask('one', 'hangs 0');
    await advance(6_000);
    const again = ask('one', 'hangs 1');
    await advance(500);
    expect([first, again, ask('one', 'hangs 2'), ask('two', 'reads')]).toEqual(['may', 14_000, 14_000, 'may']);
  });

  it('takes a 5XX as proof that connections are made again', async () => {
    const { ask, fail, advance, changes } = createSetup();
    for (let index = 0; index < 5; index++) {
      fail('one', '/me', { isConnectFailure: true });
      await advance(250);
    }
    fail('one', '/me');
    expect([ask('two', '/me'), changes]).toEqual([
      'may',
      [
        [true, undefined],
        [false, undefined],
      ],
    ]);
  });

  it('counts a timeout only as a failed probe, not as proof that connections are made', async () => {
    const { ask, fail, advance, changes } = createSetup();
    for (let index = 0; index < 5; index++) {
      fail('one', '/me', { isConnectFailure: true });
      await advance(250);
    }
    await advance(6_000);
    const probe = ask('two', 'a');
    fail('two', 'a', { isTimeout: true });
    expect([probe, ask('three', 'b'), changes]).toEqual(['may', 13_250, [[true, undefined]]]);
  });

  it('makes the next call the probe when the probe will not be sent', async () => {
    const { breakers, ask, failFor, advance } = createSetup();
    await failFor('one');
    await advance(6_000);
    const answers = [ask('one', 'a'), ask('one', 'b')];
    breakers.abandon('one', 'a');
    answers.push(ask('one', 'b'));
    expect(answers).toEqual(['may', 13_000, 'may']);
  });

  it('forgets a key that has made no call for a minute', async () => {
    const { ask, fail, failFor, advance } = createSetup();
    await failFor('one');
    await advance(60_000);
    fail('two');
    expect(ask('one', 'call-0')).toBe('may');
    expect(ask('one', 'call-1')).toBe('may');
  });
});
