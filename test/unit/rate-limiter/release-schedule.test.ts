import { array, assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createReleaseSchedule, mergedAtMs } from '../../../src/upstream/rate-limiter/windows/release-schedule.ts';

function createTimes(...times: readonly number[]) {
  const list = createReleaseSchedule();
  for (const atMs of times) list.add(atMs, 1);
  return list;
}

const sorted = (times: readonly number[]) => [...times].sort((a, b) => a - b);

describe('createReleaseSchedule', () => {
  it('sorts times, whatever the order they were added in', () => {
    const list = createTimes(30, 10, 20);
    list.add(20, 2);
    list.addAll([5, 40]);
    expect([list.size, list.times(), list.lastAtMs()]).toEqual([7, [5, 10, 20, 20, 20, 30, 40], 40]);
    expect([-1, 0, 6, 7].map((index) => list.atMs(index))).toEqual([-Infinity, 5, 40, Infinity]);
  });

  it('drops past times, including the present, and as many of the first as requested', () => {
    const list = createTimes(10, 20, 30, 40);
    list.forgetPast(9);
    list.forgetPast(10);
    expect(list.times()).toEqual([20, 30, 40]);
    list.removeFirst(2);
    list.add(35, 1);
    list.addAll([1]);
    expect([list.times(), list.size]).toEqual([[1, 35, 40], 3]);
    list.forgetPast(40);
    expect([list.times(), list.size, list.lastAtMs(), list.atMs(0)]).toEqual([[], 0, -Infinity, Infinity]);
  });

  it('behaves like a sorted list in any history', () => {
    assert(
      property(array(integer({ min: 0, max: 50 }), { maxLength: 60 }), (numbers) => {
        const list = createReleaseSchedule();
        let expected: number[] = [];
        for (const [index, number] of numbers.entries()) {
          if (index % 3 === 2) {
            list.forgetPast(number / 2);
            expected = expected.filter((atMs) => atMs > number / 2);
          } else {
            list.add(number, 1 + (index % 2));
            expected = sorted([...expected, ...Array.from({ length: 1 + (index % 2) }, () => number)]);
          }
          expect([list.times(), list.size]).toEqual([expected, expected.length]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('mergedAtMs', () => {
  it('returns the time with that index in both lists merged', () => {
    assert(
      property(array(integer({ min: 0, max: 30 })), array(integer({ min: 0, max: 30 })), (one, other) => {
        const together = sorted([...one, ...other]);
        const found = [...together, Infinity].map((_, index) =>
          mergedAtMs(createTimes(...one), createTimes(...other), index),
        );
        expect(found).toEqual([...together, Infinity]);
      }),
      { numRuns: 500 },
    );
  });
});
