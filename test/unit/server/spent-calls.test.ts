import { expect, it } from 'vitest';
import { createSpentCalls } from '../../../src/server/operation/spent-calls.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const MINUTE_MS = 60_000;

function start() {
  const clock = createVirtualClock();
  const spent = createSpentCalls(clock);
  const add = (keyHash: string, operation: string | null, client: string | null = null, count = 1) => {
    for (let call = 0; call < count; call++) spent.add({ keyHash, origin: { operation, client } }, {});
  };
  const sumOf = (keyHash: string) => spent.of(keyHash).reduce((sum, { calls }) => sum + calls, 0);
  return { clock, spent, add, sumOf };
}

it('counts calls by operation and client, the largest row first, each key alone', () => {
  const { spent, add } = start();
  add('a', 'One', 'web');
  add('a', 'Two', 'web', 3);
  add('a', 'One', null, 2);
  add('b', null);
  expect(spent.of('a')).toEqual([
    { operation: 'Two', client: 'web', calls: 3 },
    { operation: 'One', client: null, calls: 2 },
    { operation: 'One', client: 'web', calls: 1 },
  ]);
  expect(spent.of('b')).toEqual([{ operation: null, client: null, calls: 1 }]);
  expect(spent.of('c')).toEqual([]);
});

it('counts failures, but no call that was not sent, and none with a rejected key', () => {
  const { spent, sumOf } = start();
  const call = { keyHash: 'a', origin: undefined };
  spent.add(call, { error: 'notFound' });
  spent.add(call, { error: 'unavailable' });
  spent.add(call, { error: 'unavailable', isConnectFailure: true });
  spent.add(call, { error: 'unauthenticated' });
  expect(sumOf('a')).toBe(2);
});

it('forgets calls after an hour', async () => {
  const { clock, spent, add, sumOf } = start();
  add('a', 'First');
  await clock.advance(54 * MINUTE_MS);
  add('a', 'Second');
  expect(sumOf('a')).toBe(2);
  await clock.advance(7 * MINUTE_MS);
  expect(spent.of('a')).toEqual([{ operation: 'Second', client: null, calls: 1 }]);
  await clock.advance(600 * MINUTE_MS);
  expect(spent.of('a')).toEqual([]);
});

it('shows 20 rows and the rest as one, and loses no call when a key has more than 100 names', () => {
  const { spent, add, sumOf } = start();
  for (let index = 0; index < 500; index++) add('a', `Operation${index}`);
  add('a', 'Large', 'web', 50);
  const rows = spent.of('a');
  expect(rows).toHaveLength(21);
  expect(rows[0]).toEqual({ operation: 'Large', client: 'web', calls: 50 });
  expect(rows.at(-1)).toEqual({ operation: '(other)', client: '(other)', calls: 500 - 19 });
  expect(sumOf('a')).toBe(550);
});

it('forgets the key that has made no call for longest when all keys have too many rows', () => {
  const { spent, add, sumOf } = start();
  for (let key = 0; key < 101; key++) for (let index = 0; index < 100; index++) add(`key${key}`, `Operation${index}`);
  expect(spent.of('key0')).toEqual([]);
  expect(sumOf('key100')).toBe(100);
});
