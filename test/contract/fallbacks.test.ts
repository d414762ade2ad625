import { afterEach, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount, type GridAccount } from '../support/grid-account.ts';

const TTL_MS = 60_000;
const SWR_MS = 60_000;
const STALE_IF_ERROR_MS = 3_600_000;

let facade: Facade;
let grid: GridAccount;
afterEach(() => facade.close());

async function start(
  [collections, environments]: readonly [number, number],
  env: Record<string, string> = {},
): Promise<void> {
  grid = createGridAccount(1, collections, environments);
  facade = await startFacade(
    {
      CACHE_TTL_MS: String(TTL_MS),
      CACHE_SWR_MS: String(SWR_MS),
      CACHE_STALE_IF_ERROR_MS: String(STALE_IF_ERROR_MS),
      ...env,
    },
    { account: grid.account },
  );
}

/** A failure that is not retried while a client waits, because upstream names a longer time. */
const FAILURE = { kind: 'status', status: 503, headers: { 'Retry-After': '60' } } as const;

/**
 * Result of a read: fresh data (read now or cached), stale data, or an error; and the GETs of the operation.
 */
type Outcome = readonly ['read' | 'cached' | 'stale' | 'error', 0 | 1];

describe('the response, by the age of cached data, the requested freshness, and whether Postman responds', () => {
  const directives = [
    '',
    'no-cache',
    'no-store',
    'max-age=10',
    'max-age=86400',
    'max-stale=660',
    'max-stale=60',
    'only-if-cached',
    'only-if-cached, max-age=86400',
    'only-if-cached, max-stale=86400',
  ] as const;
  type Row = Readonly<Record<(typeof directives)[number], Outcome>>;
  const READ: Outcome = ['read', 1];
  const CACHED: Outcome = ['cached', 0];
  const STALE: Outcome = ['stale', 0];
  // Postman was called, and did not respond.
  const STALE_AFTER_CALL: Outcome = ['stale', 1];
  const ERROR: Outcome = ['error', 0];
  const ERROR_AFTER_CALL: Outcome = ['error', 1];

  const whileItAnswers = {
    fresh: {
      '': CACHED,
      'no-cache': READ,
      'no-store': READ,
      'max-age=10': READ,
      'max-age=86400': CACHED,
      'max-stale=660': CACHED,
      'max-stale=60': CACHED,
      'only-if-cached': CACHED,
      'only-if-cached, max-age=86400': CACHED,
      'only-if-cached, max-stale=86400': CACHED,
    },
    'a little too old': {
      '': STALE,
      'no-cache': READ,
      'no-store': READ,
      'max-age=10': READ,
      'max-age=86400': READ,
      'max-stale=660': STALE,
      'max-stale=60': STALE,
      'only-if-cached': STALE,
      'only-if-cached, max-age=86400': ERROR,
      'only-if-cached, max-stale=86400': STALE,
    },
    // Stale for eleven minutes and some seconds, unless its age counts from the read.
    old: {
      '': READ,
      'no-cache': READ,
      'no-store': READ,
      'max-age=10': READ,
      'max-age=86400': READ,
      'max-stale=660': STALE,
      'max-stale=60': READ,
      'only-if-cached': STALE,
      'only-if-cached, max-age=86400': ERROR,
      'only-if-cached, max-stale=86400': STALE,
    },
    'too old for anything': {
      '': READ,
      'no-cache': READ,
      'no-store': READ,
      'max-age=10': READ,
      'max-age=86400': READ,
      'max-stale=660': READ,
      'max-stale=60': READ,
      'only-if-cached': ERROR,
      'only-if-cached, max-age=86400': ERROR,
      'only-if-cached, max-stale=86400': ERROR,
    },
  } as const satisfies Record<string, Row>;
  const agesMs = { fresh: 30_000, 'a little too old': 90_000, old: 690_000, 'too old for anything': 3_700_000 };
  /** If a call fails, cached data is better than an error, provided that the request accepts stale data. */
  const withoutAnswer = (outcome: Outcome, age: keyof typeof agesMs, directive: string): Outcome => {
    if (outcome[0] !== 'read') return outcome;
    const takesStale = directive === '' || directive.startsWith('max-stale');
    return takesStale && age !== 'too old for anything' ? STALE_AFTER_CALL : ERROR_AFTER_CALL;
  };

  const rows = (Object.keys(whileItAnswers) as (keyof typeof whileItAnswers)[]).flatMap((age) => [
    { age, postman: 'answers', row: whileItAnswers[age] },
    {
      age,
      postman: 'fails',
      row: Object.fromEntries(
        directives.map((directive) => [directive, withoutAnswer(whileItAnswers[age][directive], age, directive)]),
      ) as unknown as Row,
    },
  ]);

  it.each(rows)('$age, and Postman $postman', async ({ age, postman, row }) => {
    await start([directives.length, 0]);
    const byUid = (uid: string) => `{ collection(uid: "${uid}") { description } }`;
    for (const uid of grid.collectionUids) await facade.query(byUid(uid));
    facade.skip(agesMs[age]);
    facade.postman.reset();
    if (postman === 'fails') facade.postman.fail('/', FAILURE);
    const outcomes: [string, Outcome][] = [];
    for (const [index, directive] of directives.entries()) {
      const { data, errors, upstream, headers } = await facade.query(byUid(grid.collectionUids[index] ?? ''), {
        ...(directive !== '' && { headers: { 'cache-control': directive } }),
      });
      const { stale = [] } = upstream;
      const is = errors.length > 0 ? 'error' : stale.length > 0 ? 'stale' : upstream.cached > 0 ? 'cached' : 'read';
      outcomes.push([directive, [is, upstream.calls as 0 | 1]]);
      expect(data).toEqual({ collection: is === 'error' ? null : { description: `About Collection ${index}` } });
      expect(stale.map(({ path }) => path)).toEqual(is === 'stale' ? [['collection']] : []);
      // One or two seconds may have passed.
      const ageSeconds = Number(headers.get('age') ?? Number.NaN);
      const isFromCache = is === 'stale' || is === 'cached';
      const isWrong = isFromCache && Math.abs(ageSeconds - agesMs[age] / 1_000) >= 10;
      expect([headers.has('age'), isWrong]).toEqual([isFromCache, false]);
    }
    expect(Object.fromEntries(outcomes)).toEqual(row);
    const asked = grid.collectionUids.filter((_, index) => row[directives[index] ?? '']?.[1] === 1);
    // Stale data that was served without an error is revalidated once, whether or not Postman responds.
    const refreshed = age === 'a little too old' ? [grid.collectionUids[0]] : [];
    const gets = [...asked, ...refreshed].map((uid) => `GET /collections/${uid}?model=minimal`);
    await expect.poll(() => [...facade.postman.calls].sort()).toEqual(gets.sort());
  });
});

