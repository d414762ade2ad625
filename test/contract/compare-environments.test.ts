import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StoredEnvironment } from '../../src/sandbox/account/account.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { environments } = ids;
const UNKNOWN = '41829063-00000000-0000-4000-8000-000000000000';
const read = (uid: string) => `GET /environments/${uid}`;

const toUid = (index: number) => `41829063-20000000-0000-4000-8000-00000000000${index}`;
const SECRET = 'a-secret-that-nobody-may-see';

/** An environment of these values, with the uid of that index. */
const environment = (index: number, values: StoredEnvironment['values']): StoredEnvironment => ({
  id: toUid(index).slice(9),
  owner: '41829063',
  name: `Odd ${index}`,
  isPublic: false,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  values,
});

const plain = (key: string | undefined, value: unknown, more: object = {}) => ({
  ...(key !== undefined && { key }),
  value,
  type: 'default',
  enabled: true,
  ...more,
});
const secret = (key: string, value: unknown) => plain(key, value, { type: 'secret' });

/** Pairs of values of one key, and what the comparison says of them. */
const PAIRS: readonly [
  key: string,
  left: object | undefined,
  right: object | undefined,
  state: string,
  isEqual: boolean | null,
][] = [
  ['the same text', plain('k', 'a'), plain('k', 'a'), 'EQUAL', true],
  ['other text', plain('k', 'a'), plain('k', 'A'), 'DIFFERENT', false],
  ['a number and its text', plain('k', 1), plain('k', '1'), 'EQUAL', true],
  ['lists', plain('k', [1, { a: 2 }]), plain('k', [1, { a: 2 }]), 'EQUAL', true],
  ['nothing and nothing', plain('k', null), plain('k', undefined), 'EQUAL', true],
  ['nothing and an empty text', plain('k', null), plain('k', ''), 'DIFFERENT', false],
  ['the same, of which one is disabled', plain('k', 'a'), plain('k', 'a', { enabled: false }), 'DIFFERENT', true],
  ['the same, both disabled', plain('k', 'a', { enabled: false }), plain('k', 'a', { enabled: false }), 'EQUAL', true],
  ['the same secret', secret('k', SECRET), secret('k', SECRET), 'EQUAL', true],
  ['another secret', secret('k', SECRET), secret('k', `${SECRET}!`), 'DIFFERENT', false],
  ['a password by its name', plain('password', SECRET), plain('password', SECRET), 'EQUAL', true],
  ['another password by its name', plain('password', SECRET), plain('password', 'hunter2'), 'DIFFERENT', false],
  ['a secret and the same text in clear', secret('k', SECRET), plain('k', SECRET), 'NOT_COMPARED', null],
  ['a secret and another text in clear', secret('k', SECRET), plain('k', 'guess'), 'NOT_COMPARED', null],
  ['a text in clear and a secret', plain('k', 'guess'), secret('k', SECRET), 'NOT_COMPARED', null],
  [
    'a secret and a text in clear, one disabled',
    secret('k', SECRET),
    plain('k', 'guess', { enabled: false }),
    'DIFFERENT',
    null,
  ],
  ['a secret and an empty one', secret('k', SECRET), secret('k', ''), 'DIFFERENT', false],
  ['a secret and an empty text', secret('k', SECRET), plain('k', ''), 'DIFFERENT', false],
  ['a reference and a secret', plain('k', '{{other}}'), secret('k', SECRET), 'DIFFERENT', false],
  ['the same reference, one of them a secret', secret('k', '{{other}}'), plain('k', '{{other}}'), 'EQUAL', true],
  ['empty secrets', secret('k', ''), secret('k', ''), 'EQUAL', true],
  ['secrets of a vault', secret('k', undefined), secret('k', undefined), 'NOT_COMPARED', null],
  ['a secret of a vault and another one', secret('k', undefined), secret('k', SECRET), 'NOT_COMPARED', null],
  [
    'the same URL with a password',
    plain('k', `https://me:${SECRET}@a.example/`),
    plain('k', `https://me:${SECRET}@a.example/`),
    'EQUAL',
    true,
  ],
  [
    'the same URL with another password',
    plain('k', `https://me:${SECRET}@a.example/`),
    plain('k', 'https://me:hunter2@a.example/'),
    'DIFFERENT',
    false,
  ],
  [
    'a secret URL, and the same one of which only the password is withheld',
    secret('k', `https://me:${SECRET}@a.example/`),
    plain('k', `https://me:${SECRET}@a.example/`),
    'NOT_COMPARED',
    null,
  ],
  ['a variable that the right one lacks', plain('k', 'a'), undefined, 'ONLY_LEFT', null],
  ['a variable that the left one lacks', undefined, plain('k', 'a'), 'ONLY_RIGHT', null],
  ['no key and no key', plain(undefined, 'a'), plain(undefined, 'a'), 'EQUAL', true],
  ['no key and an empty one', plain(undefined, 'a'), undefined, 'ONLY_LEFT', null],
];

