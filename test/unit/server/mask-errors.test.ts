import { GraphQLError } from 'graphql';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createErrorMask } from '../../../src/server/result/mask-errors.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

/** Masks an error and reads the one line that is logged about it. */
function logged(error: unknown) {
  const lines: string[] = [];
  const mask = createErrorMask(pino({}, { write: (line) => void lines.push(line) }), createVirtualClock());
  const masked = mask(error, 'Unexpected error.');
  expect(lines).toHaveLength(1);
  return { line: lines[0]!, err: JSON.parse(lines[0]!).err as Record<string, string>, masked };
}

describe('the log line of an unexpected error', () => {
  it('has its type, its message and where it was thrown', () => {
    const { err } = logged(new TypeError('things is not iterable'));
    expect(err).toEqual({ type: 'TypeError', message: 'things is not iterable', stack: expect.any(String) });
    expect(err['stack']).toMatch(/^at .*mask-errors\.test\.ts:\d+:\d+\)?\nat /);
  });

  it.each<[string, () => unknown]>([
    ['JSON that cannot be read', () => JSON.parse('hunter2')],
    ['a value of the wrong kind', () => Reflect.apply((text: object) => 'x' in text, undefined, ['hunter2'])],
    ['an address', () => new URL('hunter2')],
    [
      'a property',
      () => {
        throw Object.assign(new Error('It failed'), { body: 'hunter2', response: { data: ['hunter2'] } });
      },
    ],
    [
      'several lines',
      () => {
        throw new Error('It failed: {\n    at hunter2 (file:///hunter2.ts:1:1)\n    at hunter2\n}');
      },
    ],
    [
      'the cause of the cause',
      () => {
        throw new Error('outside', { cause: new Error('inside', { cause: new Error('"hunter2"') }) });
      },
    ],
    [
      'a thrown value that is not an error',
      () => {
        // oxlint-disable-next-line typescript/only-throw-error -- libraries do.
        throw { message: 'hunter2', stack: 'hunter2' };
      },
    ],
    [
      'a value that does not fit its type',
      () => {
        throw new GraphQLError('x', { originalError: new GraphQLError('Int cannot represent value: "hunter2"') });
      },
    ],
  ])('contains nothing that upstream sent: %s', (_what, fail) => {
    let error: unknown;
    try {
      fail();
    } catch (thrown) {
      error = thrown;
    }
    const { line, masked } = logged(new GraphQLError('x', { path: ['me'], originalError: error as Error, nodes: [] }));
    expect(line).not.toContain('hunter2');
    expect(masked.message).toBe('Unexpected error.');
  });

  it('contains no API key', () => {
    const error = new Error('The key PMAK-0123abc-def and pmat-01 and then more', { cause: new Error('PMAK-4-5') });
    Object.assign(error, { code: 'PMAK-6', name: 'PMAK-7' });
    const { line, err } = logged(error);
    expect(err['message']).toBe('The key [redacted] and [redacted] and then more');
    expect(line).not.toMatch(/PMA[KT]-\d/i);
  });

  it('contains no control characters, not even those that JSON does not escape', () => {
    const { line, err } = logged(new Error('red \u001b[31mtext\u0007\u009b2J\u202e end'));
    expect(err['message']).toBe('red');
    expect(logged(new Error('a\u0007b\u009bc\u202ed')).err['message']).toBe('abcd');
    expect(line.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('is finite if causes form a circle', () => {
    const error = new Error('round and round');
    error.cause = error;
    expect(logged(error).line.match(/"message"/g)).toHaveLength(4);
  });
});
