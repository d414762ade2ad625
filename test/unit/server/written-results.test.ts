import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createWrittenResults } from '../../../src/server/result/written-results.ts';

const createResponse = () => Object.assign(new EventEmitter(), { closed: false }) as unknown as ServerResponse;

describe('large answers that have been written', () => {
  it('are held until they are taken, as many of a share as it leaves free', () => {
    const answers = createWrittenResults(1_000);
    const [first, second] = [createResponse(), createResponse()];
    const held = [
      answers.hold('a', 125, first),
      answers.hold('a', 125, second),
      answers.hold('a', 125, createResponse()),
      answers.hold('b', 125, createResponse()),
    ];
    first.emit('close');
    expect([...held, answers.hold('a', 50, createResponse())]).toEqual([true, true, false, true, true]);
  });

  it('have room however large where there is no other of the share, and hold nothing once their client has gone', () => {
    const answers = createWrittenResults(1_000);
    const gone = Object.assign(createResponse(), { closed: true });
    expect([
      answers.hold('a', 10_000, gone),
      answers.hold('a', 10_000, createResponse()),
      answers.hold('a', 1, createResponse()),
      answers.hold('b', 1, createResponse()),
    ]).toEqual([true, true, false, true]);
  });
});
