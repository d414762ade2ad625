import { describe, expect, it } from 'vitest';
import { createBodyMemory, NoMemoryError } from '../../../src/upstream/http/body/body-memory.ts';

const MIB = 1_048_576;
const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** Room for 16 MiB, and bodies that say what has become of them. */
function createSetup() {
  const intakes = createBodyMemory(16 * MIB);
  const { signal } = new AbortController();
  return {
    intakes,
    open(tenant: string) {
      const intake = intakes.open(tenant);
      const states: string[] = [];
      return {
        ...intake,
        states,
        take(bytes: number, until = signal) {
          const room = intake.take(bytes, until);
          const index = states.push(room ? 'waits' : 'has room') - 1;
          void room?.then(
            () => (states[index] = 'has waited'),
            (error: unknown) => (states[index] = error instanceof NoMemoryError ? 'gave up' : 'failed'),
          );
        },
      };
    },
  };
}

describe('the room for bodies', () => {
  it('is half of it for one tenant alone, a quarter for the next, and some for whoever comes then', async () => {
    const { open } = createSetup();
    const [a, b, c] = [open('a'), open('b'), open('c')];
    for (let count = 0; count < 8; count++) a.take(MIB);
    for (let count = 0; count < 4; count++) b.take(MIB);
    c.take(MIB);
    expect([a.states, b.states, c.states]).toEqual([
      Array(8).fill('has room'),
      Array(4).fill('has room'),
      ['has room'],
    ]);
    const more = open('a');
    more.take(MIB);
    expect(more.states).toEqual(['waits']);
  });

  it('is always there for small bodies', () => {
    const { open } = createSetup();
    const large = open('a');
    large.take(8 * MIB);
    large.take(8 * MIB);
    for (let count = 0; count < 1_000; count++) {
      const intake = open('a');
      intake.take(65_536);
      expect(intake.states).toEqual(['has room']);
    }
  });

  it('is exceeded by one body, so that those that wait do not wait for each other', async () => {
    const { open } = createSetup();
    const bodies = [open('a'), open('a'), open('a')];
    for (const body of bodies) body.take(2 * MIB);
    for (const body of bodies) body.take(30 * MIB);
    await settle();
    expect(bodies.map(({ states }) => states[1])).toEqual(['has waited', 'waits', 'waits']);
    bodies[0]?.close();
    await settle();
    expect(bodies.map(({ states }) => states[1])).toEqual(['has waited', 'has waited', 'waits']);
    bodies[1]?.close();
    bodies[1]?.close();
    await settle();
    expect(bodies.map(({ states }) => states[1])).toEqual(['has waited', 'has waited', 'has waited']);
  });

  it('is exceeded by a body of the tenant that has least, whoever waits longest', async () => {
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
    expect([large.states, other.states]).toEqual([['has room', 'waits'], ['has waited']]);
  });

  it('is given up by who cannot wait any longer', async () => {
    const { open } = createSetup();
    const ending = new AbortController();
    const [exempt, late, next] = [open('a'), open('a'), open('b')];
    exempt.take(30 * MIB);
    late.take(30 * MIB, ending.signal);
    ending.abort();
    await settle();
    late.take(30 * MIB, ending.signal);
    await settle();
    exempt.close();
    next.take(8 * MIB);
    await settle();
    expect([exempt.states, late.states, next.states]).toEqual([['has waited'], ['gave up', 'gave up'], ['has room']]);
  });
});
