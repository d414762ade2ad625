import { getOperationAST, isObjectType, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { type LoadingField, createLoadingFields } from '../../../src/dry-run/loading-fields.ts';
import { createSchema } from '../../../src/graph/schema.ts';
import { createDocumentReader } from '../../../src/graph/limits/document-reader.ts';

const schema = createSchema();

/** Returns the loading fields of a document as text. */
function loadingFieldsOf(text: string): string {
  const document = parse(text);
  const definition = getOperationAST(document);
  const reader = createDocumentReader(schema, document, undefined, {});
  if (!definition || !reader) throw new TypeError('The document cannot be executed');
  const toText = ({ info, args, type, below }: LoadingField): string => {
    const inner = isObjectType(type) ? below(type).map(toText) : [];
    const given = Object.entries(args).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
    return `${info.fieldName}${given.length > 0 ? `(${given.join(', ')})` : ''}${inner.length > 0 ? ` { ${inner.join(' ')} }` : ''}`;
  };
  return createLoadingFields(schema, definition, reader, () => {})
    .map(toText)
    .join(' ');
}

describe('loading fields', () => {
  it.each([
    ['none for the schema or the budget', '{ __typename __schema { queryType { name } } rateLimit { cost } }', ''],
    [
      'none below a list for fields that its refs carry',
      '{ collections(first: 5) { totalCount pageInfo { endCursor } nodes { id uid name ownerId } edges { cursor node { name } } } }',
      'collections(first: 5)',
    ],
    [
      'one for several fields that the same response carries',
      '{ collections(first: 5) { nodes { createdAt updatedAt description updaterId auth { type } isPublic items { name } json } } }',
      'collections(first: 5) { nodes { createdAt description isPublic items } }',
    ],
    [
      'fields that a look-up may not know, each by its name',
      '{ collection(uid: "1-a") { id name a: name } }',
      'collection(uid: "1-a") { id name }',
    ],
    [
      'every field with loading fields below it, each with its own',
      '{ collection(uid: "1-a") { a: fork { parent { isPublic } } b: fork { parent { description } } c: fork { label } } }',
      'collection(uid: "1-a") { fork { parent { isPublic } } fork { parent { description } } fork }',
    ],
    [
      'one per set of arguments',
      '{ workspace(id: "w") { a: collections(first: 1) { totalCount } b: collections(first: 2) { totalCount } c: collections(first: 2) { totalCount } } }',
      'workspace(id: "w") { collections(first: 1) collections(first: 2) }',
    ],
    [
      'fields in fragments and under conditions, unless a condition leaves them out',
      'query ($no: Boolean = false) { ... on Query { ...A } me @include(if: $no) { id } } fragment A on Query { me { id } workspaces @skip(if: $no) { nodes { ...B } } } fragment B on Workspace { description name @include(if: false) }',
      'me workspaces(first: 20) { nodes { description } }',
    ],
    [
      'deferred fields apart from the others',
      '{ collection(uid: "1-a") { fork { parent { name } } ... @defer { fork { parent { isPublic } } } } }',
      'collection(uid: "1-a") { fork { parent { name } } fork { parent { isPublic } } }',
    ],
    [
      'fields of one response name together',
      '{ collection(uid: "1-a") { fork { parent { name } } fork { parent { isPublic } } } }',
      'collection(uid: "1-a") { fork { parent { name isPublic } } }',
    ],
    [
      'none with invalid arguments',
      'query ($r: [_Any!]) { _entities(representations: $r) { ... on Workspace { name } } me { id } }',
      'me',
    ],
  ])('include %s', (_what, text, expected) => {
    expect(loadingFieldsOf(text)).toBe(expected);
  });

  it('are found for each type that an entity can have', () => {
    const document = parse(
      '{ _entities(representations: []) { ... on Workspace { description } ... on Collection { isPublic } __typename } }',
    );
    const definition = getOperationAST(document);
    const reader = createDocumentReader(schema, document, undefined, {});
    const [entities] = definition && reader ? createLoadingFields(schema, definition, reader, () => {}) : [];
    const of = (name: string) => {
      const type = schema.getType(name);
      return isObjectType(type) ? entities?.below(type).map(({ info }) => info.fieldName) : undefined;
    };
    expect([of('Workspace'), of('Collection'), of('Environment')]).toEqual([['description'], ['isPublic'], []]);
  });

  it('are read lazily, and each fragment is searched once', () => {
    // Expanded at each spread, these fragments would have a billion fields.
    const fragments = Array.from({ length: 30 }, (_, index) => {
      const parent = `fork { parent { ...F${index + 1} } }`;
      return `fragment F${index} on Collection { a: ${parent} b: ${parent} }`;
    });
    const text = `{ collection(uid: "1-a") { ...F0 } } ${fragments.join(' ')} fragment F30 on Collection { isPublic }`;
    const document = parse(text);
    const definition = getOperationAST(document);
    const reader = createDocumentReader(schema, document, undefined, {});
    let read = 0;
    const fields =
      definition && reader
        ? createLoadingFields(schema, definition, reader, (count) => {
            read += count;
          })
        : [];
    expect({ fields: fields.map(({ info }) => info.fieldName), read }).toEqual({ fields: ['collection'], read: 1 });
  });
});
