import { setImmediate } from 'node:timers/promises';
import { buildSchema, isObjectType, parse } from 'graphql';
import { expect, it } from 'vitest';
import { createExecutor } from '../../../src/graph/execution/execute-plan.ts';
import { createRetainedPlans } from '../../../src/server/operation/retained-plans.ts';
import { Stop } from '../../../src/upstream/stop.ts';

const schema = buildSchema(`
  type Row { name: String! next: Row sure: Row! rows: [Row!]! }
  type Query { row: Row rows: [Row!]! nullable: [Row] }
`);
const document = parse(`{
  row { ...Parts } rows { ...Parts } nullable { ...Parts }
} fragment Parts on Row { name next { name sure { name } } rows { name next { name } } }`);

/** Resolvers whose promises settle when `settle` is called. They note what they were called for. */
function createResolvers() {
  const called: string[] = [];
  const waiting: (() => void)[] = [];
  let rejects = false;
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields()))
      field.resolve = (_source, _args, _context, { fieldName }) => {
        called.push(fieldName);
        const value = fieldName === 'name' ? 'a' : /s$|nullable/.test(fieldName) ? [{}, Promise.resolve({}), {}] : {};
        return new Promise((resolve, reject) => {
          waiting.push(() => (rejects ? reject(new Error(`late ${fieldName}`)) : resolve(value)));
        });
      };
  }
  return {
    called,
    /** Settles the promises of all calls so far, and waits until everything that follows has run. */
    async settle(asErrors = false) {
      rejects = asErrors;
      for (const settleOne of waiting.splice(0)) settleOne();
      await setImmediate();
    },
  };
}

it.each([false, true])(
  'rejects at once when it is stopped, and calls no resolver afterwards (%s)',
  async (asErrors) => {
    for (let rounds = 0; rounds < 4; rounds++) {
      const { called, settle } = createResolvers();
      const execute = createExecutor(schema, createRetainedPlans(1_000));
      const stop = new Stop();
      const args = { schema, document, signal: stop as unknown as AbortSignal };
      const result = Promise.resolve(execute(args, () => expect.fail('It is a valid query')));
      for (let round = 0; round < rounds; round++) await settle();
      const before = called.length;
      expect(before).toBeGreaterThan(0);
      stop.abort(new Error('too late'));
      await expect(result).rejects.toThrow('too late');
      for (let round = 0; round < 6; round++) await settle(asErrors);
      expect(called.length).toBe(before);
    }
  },
);

it('does not begin after a stop', () => {
  const { called } = createResolvers();
  const stop = new Stop();
  stop.abort(new Error('too late'));
  const execute = createExecutor(schema, createRetainedPlans(1_000));
  const args = { schema, document, signal: stop as unknown as AbortSignal };
  expect(() => execute(args, () => expect.fail('It is a valid query'))).toThrow('too late');
  expect(called).toEqual([]);
});
