import { afterEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

let facade: Facade;
afterEach(() => facade.close());

const me = '{ me { id } }';
const environments = '{ environments { totalCount } }';
const CLIENT = { 'x-api-key': 'PMAK-of-the-client' };
const refusal = { kind: 'status', status: 401 } as const;

describe.each([
  ['of a client', CLIENT, 'PMAK-of-the-client'],
  ['of the server', {}, undefined],
] as const)('a key %s that Postman refuses, after it has served it,', (_, headers, otherApiKey) => {
  it('makes no call for twenty seconds, and then one', async () => {
    facade = await startFacade({}, { otherApiKeys: otherApiKey === undefined ? [] : [otherApiKey] });
    const ask = (query: string) => facade.query(query, { headers });
    const codes = async (query: string) => (await ask(query)).errors.map(({ extensions }) => extensions?.['code']);
    expect((await ask(me)).errors).toEqual([]);
    facade.postman.reset();
    facade.postman.fail('/', refusal);
    expect(await codes(environments)).toEqual(['UNAUTHENTICATED']);
    // The cached data is gone as well.
    expect(await codes(me)).toEqual(['UNAUTHENTICATED']);
    expect(await codes(environments)).toEqual(['UNAUTHENTICATED']);
    expect(facade.postman.calls).toEqual(['GET /environments']);
    facade.skip(20_001);
    expect(
      await codes(`{ me { id } environments { totalCount } environment(uid: "${ids.environments.staging}") { name } }`),
    ).toEqual(Array(3).fill('UNAUTHENTICATED'));
    expect(facade.postman.calls).toHaveLength(2);
    facade.skip(20_001);
    facade.postman.heal();
    expect((await ask(me)).errors).toEqual([]);
  });
});

describe('a good key that may not read everything', () => {
  it('may read the schema in production, though not its user', async () => {
    facade = await startFacade({ NODE_ENV: 'production' }, { otherApiKeys: [CLIENT['x-api-key']] });
    facade.postman.fail('/me', { kind: 'status', status: 403 });
    const schema = '{ __schema { queryType { name } } }';
    for (let times = 0; times < 2; times++) {
      const { data, errors } = await facade.query(schema, { headers: CLIENT });
      expect({ data, errors }).toEqual({ data: { __schema: { queryType: { name: 'Query' } } }, errors: [] });
    }
    expect(facade.postman.calls).toEqual(['GET /me']);
  });
});