const QUERY = `query ($left: ID!, $right: ID!, $states: [ComparisonState!]) {
  compareEnvironments(leftUid: $left, rightUid: $right) {
    variables(states: $states) { key state isValueEqual left { text enabled isMasked } right { text enabled isMasked } }
  }
}`;

let facade: Facade;
let revealing: Facade;
const account = createDemoAccount();
const odd: StoredEnvironment[] = [];
const served = { ...account, environments: [...account.environments] };
beforeAll(async () => {
  const options = { account: served };
  facade = await startFacade({ CACHE_TTL_MS: '0' }, options);
  revealing = await startFacade({ CACHE_TTL_MS: '0', REVEAL_SECRETS: 'true' }, options);
});
afterAll(() => Promise.all([facade.close(), revealing.close()]));
beforeEach(() => facade.postman.reset());

/** Serves two environments with these values. */
const serve = (left: StoredEnvironment['values'], right: StoredEnvironment['values']) => {
  odd.splice(0, odd.length, environment(0, left), environment(1, right));
  served.environments.splice(0, served.environments.length, ...account.environments, ...odd);
};
const compareOdd = (of: Facade, states?: readonly string[]) =>
  of.query(QUERY, { variables: { left: toUid(0), right: toUid(1), states } });

it('shows two environments side by side, at one call for each', async () => {
  const { data, errors, upstream } = await facade.query(
    `{
      compareEnvironments(leftUid: "${environments.staging}", rightUid: "${environments.production}") {
        left { uid name updatedAt valueCount values { key } }
        right { name isPublic }
        variables { key state isValueEqual left { text enabled isMasked } right { text enabled isMasked } }
      }
    }`,
  );
  const shown = (text: string | null, isMasked = false, enabled = true) => ({ text, enabled, isMasked });
  const hidden = { text: null, enabled: true, isMasked: true };
  expect({ data, errors }).toEqual({
    data: {
      compareEnvironments: {
        left: {
          uid: environments.staging,
          name: 'Staging',
          updatedAt: '2026-02-18T10:00:00.000Z',
          valueCount: 5,
          values: ['baseUrl', 'riderToken', 'riderEmail', 'city', 'proxyUrl'].map((key) => ({ key })),
        },
        right: { name: 'Production', isPublic: false },
        variables: [
          {
            key: 'baseUrl',
            state: 'DIFFERENT',
            isValueEqual: false,
            left: shown('https://api.staging.kestrel-bikes.example'),
            right: shown('https://api.kestrel-bikes.example'),
          },
          { key: 'riderToken', state: 'DIFFERENT', isValueEqual: false, left: hidden, right: hidden },
          {
            key: 'riderEmail',
            state: 'ONLY_LEFT',
            isValueEqual: null,
            left: shown('qa+rider@kestrel-bikes.example'),
            right: null,
          },
          {
            key: 'city',
            state: 'EQUAL',
            isValueEqual: true,
            left: shown('harbour-city'),
            right: shown('harbour-city'),
          },
          {
            key: 'proxyUrl',
            state: 'ONLY_LEFT',
            isValueEqual: null,
            left: shown('http://10.20.0.8:3128', false, false),
            right: null,
          },
          { key: 'mapsKey', state: 'ONLY_RIGHT', isValueEqual: null, left: null, right: shown(null) },
          {
            key: 'traceEverything',
            state: 'ONLY_RIGHT',
            isValueEqual: null,
            left: null,
            right: shown('true', false, false),
          },
        ],
      },
    },
    errors: [],
  });
  expect(facade.postman.calls).toEqual([read(environments.staging), read(environments.production)]);
  expect(upstream.calls).toBe(2);
});

it.each(PAIRS)('compares %s', async (what, left, right, state, isValueEqual) => {
  serve(left ? [left] : [], right ? [right] : []);
  const { data, errors } = await compareOdd(facade);
  expect(errors).toEqual([]);
  expect(data.compareEnvironments.variables).toHaveLength(1);
  expect(data.compareEnvironments.variables[0]).toMatchObject({ state, isValueEqual });
  // The other side shows it, but not that it is the same.
  const isShown = what === 'a secret and the same text in clear';
  expect(JSON.stringify(data).includes(SECRET)).toBe(isShown);
  expect(facade.log.join()).not.toContain(SECRET);
});

it('says all there is to say where the server reveals secrets', async () => {
  serve([secret('a', SECRET), secret('b', undefined)], [plain('a', SECRET), secret('b', SECRET)]);
  const { data } = await compareOdd(revealing);
  expect(data.compareEnvironments.variables).toMatchObject([
    { key: 'a', state: 'EQUAL', isValueEqual: true, left: { text: SECRET }, right: { text: SECRET } },
    { key: 'b', state: 'NOT_COMPARED', isValueEqual: null },
  ]);
});

