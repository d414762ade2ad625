import { expect, it } from 'vitest';

const { findWords } = (await import(new URL('../../../scripts/check-words.mjs', import.meta.url).href)) as {
  findWords(text: string): [identifier: string, word: string][];
};

it.each([
  ['const keptAnswer = 1;', [['keptAnswer', 'kept']]],
  ['class A { #isPaced = true; }', [['#isPaced', 'paced']]],
  [
    'interface RateRoom { tenantOf(key: string): string }',
    [
      ['RateRoom', 'room'],
      ['tenantOf', 'tenant'],
    ],
  ],
  ['const MAX_TURNS = 1;', [['MAX_TURNS', 'turns']]],
  ['const { share: fairShare } = budget;', [['share', 'share']]],
  ['const a = `${toldAt}`;', [['toldAt', 'told']]],
])('finds words of our own in %s', (text, found) => {
  expect(findWords(text)).toEqual(found);
});

it.each([
  '// what is kept waits for its turn',
  "const text = 'kept' + `told`;",
  'const keepAliveTimeoutMs = 1; const callsInFlight = 2; Object.hasOwn(a, b);',
  'const MAX_RESPONSE_BYTES_IN_FLIGHT = 1; const owner = returned(placeholder);',
])('finds none in %s', (text) => {
  expect(findWords(text)).toEqual([]);
});
