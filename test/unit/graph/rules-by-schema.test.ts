import { buildSchema, type GraphQLResolveInfo, isListType, isObjectType, parse, printSchema } from 'graphql';
import { getNullableType, type GraphQLSchema, type ResponsePath, responsePathAsArray } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createResultSize } from '../../../src/graph/limits/result-size.ts';
import { boundResults } from '../../../src/graph/limits/bounded-results.ts';
import { builder } from '../../../src/graph/builder.ts';
import { createCarriedBy } from '../../../src/graph/planning/carried-by.ts';
import type { OperationContext } from '../../../src/graph/context.ts';
import { declareRoutes } from '../../../src/graph/planning/declare-routes.ts';
import { childRefs } from '../../../src/graph/refs.ts';
import { createSchema } from '../../../src/graph/schema.ts';
import { unscheduledRows } from '../../../src/graph/paging/streamed-rows.ts';
import { unsliced } from '../../../src/graph/limits/time-slices.ts';
import { createOperationContext } from '../../../src/graph/planning/tracked-reads.ts';
import { execute } from '../../support/execute.ts';

interface Planted {
  readonly uid: string;
}

// Fields that only their own declarations know of.
const PlantedRef = builder.objectRef<Planted>('Planted').implement({
  fields: (t) => ({
    uid: t.exposeID('uid', { nullable: false }),
    collection: t.field({
      type: childRefs.Collection,
      ...declareRoutes('/collections/{uid}'),
      resolve: async ({ uid }, _args, { loaders }) => {
        const known = await loaders.childByUid({ type: 'Collection', uid, levels: ['detail'] });
        return known && { uid, known };
      },
    }),
    undeclared: t.string({
      resolve: async ({ uid }, _args, { loaders }) =>
        (await loaders.workspaceById({ id: uid, level: 'summary' }))?.name ?? null,
    }),
  }),
});
builder.queryField('planted', (t) =>
  t.field({
    type: [PlantedRef],
    ...declareRoutes('/collections'),
    resolve: async (_root, _args, { loaders }) =>
      (await loaders.collectionsByName({ name: 'any', workspaceId: null })).map(({ uid }) => ({ uid })),
  }),
);
builder.objectField(childRefs.Collection, 'planted', (t) =>
  t.string({
    ...createCarriedBy('Collection', { detail: 'planted' })(['detail'], 'Planted.'),
    resolve: async ({ uid }, _args, { loaders }) =>
      (await loaders.childByUid({ type: 'Collection', uid, levels: ['detail'] }))?.name ?? null,
  }),
);

/** Executes a query on loaders that return these responses. Returns what was tracked and counted, by path. */
async function run(query: string, responses: Readonly<Record<string, unknown>>) {
  const tracked: [path: string, value: unknown][] = [];
  const counted: [path: string, count: number][] = [];
  const load = (name: string) => () => Promise.resolve(responses[name]);
  const resultSize = createResultSize(() => undefined);
  const contextValue = createOperationContext({
    readAhead: Object.fromEntries(Object.keys(responses).map((name) => [name, load(name)])),
    trackRead: (value: unknown, path: ResponsePath | undefined) =>
      void tracked.push([responsePathAsArray(path).join('.'), value]),
    resultSize: {
      ...resultSize,
      list(count: number, info: GraphQLResolveInfo) {
        counted.push([responsePathAsArray(info.path).join('.'), count]);
        return resultSize.list(count, info);
      },
    },
    streamedRows: unscheduledRows,
    slices: unsliced,
  } as unknown as OperationContext);
  const { data, errors = [] } = await execute({ schema: createSchema(), document: parse(query), contextValue });
  return { data, errors: errors.map(({ message }) => message), tracked, counted };
}

function* fieldsOf(schema: GraphQLSchema) {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) yield { type, field, name: `${type.name}.${field.name}` };
  }
}

describe('a new field', () => {
  const listed = [{ uid: '1-a' }, { uid: '1-b' }];
  const detail = { id: 'a', uid: '1-a', name: 'A' };

  it('is counted if it is a list, and what it reads is tracked under its path', async () => {
    const responses = { collectionsByName: listed, childByUid: detail };
    const { data, errors, tracked, counted } = await run('{ planted { collection { planted } } }', responses);
    const collection = { planted: 'A' };
    expect([data, errors, counted]).toEqual([{ planted: [{ collection }, { collection }] }, [], [['planted', 2]]]);
    // Each collection twice: by the field that finds it, and by the field that its response carries.
    expect(tracked.sort(([a], [b]) => a.localeCompare(b))).toEqual([
      ['planted', listed],
      ['planted.0.collection', detail],
      ['planted.0.collection', detail],
      ['planted.1.collection', detail],
      ['planted.1.collection', detail],
    ]);
  });

  it('gets no loaders if it does not declare what it reads', async () => {
    const { data, errors } = await run('{ planted { undeclared } }', { collectionsByName: listed });
    expect(data).toEqual({ planted: [{ undeclared: null }, { undeclared: null }] });
    expect(errors).toEqual(Array(2).fill(expect.stringContaining("reading 'workspaceById'")));
  });
});

describe('every field of the schema', () => {
  it('is counted if it is a list', async () => {
    const schema = buildSchema(printSchema(createSchema()));
    boundResults(schema);
    const lists = [...fieldsOf(schema)].filter(({ field }) => isListType(getNullableType(field.type)));
    expect(lists.length).toBeGreaterThan(20);
    for (const { type, field, name } of lists) {
      const counts: number[] = [];
      const info = { fieldName: field.name, parentType: type } as GraphQLResolveInfo;
      const context = {
        resultSize: { list: (count: number) => void counts.push(count), text() {} },
        slices: unsliced,
      } as unknown as OperationContext;
      await field.resolve?.({ [field.name]: [null, null, null] }, {}, context, info);
      expect([name, counts]).toEqual([name, [3]]);
    }
  });

  it('has loaders that track under its path, if it declares what it reads', async () => {
    const owner: ResponsePath = { prev: undefined, key: 'owner', typename: undefined };
    const info = { path: { prev: owner, key: 'field', typename: undefined } } as GraphQLResolveInfo;
    const declared = [...fieldsOf(createSchema())].filter(
      ({ field: { extensions } }) => extensions['carriedBy'] ?? extensions['reads'],
    );
    expect(declared.length).toBeGreaterThan(40);
    for (const { field, name } of declared) {
      const paths: unknown[] = [];
      const at = (path: ResponsePath | undefined) => {
        paths.push(path);
        throw new TypeError('context requested');
      };
      const args = { given: true };
      await expect((async () => field.resolve?.({}, args, { at }, info))()).rejects.toThrow('context requested');
      const levels = field.extensions['carriedBy'] as readonly string[] | undefined;
      expect([name, paths]).toEqual([name, [levels && !levels.includes('dedicated') ? owner : info.path]]);
    }
  });
});
