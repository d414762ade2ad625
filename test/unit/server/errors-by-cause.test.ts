import { array, assert as holds, constantFrom, integer, property, record } from 'fast-check';
import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { ErrorCause } from '../../../src/graph/errors/error-extensions.ts';
import { createErrorsByCause } from '../../../src/server/result/errors-by-cause.ts';

const NOW_MS = Date.UTC(2026, 0, 15, 12);
const toTime = (seconds: number) => ({
  retryAfterSeconds: seconds,
  retryAt: new Date(NOW_MS + seconds * 1_000).toISOString(),
});
const limited = (seconds: number) => ({ code: 'RATE_LIMITED', retryable: true, ...toTime(seconds) });

const toError = (message: string, extensions: object, path?: (string | number)[]) =>
  new GraphQLError(message, { extensions: { ...extensions }, ...(path && { path }) });

/** Errors of a few causes, which may differ in any fact, each with its own path; one list per part of a response. */
const anyErrors = array(
  array(
    record({
      message: constantFrom('No room.', 'Not readable.'),
      facts: constantFrom<object>(
        { code: 'RATE_LIMITED', retryable: true },
        { code: 'RATE_LIMITED', retryable: true, limitedBy: 'upstream' },
        { code: 'RATE_LIMITED', retryable: true, upstream: { method: 'GET', route: '/me' } },
        { code: 'RATE_LIMITED', retryable: true, upstream: { method: 'GET', route: '/me', status: 429 } },
        { code: 'UPSTREAM_ERROR', retryable: true, upstream: { method: 'GET', route: '/me', status: 500, name: 'a' } },
        { code: 'FORBIDDEN', retryable: false },
        { code: 'OPERATION_TOO_EXPENSIVE', retryable: false, calls: 61, ceiling: 60 },
      ),
      seconds: integer({ min: 0, max: 5 }),
      name: constantFrom('a', 'b', 'a name that is longer than most, as aliases are allowed to be', '"\\\u2028é'),
    }),
    { maxLength: 40 },
  ),
  { minLength: 1, maxLength: 3 },
);

type Drawn = Parameters<Parameters<typeof anyErrors.map>[0]>[0];

/** Reports the errors of each part, as a response does. */
function reportAll(drawnParts: Drawn, areGrouped: boolean) {
  const causes = createErrorsByCause(areGrouped);
  let index = 0;
  const parts = drawnParts.map((part) =>
    causes
      .report(
        part.map(({ message, facts, seconds, name }) =>
          toError(
            message,
            'limitedBy' in facts || (facts as { retryable: boolean }).retryable
              ? { ...facts, ...toTime(seconds) }
              : facts,
            ['list', index++, name],
          ),
        ),
      )
      .map(({ message, path, extensions }) => ({ message, path, extensions })),
  );
  return { parts, errors: parts.flat(), causes: causes.list() ?? [] };
}

const withoutTime = (extensions: object) => ({ ...extensions, retryAt: undefined, retryAfterSeconds: undefined });

describe('errors by cause', () => {
  it('state the same facts as the single errors', () => {
    holds(
      property(anyErrors, (drawnParts) => {
        const plain = reportAll(drawnParts, false);
        const grouped = reportAll(drawnParts, true);
        // Without grouping, all errors are reported in order.
        expect(plain.errors.map(({ path }) => path)).toEqual(
          drawnParts.flat().map(({ name }, index) => ['list', index, name]),
        );
        const seen: unknown[] = [];
        for (const [index, cause] of grouped.causes.entries()) {
          const { count, firstPath, paths = [], morePaths, ...facts } = cause;
          const reported = grouped.errors[index];
          const same = plain.errors.filter(
            ({ message, extensions }) =>
              message === reported?.message &&
              JSON.stringify(withoutTime(extensions)) === JSON.stringify(withoutTime(facts)),
          );
          expect(reported).toEqual({ ...same[0], extensions: reported?.extensions });
          expect([count, firstPath]).toEqual([same.length, same[0]?.path]);
          expect([...paths, ...same.slice(paths.length).map(({ path }) => path)]).toEqual(same.map(({ path }) => path));
          expect(morePaths).toBe(same.length - paths.length);
          expect(paths.length === 1 || JSON.stringify(paths).length <= 640 + paths.length + 1).toBe(true);
          // The facts of a cause are those of its last error.
          expect(facts).toEqual(same.at(-1)?.extensions);
          seen.push(...same);
          const { paths: _, morePaths: __, ...plainCause } = cause;
          expect(plain.causes[index]).toEqual(plainCause);
        }
        expect([seen.length, grouped.errors.length]).toEqual([plain.errors.length, grouped.causes.length]);
        // In one part, all errors of a cause have the same time: the earliest future one.
        for (const [index, part] of plain.parts.entries()) {
          const times = new Map<string, Set<unknown>>();
          for (const { message, extensions } of part) {
            const key = JSON.stringify([message, withoutTime(extensions)]);
            times.set(key, (times.get(key) ?? new Set()).add(extensions['retryAfterSeconds']));
          }
          for (const [key, [time, ...others]] of times) {
            expect(others).toEqual([]);
            if (time === undefined) continue;
            const drawn = (drawnParts[index] ?? []).filter(
              ({ message, facts }) => key === JSON.stringify([message, withoutTime(facts)]),
            );
            const ahead = drawn.map(({ seconds }) => seconds).filter((seconds) => seconds > 0);
            expect(time).toBe(ahead.length === 0 ? 0 : Math.min(...ahead));
          }
        }
      }),
    );
  });

  it('are counted over all parts, with the time until a retry counted from the last part', () => {
    const causes = createErrorsByCause(false);
    causes.report([toError('a', limited(60)), toError('b', limited(20))]);
    causes.report([toError('a', limited(90))]);
    const list = causes.list(NOW_MS + 30_000) as readonly ErrorCause[];
    expect(list).toEqual([
      { ...limited(90), retryAfterSeconds: 60, count: 2 },
      { ...limited(20), retryAfterSeconds: 0, count: 1 },
    ]);
  });

  it('leave errors of requests that are not executed unchanged', () => {
    const causes = createErrorsByCause(true);
    const errors = [
      toError('a', { code: 'GRAPHQL_VALIDATION_FAILED' }),
      toError('a', { code: 'GRAPHQL_VALIDATION_FAILED' }),
    ];
    expect([causes.report(errors), causes.list()]).toEqual([errors, undefined]);
  });

  it('have the same cause if only their ids in the log differ, and contain no HTTP status', () => {
    const causes = createErrorsByCause(true);
    const failed = (errorId: string) =>
      toError('Unexpected error.', { code: 'INTERNAL_SERVER_ERROR', retryable: false, errorId, http: { status: 500 } });
    const [first, second] = [failed('1'), failed('2')];
    expect(causes.report([first, second])).toEqual([first]);
    expect(second.extensions['errorId']).toBe('2');
    expect(causes.list()).toEqual([
      { code: 'INTERNAL_SERVER_ERROR', retryable: false, errorId: '1', count: 2, paths: [], morePaths: 0 },
    ]);
  });

  it('list the first path even if it is long', () => {
    const causes = createErrorsByCause(true);
    const path = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 'folders of folders of folders' : 3));
    causes.report([toError('a', limited(1), path), toError('a', limited(1), ['short'])]);
    expect(causes.list()).toEqual([{ ...limited(1), count: 2, firstPath: path, paths: [path], morePaths: 1 }]);
  });

  it('are empty after clear()', () => {
    const causes = createErrorsByCause(false);
    causes.report([toError('a', limited(1))]);
    causes.clear();
    expect(causes.list()).toBeUndefined();
  });
});
