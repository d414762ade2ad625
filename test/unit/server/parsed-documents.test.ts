import { parse, validate } from 'graphql';
import { createSchema, createYoga, type Plugin } from 'graphql-yoga';
import { describe, expect, it } from 'vitest';
import { useParsedDocuments } from '../../../src/server/plugins/document/use-parsed-documents.ts';

/** A server that records which texts it has parsed and validated. */
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
    async query(text: string) {
      const response = await yoga.fetch('http://localhost/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: text }),
      });
      const { data, errors = [] } = (await response.json()) as { data?: unknown; errors?: { message: string }[] };
      return [data, errors.map(({ message }) => message)];
    },
  };
}

const RESULT = [{ a: null }, []];

describe('a document', () => {
  it('is parsed and validated once, even if it is sent again', async () => {
    const { query, parsed, validated } = createCounted(1_000_000);
    expect([await query('{ a }'), await query('{ a }')]).toEqual([RESULT, RESULT]);
    expect([parsed, validated]).toEqual([['{ a }'], ['{ a }']]);
  });

  it('that is invalid is not cached, nor are its errors', async () => {
    const { query, parsed, validated } = createCounted(1_000_000);
    const unknown = 'Cannot query field "c" on type "Query". Did you mean "a" or "b"?';
    const unfinished = 'Syntax Error: Expected Name, found <EOF>.';
    for (const _ of [1, 2]) {
      expect(await query('{ c }')).toEqual([undefined, [unknown]]);
      expect(await query('{ a')).toEqual([undefined, [unfinished]]);
    }
    expect([parsed, validated]).toEqual([
      ['{ c }', '{ a', '{ c }', '{ a'],
      ['{ c }', '{ c }'],
    ]);
  });

  it('evicts the least recently used one, by memory', async () => {
    // A document with a comment of a thousand characters counts two bytes for each, and 2,500 for its tokens.
    const { query, parsed } = createCounted(16 * 5_000);
    const documents = Array.from({ length: 20 }, (_, index) => `{ a } #${String(index).padStart(1_000, 'x')}`);
    for (const document of documents) await query(document);
    const [first = '', second = ''] = documents.slice(-17);
    await query(first);
    expect(parsed.slice(20)).toEqual([]);
    await query('{ b }');
    await query(second);
    await query(documents[0] ?? '');
    expect(parsed.slice(20)).toEqual(['{ b }', documents[0]]);
  });

  it.each([
    ['its text', `{ a } #${'x'.repeat(3_000)}`],
    ['its tokens', `{ ${'a '.repeat(20)} }`],
    ['its comments', `{ a } ${'#\n'.repeat(60)}`],
  ])('that is large because of %s is not cached', async (_, document) => {
    const { query, parsed } = createCounted(16 * 5_000);
    for (const _time of [1, 2]) expect(await query(document)).toEqual(RESULT);
    expect(parsed).toEqual([document, document]);
  });
});
