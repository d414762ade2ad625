import { describe, expect, it } from 'vitest';
import { type UnverifiedCall, UnverifiedCalls } from '../../../src/upstream/calls/api-keys/unverified-calls.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const DEADLINE_MS = 30_000;

function createSetup() {
  const clock = createVirtualClock();
  const startMs = clock.nowMs();
  const calls = new UnverifiedCalls(clock);
  const admitted: { readonly address: string; readonly atMs: number }[] = [];
  const enter = (address: string) => {
    const call = calls.enter(address, clock.nowMs() + DEADLINE_MS);
    if (typeof call === 'number') return call - startMs;
    const note = () => void admitted.push({ address, atMs: clock.nowMs() - startMs });
    if (call.admitted) void call.admitted.then(note);
    else note();
    return call;
  };
  return {
    clock,
    admitted,
    enter,
    /** Makes up to `count` calls of an address, each rejected at once, until one has to wait. Returns how many were made. */
    refuse(address: string, count: number) {
      let made = 0;
      for (; made < count; made++) {
        const call = enter(address);
        if (typeof call === 'number') break;
        if (call.admitted) {
          call.settle(false);
          break;
        }
        call.settle(true);
      }
      return made;
    },
    admittedOf: (address: string) => admitted.filter((one) => one.address === address).map(({ atMs }) => atMs),
  };
}

const settle = (call: UnverifiedCall | number, isRefused: boolean) => {
  if (typeof call === 'number') throw new TypeError('It was refused');
  call.settle(isRefused);
};

describe('UnverifiedCalls', () => {
  it('admits any number of calls at once that get a response', () => {
    const { enter, admitted } = createSetup();
    for (let index = 0; index < 10_000; index++) settle(enter('one'), false);
    expect(admitted).toHaveLength(10_000);
  });

  it('lets one address use half of it, and leaves some for every other', () => {
    const { refuse } = createSetup();
    expect(['one', 'two', 'three', 'four', 'five'].map((address) => refuse(address, 1_000))).toEqual([
      60, 30, 15, 8, 4,
    ]);
  });

  it('returns a part a minute after the rejection', async () => {
    const { clock, refuse } = createSetup();
    refuse('one', 1_000);
    await clock.advance(59_999);
    const before = refuse('one', 1_000);
    await clock.advance(1);
    expect([before, refuse('one', 1_000)]).toEqual([0, 60]);
  });

  it('admits one call of a client that has waited eight seconds, and the next one eight seconds later', async () => {
    const { clock, enter, refuse, admittedOf } = createSetup();
    refuse('one', 1_000);
    for (let index = 0; index < 3; index++) enter('one');
    await clock.advance(40_000);
    expect(admittedOf('one').filter((atMs) => atMs > 0)).toEqual([8_000, 16_000, 24_000]);
  });

  it('refuses at once a call that would be admitted after its deadline, and returns that time', () => {
    const { enter, refuse } = createSetup();
    refuse('one', 1_000);
    const calls = Array.from({ length: 5 }, () => enter('one'));
    expect(calls.map((call) => (typeof call === 'number' ? call : 'waits'))).toEqual([
      'waits',
      'waits',
      'waits',
      32_000,
      32_000,
    ]);
  });

  it('makes a new address wait for no other, and at most eight seconds', async () => {
    const { clock, enter, refuse, admittedOf } = createSetup();
    for (let index = 0; index < 200; index++) refuse(`stranger-${index}`, 1_000);
    for (let index = 0; index < 200; index++) enter(`stranger-${index}`);
    enter('friend');
    await clock.advance(8_000);
    expect(admittedOf('friend')).toEqual([8_000]);
  });

  it('admits waiting calls as responses to earlier ones arrive', async () => {
    const { clock, enter, admittedOf } = createSetup();
    const out = Array.from({ length: 60 }, () => enter('gateway'));
    for (let index = 0; index < 100; index++) enter('gateway');
    await clock.advance(300);
    for (const call of out) settle(call, false);
    await clock.settle();
    expect(admittedOf('gateway').filter((atMs) => atMs === 300)).toHaveLength(60);
  });

  it('queues two hundred calls of an address with rejected keys, and two thousand in all', async () => {
    const { clock, enter, refuse } = createSetup();
    const isWaiting = (call: UnverifiedCall | number) => typeof call !== 'number' && call.admitted !== undefined;
    const fill = (address: string, count: number) =>
      Array.from({ length: count }, () => enter(address)).filter(isWaiting).length;
    refuse('one', 1);
    const ofOne = fill('one', 1_000);
    await clock.settle();
    const gateway = fill('gateway', 3_000);
    expect([ofOne, ofOne + gateway]).toEqual([200, 2_000]);
  });

  it('forgets a waiting call whose client has disconnected', async () => {
    const { clock, enter, refuse, admittedOf } = createSetup();
    refuse('one', 1_000);
    settle(enter('one'), false);
    enter('one');
    await clock.advance(8_000);
    expect(admittedOf('one').filter((atMs) => atMs > 0)).toEqual([8_000]);
  });
});
