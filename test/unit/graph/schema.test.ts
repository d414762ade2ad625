import { readFileSync } from 'node:fs';
import {
  extendSchema,
  type GraphQLArgument,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  isScalarType,
  lexicographicSortSchema,
  parse,
  printSchema,
  specifiedScalarTypes,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { assertDeclared } from '../../../src/graph/subgraph/assert-declarations.ts';
import { createSchema } from '../../../src/graph/schema.ts';
import { leveledTypes } from '../../../src/upstream/postman/levels.ts';

const schema = createSchema();
const ownTypes = Object.values(schema.getTypeMap()).filter(
  ({ name }) => !name.startsWith('__') && !specifiedScalarTypes.some((scalar) => scalar.name === name),
);

it('describes every type, field, argument, input field and enum value', () => {
  const undescribed: string[] = [];
  const check = (coordinate: string, { description }: { description?: string | null | undefined }) => {
    if (!description?.trim()) undescribed.push(coordinate);
  };
  for (const type of ownTypes) {
    check(type.name, type);
    if (isEnumType(type)) for (const value of type.getValues()) check(`${type.name}.${value.name}`, value);
    if (isInputObjectType(type))
      for (const field of Object.values(type.getFields())) check(`${type.name}.${field.name}`, field);
    if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        check(`${type.name}.${field.name}`, field);
        for (const arg of field.args as GraphQLArgument[]) check(`${type.name}.${field.name}(${arg.name})`, arg);
      }
    }
  }
  expect(undescribed).toEqual([]);
  expect(
    ownTypes
      .filter(isScalarType)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['DateTime', 'JSON']);
});

it('declares for every field of a type with levels which upstream responses carry it', () => {
  for (const name of Object.keys(leveledTypes)) {
    const type = schema.getType(name);
    if (!isObjectType(type)) throw new TypeError(`${name} is not an object type`);
    for (const field of Object.values(type.getFields())) {
      expect(field.extensions['carriedBy'], `${name}.${field.name}`).toEqual(
        expect.arrayContaining([expect.any(String)]),
      );
    }
  }
});

it('has a Cost line for every field that can need a call', () => {
  const silent: string[] = [];
  for (const name of Object.keys(leveledTypes)) {
    const type = schema.getType(name);
    if (!isObjectType(type)) throw new TypeError(`${name} is not an object type`);
    for (const field of Object.values(type.getFields())) {
      const levels = field.extensions['carriedBy'] as readonly string[];
      if (!levels.includes('ref') && !/^Cost: /m.test(field.description ?? '')) silent.push(`${name}.${field.name}`);
    }
  }
  expect(silent).toEqual([]);
});

it('has each Cost line in the first paragraph, which is all that GraphiQL shows of a field on the page of its type', () => {
  const described = ownTypes.flatMap((type) => {
    const fields = isObjectType(type) || isInterfaceType(type) || isInputObjectType(type) ? type.getFields() : {};
    return [
      { name: type.name, description: type.description },
      ...Object.values(fields).flatMap((field) => [
        { name: `${type.name}.${field.name}`, description: field.description },
        ...('args' in field ? (field.args as GraphQLArgument[]) : []).map(({ name, description }) => ({
          name: `${type.name}.${field.name}(${name}:)`,
          description,
        })),
      ]),
    ];
  });
  const withCost = described.filter(({ description }) => /\bCost: /.test(description ?? ''));
  expect(withCost.length).toBeGreaterThan(80);
  expect(
    withCost.filter(({ description }) => !/^Cost: \S.*\.$/m.test((description ?? '').split('\n\n')[0] ?? '')),
  ).toEqual([]);
});

it('says for every nullable field when it is null', () => {
  const silent = ownTypes.flatMap((type) =>
    isObjectType(type) || isInterfaceType(type)
      ? Object.values(type.getFields())
          .filter((field) => !isNonNullType(field.type) && !/\bnull\b/.test(field.description ?? ''))
          .map(({ name }) => `${type.name}.${name}`)
      : [],
  );
  expect(silent).toEqual([]);
});

it('has a Cost line for every root field but rateLimit', () => {
  const fields = Object.values(schema.getQueryType()?.getFields() ?? {});
  expect(fields.filter(({ description }) => !/^Cost: /m.test(description ?? '')).map(({ name }) => name)).toEqual([
    'rateLimit',
  ]);
});

it('is the published contract', () => {
  expect(readFileSync(new URL('../../../schema/schema.graphql', import.meta.url), 'utf8')).toBe(
    `${printSchema(lexicographicSortSchema(schema))}\n`,
  );
});

describe('a schema with a field that does not declare what it is read from', () => {
  const withField = (typeName: string, fieldName: string) =>
    extendSchema(createSchema(), parse(`extend type ${typeName} { ${fieldName}: String }`));

  it.each([
    ['Workspace', 'carriedBy'],
    ['Collection', 'carriedBy'],
    ['Environment', 'carriedBy'],
    ['Query', 'reads'],
  ])('is rejected: a field of %s', (typeName, extension) => {
    expect(() => assertDeclared(withField(typeName, 'planted'))).toThrow(
      new TypeError(`These fields do not declare what they are read from: ${typeName}.planted has no "${extension}"`),
    );
  });

  it('is accepted if the type has no levels', () => {
    expect(() => assertDeclared(withField('RateLimit', 'planted'))).not.toThrow();
  });
});