describe('a response from cached data of different ages', () => {
  const uid = () => grid.collectionUids[0] ?? '';
  const both = () => `{ collection(uid: "${uid()}") { isPublic description } }`;
  const list = '{ collections { nodes { isPublic } } }';
  const read = () => `{ collection(uid: "${uid()}") { description } }`;

  it.each([
    ['list', () => [list, read()]],
    ['single read', () => [read(), list]],
  ] as const)('says the age of the oldest of them, here that of the %s', async (_, queries) => {
    await start([1, 0], { CACHE_RENEW_MS: '0' });
    const [first, second] = queries();
    await facade.query(first ?? '');
    facade.skip(600_000);
    await facade.query(second ?? '');
    facade.skip(TTL_MS + 40_000);
    const { data, headers, upstream } = await facade.query(both(), { headers: { 'cache-control': 'max-stale' } });
    expect([data, upstream.calls]).toEqual([{ collection: { isPublic: true, description: 'About Collection 0' } }, 0]);
    expect(upstream.stale?.map(({ path }) => path)).toEqual([['collection']]);
    for (const seconds of [upstream.stale?.[0]?.ageSeconds, Number(headers.get('age'))])
      expect(Math.abs((seconds ?? 0) - 700)).toBeLessThan(20);
  });
});

describe('a failing list that should revalidate cached data', () => {
  it('has environments read singly', async () => {
    await start([0, 3]);
    const query = `{ ${grid.environmentUids.map((uid, index) => `e${index}: environment(uid: "${uid}") { values { text } }`).join(' ')} }`;
    const before = await facade.query(query);
    facade.skip(TTL_MS + SWR_MS + 1);
    facade.postman.reset();
    facade.postman.fail(/\/environments$/, FAILURE);
    const { data, errors, upstream } = await facade.query(query);
    expect({ data, errors, stale: upstream.stale }).toEqual({ data: before.data, errors: [], stale: undefined });
    expect([...facade.postman.calls].sort()).toEqual([
      'GET /environments',
      ...grid.environmentUids.map((uid) => `GET /environments/${uid}`),
    ]);
  });

  it('has collections read singly', async () => {
    await start([3, 0]);
    const query = `{ ${grid.collectionUids.map((uid, index) => `c${index}: collection(uid: "${uid}") { description }`).join(' ')} }`;
    const before = await facade.query(query);
    facade.skip(TTL_MS + SWR_MS + 1);
    facade.postman.reset();
    facade.postman.fail('/collections?', FAILURE);
    const { data, errors, upstream } = await facade.query(query);
    expect({ data, errors, stale: upstream.stale }).toEqual({ data: before.data, errors: [], stale: undefined });
    expect([...facade.postman.calls].sort()).toEqual([
      ...grid.collectionUids.map((uid) => `GET /collections/${uid}?model=minimal`),
      'GET /collections?limit=99&offset=0',
    ]);
  });

  it('does not fail fields of an environment that its single read has too', async () => {
    await start([0, 3]);
    const query = `{ workspace(id: "${grid.workspaceIds[0]}") { description environments { nodes { updatedAt values { text } } } } }`;
    const before = await facade.query(query);
    facade.skip(TTL_MS + SWR_MS + 1);
    facade.postman.reset();
    facade.postman.fail(/\/environments(\?|$)/, FAILURE);
    const { data, errors } = await facade.query(query);
    expect({ data, errors }).toEqual({ data: before.data, errors: [] });
  });
});

