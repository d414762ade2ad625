import * as fc from 'fast-check';
import type { ResponsePath } from 'graphql';
import { describe, expect, it } from 'vitest';
import { writeJson } from '../../../src/server/result/write-json.ts';
import { runAtOnce } from '../../../src/upstream/steps.ts';
import { toRuns } from '../../support/property-runs.ts';

const toPath = (keys: readonly (string | number)[]) =>
  keys.reduce<ResponsePath | undefined>((prev, key) => ({ prev, key, typename: undefined }), undefined);
const write = (value: object, ...places: (readonly (string | number)[])[]) =>
  runAtOnce(
    writeJson(
      value,
      places.flatMap((keys) => toPath(keys) ?? []),
    ),
  ).toString();

/** Every place in a value. */
function* placesIn(value: unknown, around: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (around.length > 0) yield around;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value))
    yield* placesIn(member, [...around, Array.isArray(value) ? Number(key) : key]);
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
  it('is to the byte that of JSON.stringify, wherever it is cut', () => {
    fc.assert(
      fc.property(anyJson, fc.array(fc.nat(), { maxLength: 10 }), (value, picks) => {
        const places = [...placesIn(value)];
        const chosen = places.length === 0 ? [] : picks.map((pick) => places[pick % places.length] ?? []);
        expect(write(value, ...chosen)).toBe(Buffer.from(JSON.stringify(value)).toString());
      }),
      toRuns(1_000),
    );
  });

  it.each([
    ['a long text of pairs of surrogates', { a: `x${'😀'.repeat(100_000)}` }, ['a']],
    ['a long text with halves of them', { a: '\uD83D'.repeat(200_000) }, ['a']],
    ['a long list', { a: Array.from({ length: 50_000 }, (_, index) => ({ index })) }, ['a']],
    ['a list of nothing', { a: Array.from({ length: 50_000 }) }, ['a']],
    [
      'a collection',
      { json: { info: {}, item: [{ item: [{ item: [] }, { name: 'x'.repeat(100_000) }] }, null], event: [1] } },
      ['json'],
    ],
    ['something that is not there', { a: null }, ['a', 5, 'b']],
  ])('is the same of %s', (_what, value, place) => {
    expect(write(value, place)).toBe(Buffer.from(JSON.stringify(value)).toString());
  });

  it('pauses after each 64 KiB', () => {
    const steps = writeJson({ a: Array.from({ length: 300_000 }, () => 'text') }, [toPath(['a']) as ResponsePath]);
    let pauses = 0;
    while (steps.next().done !== true) pauses += 1;
    expect(pauses).toBeGreaterThan(10);
  });
});
