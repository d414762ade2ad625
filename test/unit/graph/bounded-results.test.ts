import { parse } from 'graphql';
import { expect, it } from 'vitest';
import type { OperationContext } from '../../../src/graph/context.ts';
import { createSchema } from '../../../src/graph/schema.ts';
import { createOperationContext } from '../../../src/graph/planning/tracked-reads.ts';
import { execute } from '../../support/execute.ts';

it('a list item that fails while it waits for a time slice is an error at its path', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', note);
  const next = () => new Promise<void>((resolve) => void setImmediate(() => setImmediate(resolve)));
  const contextValue = createOperationContext({
    readAhead: {},
    resultSize: { list: () => true, search() {}, text() {}, large: [] },
    slices: { isUsedUp: () => true, next },
  } as unknown as OperationContext);
  const { data, errors } = await execute({
    schema: createSchema(),
    document: parse(
      '{ _entities(representations: [{ __typename: "Folder" }, { __typename: "Nothing" }]) { __typename } }',
    ),
    contextValue,
  });
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
  expect(data).toEqual({ _entities: [null, null] });
  expect(errors?.map(({ path }) => path)).toEqual([
    ['_entities', 0],
    ['_entities', 1],
  ]);
});
