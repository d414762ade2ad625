import { describe, expect, it } from 'vitest';
import { createBodyMemory, NoMemoryError } from '../../../src/upstream/http/body/body-memory.ts';

const MIB = 1_048_576;
const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** A memory of 16 MiB, and bodies that record the outcome of each `take`. */
function createSetup() {
  const bodyMemory = createBodyMemory(16 * MIB);
  return {
    open(keyHash: string) {
      const bodyRead = bodyMemory.open(keyHash);
      const states: string[] = [];
      return {
        ...bodyRead,
        states,
        take(bytes: number) {
          const memoryReady = bodyRead.take(bytes);
          const index = states.push(memoryReady ? 'waits' : 'taken at once') - 1;
          void memoryReady?.then(
            () => (states[index] = 'taken later'),
            (error: unknown) => (states[index] = error instanceof NoMemoryError ? 'given up' : 'failed'),
          );
        },
      };
    },
  };
}

describe('the memory for bodies', () => {
  it('gives half to the first API key, a quarter to the second, and some to each further key', async () => {
    const { open } = createSetup();
    const [a, b, c] = [open('a'), open('b'), open('c')];
    for (let count = 0; count < 8; count++) a.take(MIB);
    for (let count = 0; count < 4; count++) b.take(MIB);
    c.take(MIB);
    expect([a.states, b.states, c.states]).toEqual([
      Array(8).fill('taken at once'),
      Array(4).fill('taken at once'),
      ['taken at once'],
    ]);
    const more = open('a');
    more.take(MIB);
    expect(more.states).toEqual(['waits']);
  });

  it('is always available for small bodies', () => {
    const { open } = createSetup();
    const large = open('a');
    large.take(8 * MIB);
    large.take(8 * MIB);
    for (let count = 0; count < 1_000; count++) {
      const bodyRead = open('a');
      bodyRead.take(65_536);
      expect(bodyRead.states).toEqual(['taken at once']);
    }
  });

  it('is exceeded by one body, so that waiting bodies do not block each other', async () => {
    const { open } = createSetup();
    const bodies = [open('a'), open('a'), open('a')];
    for (const body of bodies) body.take(2 * MIB);
    for (const body of bodies) body.take(30 * MIB);
    await settle();
    expect(bodies.map(({ states }) => states[1])).toEqual(['taken later', 'waits', 'waits']);
    bodies[0]?.close();
    await settle();
    expect(bodies.map(({ states }) => states[1])).toEqual(['taken later', 'taken later', 'waits']);
    bodies[1]?.close();
    bodies[1]?.close();
    await settle();
    expect(bodies.map(({ states }) => states[1])).toEqual(['taken later', 'taken later', 'taken later']);
  });

  it('is exceeded by a body of the key that uses least, even if another waits longer', async () => {
    const { open } = createSetup();
    const [exempt, large, other] = [open('a'), open('a'), open('b')];
    exempt.take(8 * MIB);
    exempt.take(30 * MIB);
    large.take(65_536);
    large.take(30 * MIB);
    other.take(30 * MIB);
    await settle();
    exempt.close();
    await settle();
    expect([large.states, other.states]).toEqual([['taken at once', 'waits'], ['taken later']]);
  });

  it('rejects a body that is closed while it waits', async () => {
    const { open } = createSetup();
    const [exempt, late, next] = [open('a'), open('a'), open('b')];
    exempt.take(30 * MIB);
    late.take(30 * MIB);
    late.close();
    late.close();
    await settle();
    exempt.close();
    next.take(8 * MIB);
    await settle();
    expect([exempt.states, late.states, next.states]).toEqual([['taken later'], ['given up'], ['taken at once']]);
  });
});