describe('a list that cannot revalidate anything is not read:', () => {
  it('for one environment or collection that is too old', async () => {
    await start([1, 1]);
    const query = `{ environment(uid: "${grid.environmentUids[0]}") { values { text } } collection(uid: "${grid.collectionUids[0]}") { description } }`;
    const before = await facade.query(query);
    facade.skip(TTL_MS + SWR_MS + 1);
    facade.postman.reset();
    expect((await facade.query(query)).data).toEqual(before.data);
    expect([...facade.postman.calls].sort()).toEqual([
      `GET /collections/${grid.collectionUids[0]}?model=minimal`,
      `GET /environments/${grid.environmentUids[0]}`,
    ]);
  });

  it('for a request that accepts nothing cached', async () => {
    await start([3, 3]);
    const query = `{ ${grid.environmentUids.map((uid, index) => `e${index}: environment(uid: "${uid}") { values { text } }`).join(' ')}
      ${grid.collectionUids.map((uid, index) => `c${index}: collection(uid: "${uid}") { description }`).join(' ')} }`;
    const before = await facade.query(query);
    facade.skip(TTL_MS + SWR_MS + 1);
    facade.postman.reset();
    const { data } = await facade.query(query, { headers: { 'cache-control': 'no-cache' } });
    expect(data).toEqual(before.data);
    expect([...facade.postman.calls].sort()).toEqual([
      ...grid.collectionUids.map((uid) => `GET /collections/${uid}?model=minimal`),
      ...grid.environmentUids.map((uid) => `GET /environments/${uid}`),
    ]);
  });

  it('for collections whose short reads are too old, but whose whole reads are not', async () => {
    await start([3, 0]);
    const ask = (fields: string) =>
      facade.query(
        `{ ${grid.collectionUids.map((uid, index) => `c${index}: collection(uid: "${uid}") { ${fields} }`).join(' ')} }`,
      );
    const before = await ask('description');
    facade.skip(TTL_MS + SWR_MS + 1);
    await ask('formatVersion');
    facade.postman.reset();
    expect((await ask('description')).data).toEqual(before.data);
    expect(facade.postman.calls).toEqual([]);
  });
});

