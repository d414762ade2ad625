import { assert, constantFrom, integer, json, nat, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/upstream/http/parse-json.ts';
import { runAtOnce } from '../../../src/upstream/steps.ts';
import { toRuns } from '../../support/property-runs.ts';

const attempt = (parse: () => unknown) => {
  try {
    return { text: JSON.stringify(parse()) };
  } catch (error) {
    return error instanceof SyntaxError ? 'SyntaxError' : error;
  }
};
const countPieces = (text: string) => {
  let pieces = 1;
  for (const _ of parseJson(text)) pieces++;
  return pieces;
};

describe('a text that is parsed in pieces', () => {
  it.each([
    '{"a":[{"b":[1,2,3,4,5,6]},{"b":[[[7,8],9]]}],"c":"[1,2,\\"3]"}',
    '{"a":[1,2,3,4,5],"b":{"a":[6,7,8,9]},"a":[10,11,12]}',
    '{"__proto__":[1,2,3,4,5,6,7,8],"__proto__":{"__proto__":[1,2,3,4,5]}}',
    '[            ]',
    '[            ,1]',
    '[1,          ]',
    '[1,2,3,4,,5]',
    '[1,2,3,4,]',
    '1,2,3,4,5,6',
    '{[1,2,3,4,5]:6}',
    '[1,2,3,4}',
    '[1,2,3,4',
    '[1,2,3,4]]',
    '[1,2,3,4],[5]',
    '["unfinished, [1,2]',
    '["unfinished \\',
    '{"a":[1,2,3,4]"b":5}',
    '',
  ])('is what JSON.parse makes of it: %s', (text) => {
    for (let length = 1; length < text.length + 2; length++)
      expect(attempt(() => runAtOnce(parseJson(text, length)))).toEqual(attempt(() => JSON.parse(text)));
  });

  it('is what JSON.parse makes of it, whether it is valid or not', () => {
    const change = tuple(nat(), constantFrom('', ',', '[', ']', '{', '}', '"', '\\', ' ', '1'));
    assert(
      property(json({ maxDepth: 6 }), integer({ min: 1, max: 40 }), change, nat(2), (valid, length, [at, by], cut) => {
        const index = at % (valid.length + 1);
        for (const text of [valid, valid.slice(0, index) + by + valid.slice(index + cut)])
          expect(attempt(() => runAtOnce(parseJson(text, length)))).toEqual(attempt(() => JSON.parse(text)));
      }),
      toRuns(1_000),
    );
  });
});

describe('the pieces of a text', () => {
  const element = { name: 'x'.repeat(1_000) };
  const elements = Array.from({ length: 1_000 }, () => element);

  it('are short in a long list', () => {
    expect(countPieces(JSON.stringify({ list: elements }))).toBe(5);
  });

  it('are short in a long list inside of others', () => {
    expect(countPieces(JSON.stringify([{ item: [{ item: [element, { item: elements }] }] }]))).toBe(5);
  });

  it('are as many lists as are long together', () => {
    expect(countPieces(JSON.stringify(Array.from({ length: 10 }, () => ({ item: elements.slice(0, 100) }))))).toBe(5);
  });

  it('are one if the text is short', () => {
    expect(countPieces(JSON.stringify(elements.slice(0, 10)))).toBe(1);
  });
});
