import { type Arbitrary, array, assert, constantFrom, nat, oneof, property, string, tuple, uuid } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NodeKey, parseNodeId, toNodeId } from '../../../src/graph/node-id.ts';
import { createCollectionTree } from '../../../src/upstream/collection-format/tree/collection-tree.ts';
import { toExamples } from '../../../src/upstream/collection-format/tree/examples.ts';
import { toRuns } from '../../support/property-runs.ts';

const UID = '12-6b3a7e10-0000-4000-8000-000000000001';
const runs = toRuns(1_000);

// With many of the characters that separate the parts of an id.
const anyText = oneof(
  string({ unit: 'binary', minLength: 1, maxLength: 20 }),
  array(constantFrom('/', '%', '#', '%2F', '%25', ':', '0', '1', 'a', '\uD83D'), { minLength: 1, maxLength: 6 }).map(
    (parts) => parts.join(''),
  ),
);
const anyKey: Arbitrary<NodeKey> = oneof(
  tuple(constantFrom('Folder', 'Request'), anyText, anyText).map(([type, collectionUid, itemId]) => ({
    type,
    collectionUid,
    itemId,
  })),
  tuple(anyText, anyText, oneof(anyText, nat())).map(
    ([collectionUid, itemId, exampleKey]): NodeKey => ({ type: 'Example', collectionUid, itemId, exampleKey }),
  ),
  tuple(constantFrom('Collection', 'Environment', 'Mock'), anyText).map(([type, uid]) => ({ type, uid })),
  nat().map((id): NodeKey => ({ type: 'User', id: String(id) })),
  uuid().map((id): NodeKey => ({ type: 'Workspace', id })),
);

describe('the id of a node', () => {
  it('is parsed into what it was made from', () => {
    assert(
      property(anyKey, (key) => {
        expect(parseNodeId(toNodeId(key))).toEqual(key);
      }),
      runs,
    );
  });

  it('is different for different objects', () => {
    assert(
      property(anyKey, anyKey, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other);
        expect(toNodeId(one) === toNodeId(other)).toBe(isSame);
      }),
      runs,
    );
  });

  it('is the only text for its object', () => {
    assert(
      property(anyText, (text) => {
        for (const id of [text, `Request:${text}`, `Example:${text}`]) {
          const key = parseNodeId(id);
          expect(key === null ? id : toNodeId(key)).toBe(id);
        }
      }),
      runs,
    );
  });

  it.each([
    ['', 'Collection:', 'Request:', `Request:${UID}`, `Folder:${UID}/a/b`, `Example:${UID}/a`, `Example:${UID}/a/b/c`],
    [`Request:${UID}/%2f`, `Request:${UID}/%`, `Request:${UID}/#1`, `Example:${UID}/a/#01`, `Example:${UID}/a/#-1`],
    [UID, 'me', '1.5', ' 1', '1'.repeat(24), `collection:${UID}`, `Auth:${UID}`, `Workspace:${UID.slice(3)}`],
    [`Request:${UID}/${'a'.repeat(4_000)}`],
  ])('has no other form: %s', (...ids) => {
    expect(ids.map(parseNodeId)).toEqual(ids.map(() => null));
  });
});

it('an example without an id, or with that of an earlier one, is identified by its position', () => {
  const response = [{ id: 'a' }, {}, { id: 'a' }, null, { _postman_id: '1' }, { id: 'x'.repeat(501) }];
  const { requests } = createCollectionTree({ item: [{ id: 'r', response }] }, UID);
  expect(requests.flatMap(toExamples).map(({ key }) => key)).toEqual(['a', 1, 2, '1', 4]);
});
