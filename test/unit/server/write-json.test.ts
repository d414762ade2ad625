import * as fc from 'fast-check';
import type { ResponsePath } from 'graphql';
import { describe, expect, it } from 'vitest';
import { writeJson } from '../../../src/server/result/write-json.ts';
import { runAtOnce } from '../../../src/upstream/steps.ts';
import { toRuns } from '../../support/property-runs.ts';

const toPath = (keys: readonly (string | number)[]) =>
  keys.reduce<ResponsePath | undefined>((prev, key) => ({ prev, key, typename: undefined }), undefined);
const write = (value: object, ...paths: (readonly (string | number)[])[]) =>
  runAtOnce(
    writeJson(
      value,
      paths.flatMap((keys) => toPath(keys) ?? []),
    ),
  ).toString();

/** All paths in a value. */
function* pathsIn(value: unknown, around: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (around.length > 0) yield around;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value))
    yield* pathsIn(member, [...around, Array.isArray(value) ? Number(key) : key]);
}

const anyJson = fc.letrec<{ json: unknown; object: object }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.string({ unit: 'binary' }),
    fc.constantFrom(null, undefined, true, 1.5, Number.NaN, '\uD800', '"\n', () => 1, { toJSON: () => ['a'] }),
    fc.array(tie('json'), { maxLength: 5 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.oneof(fc.constantFrom('item', '__proto__', '1', 'a"'), fc.string()), tie('json'), {
    maxKeys: 5,
    noNullPrototype: false,
  }),
})).object;

describe('JSON in pieces', () => {
  it('equals that of JSON.stringify to the byte, whichever values are written in pieces', () => {
    fc.assert(
      fc.property(anyJson, fc.array(fc.nat(), { maxLength: 10 }), (value, picks) => {
        const paths = [...pathsIn(value)];
        const chosen = paths.length === 0 ? [] : picks.map((pick) => paths[pick % paths.length] ?? []);
        expect(write(value, ...chosen)).toBe(Buffer.from(JSON.stringify(value)).toString());
      }),
      toRuns(1_000),
    );
  });

  it.each([
    ['a long text of surrogate pairs', { a: `x${'😀'.repeat(100_000)}` }, ['a']],
    ['a long text of single surrogates', { a: '\uD83D'.repeat(200_000) }, ['a']],
    ['a long list', { a: Array.from({ length: 50_000 }, (_, index) => ({ index })) }, ['a']],
    ['a list of undefined', { a: Array.from({ length: 50_000 }) }, ['a']],
    [
      'a collection',
      { json: { info: {}, item: [{ item: [{ item: [] }, { name: 'x'.repeat(100_000) }] }, null], event: [1] } },
      ['json'],
    ],
    ['a path that does not exist', { a: null }, ['a', 5, 'b']],
  ])('equals that of JSON.stringify for %s', (_what, value, path) => {
    expect(write(value, path)).toBe(Buffer.from(JSON.stringify(value)).toString());
  });

  it('pauses after each 64 KiB', () => {
    const steps = writeJson({ a: Array.from({ length: 300_000 }, () => 'text') }, [toPath(['a']) as ResponsePath]);
    let pauses = 0;
    while (steps.next().done !== true) pauses += 1;
    expect(pauses).toBeGreaterThan(10);
  });
});