describe('one failed call', () => {
  it('does not affect data about the same workspace from another response', async () => {
    await start([2, 2]);
    const [id] = grid.workspaceIds;
    facade.postman.fail(new RegExp(`/workspaces/${id}`), FAILURE);
    const { data, errors } = await facade.query(
      `{ workspace(id: "${id}") { description collections { nodes { uid updatedAt } } environments { nodes { uid updatedAt } } } }`,
    );
    expect(errors.map(({ path, extensions }) => [path, extensions?.['code']])).toEqual([
      [['workspace', 'description'], 'UPSTREAM_UNAVAILABLE'],
    ]);
    const nodes = (uids: readonly string[]) => ({
      nodes: uids.map((uid) => ({ uid, updatedAt: '2026-01-02T03:04:05.000Z' })),
    });
    expect(data).toEqual({
      workspace: {
        description: null,
        collections: nodes(grid.collectionUids),
        environments: nodes(grid.environmentUids),
      },
    });
  });

  it.each(['environments', 'collections'])('does not prove that there is a workspace: %s', async (list) => {
    await start([1, 1]);
    facade.postman.fail(`/${list}?`, FAILURE);
    const unknown = '99999999-0000-4000-8000-000000000000';
    const { data } = await facade.query(
      `{ workspace(id: "${unknown}") { collections { nodes { updatedAt } } environments { nodes { updatedAt } } } }`,
    );
    expect(data).toEqual({ workspace: null });
  });
});

describe('data that a list shows to be unchanged', () => {
  it('is revalidated by a list filtered by name, too', async () => {
    await start([2, 0]);
    const read = `{ collection(uid: "${grid.collectionUids[0]}") { description } }`;
    await facade.query(read);
    facade.skip(TTL_MS + SWR_MS + 1);
    await facade.query('{ collections(name: "Collection 0") { nodes { updatedAt } } }');
    facade.postman.reset();
    const { data, upstream } = await facade.query(read);
    expect([data, upstream.stale, facade.postman.calls]).toEqual([
      { collection: { description: 'About Collection 0' } },
      undefined,
      [],
    ]);
  });
});

describe('data served stale', () => {
  it('is revalidated each time that it becomes stale', async () => {
    await start([1, 0]);
    const read = `{ collection(uid: "${grid.collectionUids[0]}") { description } }`;
    const get = `GET /collections/${grid.collectionUids[0]}?model=minimal`;
    await facade.query(read);
    for (let times = 2; times <= 4; times++) {
      facade.skip(TTL_MS + 1_000);
      expect((await facade.query(read)).upstream).toMatchObject({ calls: 0, stale: [{ path: ['collection'] }] });
      await expect.poll(() => facade.postman.calls).toEqual(Array.from({ length: times }, () => get));
      // It is in the cache a moment after it has been sent.
      await expect.poll(async () => (await facade.query(read)).upstream.stale).toBeUndefined();
    }
  });

  it('is not, once a list shows that it has been edited', async () => {
    await start([2, 0]);
    const read = `{ collection(uid: "${grid.collectionUids[0]}") { description } }`;
    await facade.query(read);
    facade.skip(TTL_MS + 1_000);
    grid.editCollection(0, 'Edited');
    await facade.query('{ collections { nodes { updatedAt } } }');
    const { data, upstream } = await facade.query(read);
    expect([data, upstream.calls, upstream.stale]).toEqual([{ collection: { description: 'Edited' } }, 1, undefined]);
  });
});

describe('a server that waits after its start', () => {
  it('has its budget once a window has passed', async () => {
    await start([1, 0], { COLD_START: 'wait', RATE_LIMIT: '60', BURST_LIMIT: '10' });
    const refused = await facade.query('{ me { id } }');
    expect(refused.errors.map(({ extensions }) => extensions?.['code'])).toEqual(['RATE_LIMITED']);
    facade.skip(61_000);
    expect((await facade.query('{ me { id } }')).errors).toEqual([]);
    expect(facade.postman.calls).toEqual(['GET /me']);
  });
});
