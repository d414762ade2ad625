import { afterEach, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { usedHeapBytes } from '../support/heap.ts';

const facades: Facade[] = [];
afterEach(async () => {
  for (const facade of facades.splice(0)) await facade.close();
});

async function start(...settings: Parameters<typeof startFacade>): Promise<Facade> {
  const facade = await startFacade(...settings);
  facades.push(facade);
  return facade;
}

const toUid = (index: number) => `41829063-00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const BALLAST = 'y'.repeat(500_000);

describe('a failure that is cached', () => {
  it('holds on to nothing of the operation in which it happened', async () => {
    const { query, postman } = await start();
    const ask = (index: number) =>
      query('query ($uid: ID!) { collection(uid: $uid) { name } }', {
        variables: { uid: toUid(index), unused: BALLAST },
      });
    const answers = [await ask(0), await ask(0)];
    const beforeBytes = await usedHeapBytes();
    for (let index = 1; index <= 20; index++) answers.push(await ask(index));
    const grownBytes = (await usedHeapBytes()) - beforeBytes;
    expect(answers.map(({ data, errors }) => [data, errors])).toEqual(answers.map(() => [{ collection: null }, []]));
    // The second of two equal questions was answered by the failure of the first.
    expect(postman.calls.length).toBe(21);
    // Half of what it comes to when each failure holds its request.
    expect(grownBytes).toBeLessThan(10 * BALLAST.length);
  });
});

describe('documents', () => {
  it('that differ are cached within their bound', async () => {
    const { query } = await start({ DOCUMENT_CACHE_MAX_BYTES: '2000000' });
    const ask = (index: number) => query(`{ __typename } #${index} ${'x'.repeat(50_000)}\u0100`);
    for (let index = 0; index < 40; index++) await ask(index);
    const beforeBytes = await usedHeapBytes();
    const answers = [];
    for (let index = 40; index < 240; index++) answers.push((await ask(index)).data);
    const grownBytes = (await usedHeapBytes()) - beforeBytes;
    expect(answers).toEqual(answers.map(() => ({ __typename: 'Query' })));
    // All of them would be 20 MB.
    expect(grownBytes).toBeLessThan(5_000_000);
  });

  it('that are wrong hold on to nothing of their requests', async () => {
    const { query } = await start();
    const ask = (index: number) => query(`{ unknown${index} }`, { variables: { unused: BALLAST } });
    for (let index = 0; index < 3; index++) await ask(index);
    const beforeBytes = await usedHeapBytes();
    const codes = [];
    for (let index = 3; index < 23; index++) codes.push((await ask(index)).errors[0]?.extensions?.['code']);
    const grownBytes = (await usedHeapBytes()) - beforeBytes;
    expect(codes).toEqual(codes.map(() => 'GRAPHQL_VALIDATION_FAILED'));
    expect(grownBytes).toBeLessThan(10 * BALLAST.length);
  });
});
