import { readFileSync } from 'node:fs';
import { buildSchema, isObjectType, parse, TypeInfo, validate, visit, visitWithTypeInfo } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createQueries } from '../../../bench/corpus/queries.ts';

const sdl = readFileSync(new URL('../../../schema/schema.graphql', import.meta.url), 'utf8');

/** Every query, the tree unrolled to three levels. */
function toDocuments(schema = buildSchema(sdl)) {
  const { items, ...rest } = createQueries(schema);
  return [...Object.values(rest), items(3)].map((query) => parse(query));
}

/** The coordinates that are selected on objects. */
function findSelected(schema = buildSchema(sdl)): Set<string> {
  const selected = new Set<string>();
  const typeInfo = new TypeInfo(schema);
  for (const document of toDocuments(schema)) {
    visit(
      document,
      visitWithTypeInfo(typeInfo, {
        Field: ({ name }) => void selected.add(`${typeInfo.getParentType()?.name}.${name.value}`),
      }),
    );
  }
  return selected;
}

/** The coordinates of all fields of all objects. */
function findAll(schema = buildSchema(sdl)): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !type.name.startsWith('__'))
    .flatMap((type) =>
      isObjectType(type) ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`) : [],
    );
}

describe('the queries about a folder of exports', () => {
  it('are valid', () => {
    const schema = buildSchema(sdl);
    expect(toDocuments(schema).flatMap((document) => validate(schema, document))).toEqual([]);
  });

  it('select every field of every type', () => {
    const selected = findSelected();
    expect(findAll().filter((coordinate) => !selected.has(coordinate))).toEqual([]);
  });

  it('select fields that are new in the schema', () => {
    const schema = buildSchema(`${sdl}
      extend type Url { isNew: Boolean }
      extend type Folder { newList(first: Int): RequestConnection! newThing: NewThing }
      extend type Query { newList(first: Int): RequestConnection }
      type NewThing { name: String }`);
    const selected = findSelected(schema);
    expect(findAll(schema).filter((coordinate) => !selected.has(coordinate))).toEqual([]);
  });

  it('traverse the tree to its full depth', () => {
    const { items } = createQueries(buildSchema(sdl));
    expect([0, 1, 30].map((depth) => items(depth).split('on Folder { items').length - 1)).toEqual([0, 1, 30]);
  });
});
