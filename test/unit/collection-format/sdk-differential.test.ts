import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { readWithSdk } from '../../../bench/corpus/ask-sdk.ts';
import { compareContents } from '../../../bench/corpus/contents.ts';
import { toBody } from '../../../src/upstream/collection-format/fields/body.ts';
import {
  createCollectionTree,
  type RequestItem,
} from '../../../src/upstream/collection-format/tree/collection-tree.ts';
import { exampleCode, examplesOf } from '../../../src/upstream/collection-format/fields/example.ts';
import { toHeaders } from '../../../src/upstream/collection-format/fields/headers.ts';
import { definitionOf, effectiveAuth } from '../../../src/upstream/collection-format/tree/item.ts';
import { methodOf } from '../../../src/upstream/collection-format/fields/request-definition.ts';
import { scriptsOf } from '../../../src/upstream/collection-format/fields/scripts.ts';
import { bodyTypes } from '../../../bench/corpus/walk-document.ts';

const word = fc.stringMatching(/^[a-z]{1,6}$/);
const rows = fc.array(
  fc.record({ key: word, value: word, disabled: fc.boolean() }, { requiredKeys: ['key', 'value'] }),
  {
    maxLength: 3,
  },
);
const auth = fc.oneof(
  fc.constant({ type: 'noauth' }),
  rows.map((bearer) => ({ type: 'bearer', bearer })),
  fc.dictionary(word, word, { maxKeys: 2 }).map((basic) => ({ type: 'basic', basic })),
);
const event = fc.array(
  fc.record({
    listen: fc.constantFrom('prerequest', 'test'),
    script: fc.record({ exec: fc.oneof(word, fc.array(word, { maxLength: 2 })) }),
  }),
  { maxLength: 2 },
);
const url = fc.oneof(
  fc.constant('https://{{host}}/a/:id?b=1'),
  fc.record({ raw: word, host: fc.array(word), path: fc.array(word), query: rows }),
);
const body = fc.oneof(
  word.map((raw) => ({ mode: 'raw', raw })),
  fc
    .array(fc.record({ key: word, value: word }), { minLength: 1 })
    .map((urlencoded) => ({ mode: 'urlencoded', urlencoded })),
  fc.array(fc.record({ key: word, value: word }), { minLength: 1 }).map((formdata) => ({ mode: 'formdata', formdata })),
  word.map((query) => ({ mode: 'graphql', graphql: { query } })),
);
const header = fc.oneof(
  rows,
  fc.constant(null),
  fc.array(fc.tuple(word, word)).map((lines) => lines.map(([key, value]) => `${key}: ${value}`).join('\n')),
);
const definition = fc.oneof(
  word,
  fc.record(
    { method: fc.constantFrom('GET', 'post', 'PATCH', 'Purge'), url, header, body, auth },
    { requiredKeys: ['url'] },
  ),
);
const response = fc.array(
  fc.record(
    { name: word, code: fc.integer({ min: 100, max: 599 }), originalRequest: definition },
    { requiredKeys: [] },
  ),
  { maxLength: 2 },
);
const request = fc.record(
  { id: word, name: word, request: definition, event, response },
  { requiredKeys: ['request'] },
);
const { item } = fc.letrec((tie) => ({
  item: fc.oneof(
    { maxDepth: 4 },
    request,
    fc.record({ name: word, item: fc.array(tie('item'), { maxLength: 3 }), auth, event }, { requiredKeys: ['item'] }),
  ),
}));
const collection = fc.record(
  { info: fc.record({ name: word }), item: fc.array(item, { maxLength: 4 }), auth, event },
  { requiredKeys: ['info', 'item'] },
);

const toFacts = (item: RequestItem) => {
  const { header, body } = definitionOf(item);
  return {
    method: methodOf(definitionOf(item)),
    headers: toHeaders(header).length,
    body: bodyTypes[toBody(body)?.kind ?? ''],
    scripts: scriptsOf(item.json).length,
    examples: examplesOf(item.json).length,
    effectiveAuth: effectiveAuth(item)?.type ?? null,
  };
};

it("reads every valid collection as Postman's SDK does", () => {
  fc.assert(
    fc.property(collection, (document) => {
      const { requests } = createCollectionTree(document, '1-a');
      const examples = requests.flatMap(({ json }) => examplesOf(json)).map((one) => ({ code: exampleCode(one) }));
      const none = { collection: [], folders: [] };
      const differences = compareContents(
        'SDK',
        { ...none, ...readWithSdk(document) },
        { ...none, requests: requests.map(toFacts), examples },
      );
      expect(differences).toEqual([]);
    }),
  );
});
