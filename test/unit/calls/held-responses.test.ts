import { describe, expect, it } from 'vitest';
import { createHeldResponses } from '../../../src/upstream/calls/operation/held-responses.ts';

const KIB = 1_024;
/** Each operation may hold 200 KiB, all operations together 800 KiB. */
const createSetup = () => createHeldResponses({ maxBytes: 800 * KIB, maxBytesPerOperation: 200 * KIB });

const ignore = () => undefined;

describe('an operation', () => {
  it('counts each response once, and is refused what exceeds its own limit', () => {
    let timesOver = 0;
    const operation = createSetup().open('a', () => void timesOver++);
    const [one, other] = [{}, {}];
    expect([operation.take(one, 150 * KIB), operation.take(one, 150 * KIB), operation.isOverLimit()]).toEqual([
      undefined,
      undefined,
      false,
    ]);
    expect([operation.take(other, 51 * KIB), operation.isOverLimit(), timesOver]).toEqual(['operation', true, 1]);
  });

  it('is refused while other operations of its key hold too much, unless it holds very little', () => {
    const held = createSetup();
    const others = [held.open('a', ignore), held.open('a', ignore)];
    for (const other of others) expect(other.take({}, 200 * KIB)).toBeUndefined();
    const operation = held.open('a', ignore);
    expect([operation.take({}, 33 * KIB), operation.isOverLimit()]).toEqual(['server', false]);
    expect([operation.take({}, 16 * KIB), operation.take({}, 16 * KIB)]).toEqual([undefined, undefined]);
    others[0]?.release();
    expect(operation.take({}, 33 * KIB)).toBeUndefined();
  });

  it('may hold at most what its key can ever get', () => {
    const operation = createHeldResponses({ maxBytes: 200 * KIB, maxBytesPerOperation: 200 * KIB }).open('a', ignore);
    expect([operation.maxBytes, operation.take({}, 100 * KIB), operation.take({}, 1)]).toEqual([
      100 * KIB,
      undefined,
      'operation',
    ]);
  });

  it('is refused small responses too, once it holds several', () => {
    const held = createSetup();
    const others = [held.open('a', ignore), held.open('a', ignore)];
    for (const other of others) expect(other.take({}, 200 * KIB)).toBeUndefined();
    const operation = held.open('a', ignore);
    const taken = Array.from({ length: 6 }, () => operation.take({}, 8 * KIB));
    expect(taken).toEqual([undefined, undefined, undefined, undefined, 'server', 'server']);
  });

  it('is not refused because of another key', () => {
    const held = createSetup();
    for (let count = 0; count < 10; count++) held.open('a', ignore).take({}, 100 * KIB);
    expect(held.open('b', ignore).take({}, 100 * KIB)).toBeUndefined();
    expect(held.open('c', ignore).take({}, 100 * KIB)).toBeUndefined();
  });

  it('holds nothing after its end, even if it takes more', () => {
    const held = createSetup();
    for (let count = 0; count < 100; count++) {
      const operation = held.open('a', ignore);
      expect(operation.take({}, 200 * KIB)).toBeUndefined();
      operation.release();
      operation.release();
      operation.take({}, 200 * KIB);
    }
    expect(held.open('a', ignore).take({}, 200 * KIB)).toBeUndefined();
  });
});

it('counts a response that several operations hold once, until the last of them releases it', () => {
  const held = createSetup();
  const shared = {};
  const operations = Array.from({ length: 50 }, () => held.open('a', ignore));
  expect(operations.map((operation) => operation.take(shared, 200 * KIB))).toEqual(operations.map(() => undefined));
  const second = held.open('a', ignore);
  expect(second.take({}, 200 * KIB)).toBeUndefined();
  for (const operation of operations.slice(1)) operation.release();
  expect(held.open('a', ignore).take({}, 100 * KIB)).toBe('server');
  operations[0]?.release();
  expect(held.open('a', ignore).take({}, 100 * KIB)).toBeUndefined();
});
