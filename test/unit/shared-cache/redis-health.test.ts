import { expect, it } from 'vitest';
import { createPendingWrites } from '../../../src/upstream/shared-cache/store/pending-writes.ts';
import { createRedisHealth } from '../../../src/upstream/shared-cache/store/redis-health.ts';

function start() {
  let nowMs = 0;
  const changes: string[] = [];
  const health = createRedisHealth({ nowMs: () => nowMs }, (isOn, reason) => changes.push(`${isOn} ${reason}`));
  return { health, changes, advance: (ms: number) => (nowMs += ms) };
}

it('is off until the first probe has a reply', () => {
  const { health, changes } = start();
  expect([health.isOn(), health.mayProbe()]).toEqual([false, true]);
  health.recovered();
  expect([health.isOn(), changes]).toEqual([true, ['true ']]);
});

it('is turned off for five seconds by three failures within ten, and on by a probe', () => {
  const { health, changes, advance } = start();
  health.recovered();
  health.failed('a');
  advance(10_001);
  health.failed('b');
  health.failed('c');
  expect(health.isOn()).toBe(true);
  health.failed('d');
  expect([health.isOn(), health.mayProbe()]).toEqual([false, false]);
  advance(5_000);
  expect(health.mayProbe()).toBe(true);
  health.failed('e');
  expect([health.isOn(), health.mayProbe()]).toEqual([false, false]);
  advance(5_000);
  health.recovered();
  expect([health.isOn(), changes]).toEqual([true, ['true ', 'false d', 'true ']]);
});

it('limits pending writes by their number and their size', async () => {
  const writes = createPendingWrites();
  let ends: (() => void)[] = [];
  const write = () => new Promise<void>((resolve) => ends.push(resolve));
  for (let index = 0; index < 1_010; index++) void writes.add(1, write);
  expect(ends).toHaveLength(1_000);
  for (const end of ends) end();
  await writes.settled();
  ends = [];
  for (let index = 0; index < 5; index++) void writes.add(8 * 1_048_576, write);
  expect(ends).toHaveLength(4);
  for (const end of ends) end();
  await writes.add(0, () => Promise.reject(new Error('lost')));
  await writes.settled();
});
