import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createWrittenResults } from '../../../src/server/result/written-results.ts';

const createResponse = () => Object.assign(new EventEmitter(), { destroyed: false }) as unknown as ServerResponse;

describe('written results', () => {
  it('count until clients have received them, and one fair share gets at most half of the memory', () => {
    const results = createWrittenResults(1_000);
    const [first, second] = [createResponse(), createResponse()];
    const held = [
      results.hold('a', 125, first),
      results.hold('a', 125, second),
      results.hold('a', 125, createResponse()),
      results.hold('b', 125, createResponse()),
    ];
    first.emit('close');
    expect([...held, results.hold('a', 50, createResponse())]).toEqual([true, true, false, true, true]);
  });

  it('always fit if their fair share has no other, and do not count if the client has disconnected', () => {
    const results = createWrittenResults(1_000);
    const gone = Object.assign(createResponse(), { destroyed: true });
    expect([
      results.hold('a', 10_000, gone),
      results.hold('a', 10_000, createResponse()),
      results.hold('a', 1, createResponse()),
      results.hold('b', 1, createResponse()),
    ]).toEqual([true, true, false, true]);
  });
});
