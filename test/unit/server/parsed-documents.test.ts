import { parse, validate } from 'graphql';
import { createSchema, createYoga, type Plugin } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import { useParsedDocuments } from '../../../src/server/plugins/document/use-parsed-documents.ts';

/** A server that counts which texts it has parsed and validated. */
function createCounted(maxBytes: number) {
  const parsed: string[] = [];
  const validated: string[] = [];
  const counter: Plugin = {
    onParse: ({ setParseFn }) =>
      setParseFn((source, options) => {
        parsed.push(String(source));
        return parse(source, options);
      }),
    onValidate: ({ setValidationFn }) =>
      setValidationFn((schema, document, rules) => {
        validated.push(document.loc?.source.body ?? '');
        return validate(schema, document, rules);
      }),
  };
  const yoga = createYoga({
    schema: createSchema({ typeDefs: 'type Query { a: Int b: Int }' }),
    logging: false,
    parserAndValidationCache: false,
    plugins: [useParsedDocuments(maxBytes), counter],
  });
  return {
    parsed,
    validated,
    async ask(query: string) {
      const response = await yoga.fetch('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      const { data, errors = [] } = (await response.json()) as { data?: unknown; errors?: { message: string }[] };
      return [data, errors.map(({ message }) => message)];
    },
  };
}

const ANSWER = [{ a: null }, []];

describe('a document', () => {
  it('is parsed and validated once, however often it is sent', async () => {
    const { ask, parsed, validated } = createCounted(1_000_000);
    expect([await ask('{ a }'), await ask('{ a }')]).toEqual([ANSWER, ANSWER]);
    expect([parsed, validated]).toEqual([['{ a }'], ['{ a }']]);
  });

  it('that is wrong is not cached, nor is what is wrong with it', async () => {
    const { ask, parsed, validated } = createCounted(1_000_000);
    const unknown = 'Cannot query field "c" on type "Query". Did you mean "a" or "b"?';
    const unfinished = 'Syntax Error: Expected Name, found <EOF>.';
    for (const _ of [1, 2]) {
      expect(await ask('{ c }')).toEqual([undefined, [unknown]]);
      expect(await ask('{ a')).toEqual([undefined, [unfinished]]);
    }
    expect([parsed, validated]).toEqual([
      ['{ c }', '{ a', '{ c }', '{ a'],
      ['{ c }', '{ c }'],
    ]);
  });

  it('pushes out the one that was used least recently, by what they weigh', async () => {
    // A comment of a thousand characters weighs two bytes for each of them, and 2,500 for the tokens.
    const { ask, parsed } = createCounted(16 * 5_000);
    const documents = Array.from({ length: 20 }, (_, index) => `{ a } #${String(index).padStart(1_000, 'x')}`);
    for (const document of documents) await ask(document);
    const [first = '', second = ''] = documents.slice(-17);
    await ask(first);
    expect(parsed.slice(20)).toEqual([]);
    await ask('{ b }');
    await ask(second);
    await ask(documents[0] ?? '');
    expect(parsed.slice(20)).toEqual(['{ b }', documents[0]]);
  });

  it.each([
    ['its text', `{ a } #${'x'.repeat(3_000)}`],
    ['its tokens', `{ ${'a '.repeat(20)} }`],
    ['its comments', `{ a } ${'#\n'.repeat(60)}`],
  ])('that is large by %s does not take the place of all others', async (_, document) => {
    const { ask, parsed } = createCounted(16 * 5_000);
    for (const _time of [1, 2]) expect(await ask(document)).toEqual(ANSWER);
    expect(parsed).toEqual([document, document]);
  });
});