it('pairs variables that occur several times in their order, and those without a key with each other', async () => {
  serve(
    [plain('a', '1'), plain('b', '1'), plain('a', '2'), plain(undefined, '1'), plain('a', '3'), plain('', '1')],
    [plain(undefined, '1'), plain('a', '1'), plain('c', '1'), plain('a', '3'), plain('c', '2')],
  );
  const { data } = await compareOdd(facade);
  const rows = data.compareEnvironments.variables as readonly Record<string, { text: string }>[];
  expect(rows.map(({ key, state, left, right }) => [key, state, left?.text ?? null, right?.text ?? null])).toEqual([
    ['a', 'EQUAL', '1', '1'],
    ['b', 'ONLY_LEFT', '1', null],
    ['a', 'DIFFERENT', '2', '3'],
    [null, 'EQUAL', '1', '1'],
    ['a', 'ONLY_LEFT', '3', null],
    ['', 'ONLY_LEFT', '1', null],
    ['c', 'ONLY_RIGHT', null, '1'],
    ['c', 'ONLY_RIGHT', null, '2'],
  ]);
  const { data: some } = await compareOdd(facade, ['DIFFERENT', 'ONLY_RIGHT', 'DIFFERENT']);
  expect(some.compareEnvironments.variables.map(({ key }: { key: string }) => key)).toEqual(['a', 'c', 'c']);
  const { data: none } = await compareOdd(facade, []);
  expect(none.compareEnvironments.variables).toEqual([]);
});

it('compares a thousand variables in the order of the left environment', async () => {
  const keys = Array.from({ length: 1_000 }, (_, index) => `key ${(index * 7) % 1_000}`);
  serve(
    keys.map((key) => plain(key, key)),
    [...keys].reverse().map((key) => plain(key, key)),
  );
  const { data } = await compareOdd(facade);
  const rows = data.compareEnvironments.variables as readonly { key: string; state: string }[];
  expect(rows.map(({ key }) => key)).toEqual(keys);
  expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['EQUAL']));
});

describe('is null', () => {
  it.each([
    [UNKNOWN, environments.staging],
    [environments.staging, UNKNOWN],
  ])('when one environment does not exist', async (left, right) => {
    const { data, errors } = await facade.query(QUERY, { variables: { left, right } });
    expect({ data, errors }).toEqual({ data: { compareEnvironments: null }, errors: [] });
    expect(facade.postman.calls).toEqual([read(left), read(right)]);
  });

  it('with BAD_USER_INPUT for what is no identifier, without a call', async () => {
    const { data, errors } = await facade.query(QUERY, { variables: { left: environments.staging, right: '../me' } });
    expect(data).toEqual({ compareEnvironments: null });
    expect(errors).toMatchObject([{ path: ['compareEnvironments'], extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(facade.postman.calls).toEqual([]);
  });

  it('with the error of the call that fails', async () => {
    facade.postman.fail(`/environments/${environments.staging}`, { kind: 'status', status: 403 });
    const { data, errors } = await facade.query(QUERY, {
      variables: { left: environments.staging, right: environments.production },
    });
    expect(data).toEqual({ compareEnvironments: null });
    expect(errors).toMatchObject([{ path: ['compareEnvironments'], extensions: { code: 'FORBIDDEN' } }]);
  });
});

it('reads an environment once that is compared with itself, or with several', async () => {
  const { data } = await facade.query(
    `{
      self: compareEnvironments(leftUid: "${environments.local}", rightUid: "${environments.local}") { variables { state } }
      other: compareEnvironments(leftUid: "${environments.local}", rightUid: "${environments.blank}") { variables { state } }
      environment(uid: "${environments.blank}") { valueCount }
    }`,
  );
  expect(data).toEqual({
    self: { variables: Array.from({ length: 4 }, () => ({ state: 'EQUAL' })) },
    other: { variables: Array.from({ length: 4 }, () => ({ state: 'ONLY_LEFT' })) },
    environment: { valueCount: 0 },
  });
  expect(facade.postman.calls).toEqual([read(environments.local), read(environments.blank)]);
});

it('costs what the dry run says, and nothing while both are cached', async () => {
  const cached = await startFacade();
  try {
    const query = `compareEnvironments(leftUid: "${environments.local}", rightUid: "${environments.staging}") { left { isPublic } variables { key } }`;
    const costs = async () =>
      (await cached.query(`{ rateLimit(dryRun: true) { costAtLeast likelyCost cost } ${query} }`)).data.rateLimit;
    expect(await costs()).toEqual({ costAtLeast: 2, likelyCost: 2, cost: 2 });
    await cached.query(`{ environment(uid: "${environments.local}") { valueCount } }`);
    expect(await costs()).toEqual({ costAtLeast: 1, likelyCost: 1, cost: 1 });
    expect((await cached.query(`{ ${query} }`)).upstream.calls).toBe(1);
    expect(await costs()).toEqual({ costAtLeast: 0, likelyCost: 0, cost: 0 });
    expect((await cached.query(`{ ${query} }`)).upstream.calls).toBe(0);
  } finally {
    await cached.close();
  }
});
