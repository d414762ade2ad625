import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createDemoAccount } from '../../../src/sandbox/account/demo.ts';
import { ids } from '../../../src/sandbox/account/demo-ids.ts';
import type { Fault } from '../../../src/sandbox/faults.ts';
import { createRateWindows } from '../../../src/sandbox/rate-windows.ts';
import { refusalSpellings } from '../../../src/sandbox/rate-refusals.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts';

const started: Sandbox[] = [];

async function start(options: SandboxOptions = { limits: 'off' }): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  started.push(sandbox);
  return sandbox;
}

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await Promise.all(started.splice(0).map((sandbox) => sandbox.close()));
});

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
}

/** Uses plain node:http, which shows the raw response: no decoding, no redirects. */
function send(sandbox: Sandbox, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(sandbox.origin + path, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }),
      );
    });
    sent.on('error', reject).end();
  });
}

const get = (sandbox: Sandbox, path: string, headers: Record<string, string> = {}) =>
  send(sandbox, path, { 'X-Api-Key': sandbox.apiKey, ...headers });

// oxlint-disable-next-line typescript/no-explicit-any -- what is read here is asserted on as a whole
async function getJson(sandbox: Sandbox, path: string): Promise<any> {
  const { bytes } = await get(sandbox, path);
  return JSON.parse(bytes.toString());
}

/** Resolves once the sandbox has received that many requests. */
const arrived = (sandbox: Sandbox, count: number) =>
  vi.waitFor(() => expect(sandbox.calls).toHaveLength(count), { interval: 2 });

/** Mocks the monotonic clock, so that a test can advance it. */
function shiftableTime(): { shiftMs: number } {
  const time = { shiftMs: 0 };
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + time.shiftMs);
  return time;
}

const rateHeadersOf = ({ headers }: Reply) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => /rate|retry/.test(name)));

const wide = { limit: 1000, windowMs: 600_000 };
/** Members of a workspace in a list. */
const keysOfRow = ['id', 'name', 'type', 'visibility', 'createdBy', 'about', 'createdAt', 'updatedAt'];
const bareId = (uid: string) => uid.slice(-36);

describe('the API key', () => {
  it('is taken from the X-Api-Key header, which takes precedence over the query', async () => {
    const sandbox = await start();
    const statuses = [
      await get(sandbox, '/me'),
      await send(sandbox, `/me?apikey=${sandbox.apiKey}`),
      await send(sandbox, `/me?apikey=${sandbox.apiKey}`, { 'x-api-key': 'PMAK-other' }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 401]);
  });

  it.each(['v2017', 'current'] as const)('is refused when it is unknown or missing (%s)', async (behavior) => {
    const sandbox = await start({ behavior, apiKey: 'PMAK-known' });
    const unknown = await send(sandbox, '/me', { 'X-Api-Key': 'PMAK-unknown' });
    const missing = await send(sandbox, '/me');
    expect([unknown.status, missing.status]).toEqual([401, 401]);
    expect(JSON.parse(unknown.bytes.toString()).error).toEqual({
      name: 'AuthenticationError',
      message: expect.stringMatching(/^Invalid API Key/),
    });
    expect(JSON.parse(missing.bytes.toString()).error).toEqual({
      name: 'AuthenticationError',
      message: expect.stringMatching(/^API Key missing/),
    });
    expect(unknown.headers['content-type']).toMatch(
      behavior === 'v2017' ? /^application\/json/ : /^application\/problem\+json/,
    );
  });

  it('never appears in the logs, which record where it was sent and its index', async () => {
    const sandbox = await start({ limits: 'off', otherApiKeys: ['PMAK-second'] });
    await get(sandbox, '/me', { 'X-Test': 'yes' });
    await send(sandbox, '/me?apikey=PMAK-second&x=1');
    await send(sandbox, '/me');
    expect(sandbox.calls).toEqual(['GET /me', 'GET /me?apikey=[redacted]&x=1', 'GET /me']);
    expect(sandbox.arrivals.map(({ keyIn, keyIndex, status }) => [keyIn, keyIndex, status])).toEqual([
      ['header', 0, 200],
      ['query', 1, 200],
      ['none', -1, 401],
    ]);
    expect(sandbox.arrivals[0]?.headers).toMatchObject({ 'x-api-key': '[redacted]', 'x-test': 'yes' });
    expect(JSON.stringify(sandbox.arrivals)).not.toContain(sandbox.apiKey);
  });
});

describe('reading', () => {
  it('returns the user of the key', async () => {
    const sandbox = await start();
    const { user, operations } = createDemoAccount();
    expect(await getJson(sandbox, '/me')).toEqual({ user, operations });
  });

  it('lists the team for its members, and refuses everybody else', async () => {
    const account = createDemoAccount();
    const { team, ...withoutTeam } = account;
    const guest = { apiKey: 'PMAK-guest', user: { ...account.user, id: 77 } };
    const sandbox = await start({ account, otherApiKeys: [guest] });
    expect(await getJson(sandbox, '/users')).toEqual({ data: team });
    expect(team?.map(({ id }) => String(id))).toEqual([ids.users.jonas, ids.users.ines]);
    expect((await send(sandbox, '/users', { 'x-api-key': guest.apiKey })).status).toBe(403);
    const alone = await start({ account: withoutTeam });
    expect((await get(alone, '/users')).status).toBe(403);
  });

  it('lists workspaces whole, without meta, unless a limit asks for pages', async () => {
    const sandbox = await start();
    const whole = await getJson(sandbox, '/workspaces');
    expect(Object.keys(whole)).toEqual(['workspaces']);
    expect(Object.keys(whole.workspaces[0])).toEqual(keysOfRow);
    const pages = [];
    let cursor: string | undefined = '';
    while (cursor !== undefined) {
      const page = await getJson(sandbox, `/workspaces?limit=3&cursor=${encodeURIComponent(cursor)}`);
      pages.push(page);
      cursor = page.meta.nextCursor;
    }
    expect(pages.flatMap((page) => page.workspaces)).toEqual(whole.workspaces);
    expect(pages.map((page) => page.workspaces.length)).toEqual([3, 3, 1]);
    expect(pages.at(-1)?.meta).toEqual({});
    expect(await getJson(sandbox, '/workspaces?limit=7')).toEqual({ ...whole, meta: {} });
  });

  it('filters workspaces by visibility, creator and element', async () => {
    const sandbox = await start();
    const found = async (query: string) =>
      (await getJson(sandbox, `/workspaces?${query}`)).workspaces.map(({ id }: { id: string }) => id);
    const { workspaces, collections, users } = ids;
    expect(await found('type=public')).toEqual([workspaces.openData]);
    expect(await found(`createdBy=${users.jonas}`)).toEqual([
      workspaces.payments,
      workspaces.release,
      workspaces.archive,
    ]);
    expect(await found(`createdBy=${users.jonas},${users.ines}`)).toHaveLength(7);
    expect(await found(`elementType=collection&elementId=${collections.rides}`)).toEqual([
      workspaces.riderPlatform,
      workspaces.cityPilot,
    ]);
    expect(await found('elementType=collection&elementId=nobody')).toEqual([]);
  });

  it('reads a workspace with the members that the list lacks and with short references', async () => {
    const sandbox = await start();
    const { workspace } = await getJson(sandbox, `/workspaces/${ids.workspaces.openData}?include=team`);
    expect(workspace).toEqual({
      id: ids.workspaces.openData,
      name: 'Kestrel Open Data',
      type: 'team',
      visibility: 'public',
      about: 'Live availability for everybody',
      description: expect.stringContaining('No key is needed'),
      createdBy: ids.users.ines,
      updatedBy: ids.users.jonas,
      team: '90417',
      createdAt: '2023-04-04T09:00:00.000Z',
      updatedAt: '2026-01-07T08:00:00.000Z',
      collections: [{ id: bareId(ids.collections.openData), name: 'Open Data API', uid: ids.collections.openData }],
      environments: [{ id: bareId(ids.environments.openData), name: 'Open data', uid: ids.environments.openData }],
      mocks: [],
      monitors: [],
      specs: [],
    });
  });

  it('reads the globals of a workspace unwrapped, secrets in clear', async () => {
    const sandbox = await start();
    expect(await getJson(sandbox, `/workspaces/${ids.workspaces.payments}/global-variables`)).toEqual({
      values: [{ key: 'acquirerPassword', value: 'demo-acquirer-password-9e44', type: 'secret', enabled: true }],
    });
  });

  it('lists collections with owner and publicity, by workspace, by exact name and by page', async () => {
    const sandbox = await start();
    const all = (await getJson(sandbox, '/collections')).collections;
    expect(all.find(({ uid }: { uid: string }) => uid === ids.collections.openDataFork)).toEqual({
      id: bareId(ids.collections.openDataFork),
      name: 'Open Data API',
      owner: ids.users.ines,
      createdAt: '2025-10-21T17:55:13.000Z',
      updatedAt: '2025-10-28T19:03:40.000Z',
      uid: ids.collections.openDataFork,
      fork: { label: 'ines/vector-tiles', createdAt: '2025-10-21T17:55:13.000Z', from: ids.collections.openData },
      isPublic: false,
    });
    expect(await getJson(sandbox, '/collections?limit=4&offset=12')).toEqual({
      collections: all.slice(12),
      meta: { total: 13, offset: 12, limit: 4 },
    });
    const named = await getJson(sandbox, '/collections?name=Open%20Data%20API');
    expect(named.collections.map(({ uid }: { uid: string }) => uid)).toEqual([
      ids.collections.openData,
      ids.collections.openDataFork,
    ]);
    expect(await getJson(sandbox, '/collections?name=open%20data%20api')).toEqual({ collections: [] });
    const ofWorkspace = await getJson(sandbox, `/collections?workspace=${ids.workspaces.cityPilot}`);
    expect(ofWorkspace.collections.map(({ uid }: { uid: string }) => uid)).toEqual([ids.collections.rides]);
    expect(await getJson(sandbox, '/collections?workspace=nobody')).toEqual({ collections: [] });
  });

  it('reads a collection with dates in info and ids on every node, but neither owner nor publicity', async () => {
    const sandbox = await start();
    const { collection } = await getJson(sandbox, `/collections/${ids.collections.rides}`);
    expect(collection.info).toEqual({
      _postman_id: bareId(ids.collections.rides),
      name: 'Rides API',
      description: { content: expect.stringContaining('# Rides API'), type: 'text/markdown' },
      schema: 'https://schema.postman.com/json/collection/v2.1.0/collection.json',
      uid: ids.collections.rides,
      createdAt: '2023-02-14T08:12:31.000Z',
      updatedAt: '2026-03-02T15:40:09.000Z',
      lastUpdatedBy: ids.users.ines,
    });
    expect(collection).not.toHaveProperty('owner');
    expect(collection).not.toHaveProperty('isPublic');
    const signIn = collection.item[0].item[0];
    const stamps = { createdAt: collection.info.createdAt, updatedAt: collection.info.updatedAt };
    for (const node of [collection.item[0], signIn, signIn.response[0]]) {
      expect(node).toMatchObject({ ...stamps, uid: `${ids.users.ines}-${node.id}` });
    }
    expect(signIn.request.url).toEqual({
      raw: '{{baseUrl}}/v1/session',
      host: ['{{baseUrl}}'],
      path: ['v1', 'session'],
    });
    expect(signIn.response[0].originalRequest).toMatchObject({ method: 'POST', url: signIn.request.url });
  });

  it('reads the minimal model: events in the plural, uids in place of the tree, no schema', async () => {
    const sandbox = await start();
    const whole = (await getJson(sandbox, `/collections/${ids.collections.smoke}`)).collection;
    const { collection } = await getJson(sandbox, `/collections/${ids.collections.smoke}?model=minimal`);
    const { schema: _schema, ...info } = whole.info;
    const [first, second, third, writePaths] = whole.item.map(({ uid }: { uid: string }) => uid);
    expect(collection).toEqual({
      info,
      variable: whole.variable,
      auth: whole.auth,
      events: whole.event,
      rootLevelRequests: [first, second, third],
      rootLevelFolders: [writePaths],
    });
  });

  it('lists environments with their uid and reads one without', async () => {
    const sandbox = await start();
    const { environments } = await getJson(sandbox, `/environments?workspace=${ids.workspaces.openData}`);
    const row = {
      id: bareId(ids.environments.openData),
      name: 'Open data',
      owner: ids.users.ines,
      createdAt: '2023-04-04T09:10:00.000Z',
      updatedAt: '2024-05-02T08:00:00.000Z',
      isPublic: true,
    };
    expect(environments).toEqual([{ ...row, uid: ids.environments.openData }]);
    expect((await getJson(sandbox, `/environments/${ids.environments.openData}`)).environment).toEqual({
      ...row,
      values: [
        { key: 'openDataUrl', value: 'https://open.kestrel-bikes.example/v2', type: 'default', enabled: true },
        { key: 'format', value: 'geojson', type: 'default', enabled: true },
      ],
    });
    expect(await getJson(sandbox, '/environments?workspace=nobody')).toEqual({ environments: [] });
  });

  it('lists the active mock servers of a workspace, of a team or of the owner of the key, whole', async () => {
    const sandbox = await start();
    const found = async (query: string) =>
      (await getJson(sandbox, `/mocks${query}`)).mocks.map(({ uid }: { uid: string }) => uid);
    const { rides, stations, payments, nightly } = ids.mocks;
    expect(await getJson(sandbox, `/mocks?workspace=${ids.workspaces.riderPlatform}`)).toEqual({
      mocks: [
        {
          id: bareId(rides),
          owner: ids.users.ines,
          uid: rides,
          collection: ids.collections.rides,
          mockUrl: `https://${bareId(rides)}.mock.pstmn.io`,
          name: 'Rides API for the app team',
          config: {
            headers: ['x-city'],
            matchBody: false,
            matchQueryParams: true,
            matchWildcards: true,
            delay: { type: 'fixed', preset: '1', duration: 300 },
            serverResponseId: '',
          },
          createdAt: '2025-04-11T07:20:15.000Z',
          updatedAt: '2026-02-02T12:03:44.000Z',
          environment: ids.environments.staging,
          isPublic: false,
        },
        {
          id: bareId(stations),
          owner: ids.users.jonas,
          uid: stations,
          collection: ids.collections.stations,
          mockUrl: `https://${bareId(stations)}.mock.pstmn.io`,
          name: 'Stations, always out of order',
          config: {
            headers: [],
            matchBody: false,
            matchQueryParams: false,
            matchWildcards: false,
            delay: null,
            serverResponseId: '4714551d-6440-545a-8628-c9bcf4790871',
          },
          createdAt: '2026-01-19T10:11:00.000Z',
          updatedAt: '2026-01-19T10:11:00.000Z',
          isPublic: true,
        },
      ],
    });
    expect(await found('')).toEqual([rides, nightly]);
    expect(await found('?teamId=90417')).toEqual([rides, stations, payments, nightly]);
    expect(await found('?teamId=1')).toEqual([]);
    expect(await found(`?teamId=1&workspace=${ids.workspaces.payments}`)).toEqual([payments]);
    expect(await found('?workspace=nobody')).toEqual([]);
  });

  it('reads a mock server with the members of the list, also a deactivated one', async () => {
    const sandbox = await start();
    const { mocks } = await getJson(sandbox, `/mocks?workspace=${ids.workspaces.riderPlatform}`);
    expect(await getJson(sandbox, `/mocks/${ids.mocks.stations}`)).toEqual({
      mock: { ...mocks[1], deactivated: false },
    });
    expect((await getJson(sandbox, `/mocks/${ids.mocks.pricing}`)).mock).toMatchObject({
      uid: ids.mocks.pricing,
      collection: ids.collections.pricing,
      environment: ids.environments.local,
      deactivated: true,
    });
    expect(await getJson(sandbox, `/mocks/${bareId(ids.mocks.rides)}`)).toEqual({
      mock: { ...mocks[0], deactivated: false },
    });
  });

  it('has short references to mock servers in a workspace, and on request to deactivated ones', async () => {
    const sandbox = await start();
    const path = `/workspaces/${ids.workspaces.riderPlatform}`;
    const toRef = (uid: string, name: string, deactivated: boolean) => ({ id: bareId(uid), name, uid, deactivated });
    const active = [
      toRef(ids.mocks.rides, 'Rides API for the app team', false),
      toRef(ids.mocks.stations, 'Stations, always out of order', false),
    ];
    expect((await getJson(sandbox, path)).workspace.mocks).toEqual(active);
    expect((await getJson(sandbox, `${path}?include=team,mocks:deactivated`)).workspace.mocks).toEqual([
      ...active,
      toRef(ids.mocks.pricing, 'Prices of last year', true),
    ]);
  });

  it('finds by bare id only elements of the user of the key', async () => {
    const sandbox = await start();
    const statuses = [];
    for (const uid of [ids.collections.rides, ids.collections.payments]) {
      statuses.push(
        (await get(sandbox, `/collections/${bareId(uid)}`)).status,
        (await get(sandbox, `/collections/${uid}`)).status,
      );
    }
    expect(statuses).toEqual([200, 200, 400, 200]);
  });

  it.each([
    ['/workspaces/nobody', 404, { error: { name: 'workspaceNotFoundError', statusCode: 404 } }],
    ['/workspaces/nobody/global-variables', 404, { error: { name: 'workspaceNotFoundError' } }],
    ['/collections/nobody', 400, { error: { name: 'instanceNotFoundError' } }],
    ['/environments/nobody', 400, { error: { name: 'instanceNotFoundError' } }],
    ['/mocks/nobody', 404, { error: { name: 'mockNotFoundError' } }],
    [`/mocks/${bareId(ids.mocks.payments)}`, 404, { error: { name: 'mockNotFoundError' } }],
    ['/workspaces?limit=101', 400, { error: { name: 'invalidParamsError' } }],
    ['/workspaces?limit=0', 400, { error: { name: 'invalidParamsError' } }],
    ['/workspaces?limit=2&cursor=bogus', 400, { error: { name: 'invalidParamsError' } }],
    ['/workspaces?type=secret', 400, { error: { message: expect.stringContaining('visibilityStatus') } }],
    ['/workspaces?elementType=monitor&elementId=1', 400, { name: 'invalidParamsError' }],
    ['/workspaces?elementType=collection', 400, { name: 'invalidParamsError' }],
    [`/workspaces/${ids.workspaces.archive}?include=team,team`, 400, { error: { name: 'invalidParamsError' } }],
    ['/collections?name=x&limit=1', 400, { error: { name: 'invalidParamsError' } }],
    ['/collections?name=x&offset=0', 400, { error: { name: 'invalidParamsError' } }],
    ['/collections?limit=-1', 400, { error: { name: 'invalidParamsError' } }],
    ['/nothing', 404, { title: 'Not Found', status: 404 }],
    ['/collections/%', 400, { error: { name: 'instanceNotFoundError' } }],
    ['/', 404, { title: 'Not Found' }],
  ])('answers %s with its own error', async (path, status, body) => {
    const sandbox = await start();
    const reply = await get(sandbox, path);
    expect({ status: reply.status, body: JSON.parse(reply.bytes.toString()) }).toMatchObject({ status, body });
    expect(reply.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  });

  it('refuses every method but GET', async () => {
    const sandbox = await start();
    const reply = await send(sandbox, '/collections', { 'X-Api-Key': sandbox.apiKey }, 'POST');
    expect([reply.status, reply.headers.allow]).toEqual([405, 'GET']);
  });

  it('compresses only when asked to', async () => {
    const sandbox = await start();
    const plain = await get(sandbox, '/me');
    const refused = await get(sandbox, '/me', { 'Accept-Encoding': 'gzip;q=0, br' });
    const gzipped = await get(sandbox, '/me', { 'Accept-Encoding': 'br, gzip' });
    expect([plain, refused, gzipped].map(({ headers }) => headers['content-encoding'])).toEqual([
      undefined,
      undefined,
      'gzip',
    ]);
    expect(gunzipSync(gzipped.bytes)).toEqual(plain.bytes);
    expect(plain.headers.etag).toMatch(/^W\/"/);
    expect(plain.headers['content-type']).toBe('application/json; charset=utf-8');
  });
});

describe('the behavior of 2017', () => {
  it('has no pages and leaves empty lists of a workspace out', async () => {
    const sandbox = await start({ behavior: 'v2017', limits: 'off' });
    const workspaces = await getJson(sandbox, '/workspaces?limit=1');
    expect([workspaces.workspaces.length, workspaces.meta]).toEqual([7, undefined]);
    const collections = await getJson(sandbox, '/collections?limit=1&offset=3');
    expect([collections.collections.length, collections.meta]).toEqual([13, undefined]);
    const { workspace } = await getJson(sandbox, `/workspaces/${ids.workspaces.archive}`);
    expect(Object.keys(workspace)).toEqual([...keysOfRow, 'description', 'updatedBy']);
  });

  it('sends collections in format v2.0', async () => {
    const sandbox = await start({ behavior: 'v2017', limits: 'off' });
    const { collection } = await getJson(sandbox, `/collections/${ids.collections.rides}`);
    expect(Object.keys(collection).sort()).toEqual([
      'auth',
      'event',
      'info',
      'item',
      'protocolProfileBehavior',
      'variables',
    ]);
    expect(collection.info).toEqual({
      _postman_id: bareId(ids.collections.rides),
      name: 'Rides API',
      description: expect.anything(),
      schema: 'https://schema.getpostman.com/json/collection/v2.0.0/collection.json',
    });
    expect(collection.auth).toEqual({ type: 'bearer', bearer: { token: '{{riderToken}}' } });
    expect(collection.event[1].script.exec).toMatch(/^pm\.test\(.*\n.*\n\}\);$/);
    const list = collection.item[1].item[0];
    expect(list.request.url).toBe('{{baseUrl}}/v1/rides?state=active&limit=20&withPath');
    expect(list.request.body).toEqual({ mode: 'formdata', formdata: [] });
    expect(list.response[0].originalRequest.url).toBe(list.request.url);
    expect(JSON.stringify(collection.item)).not.toMatch(/"(?:uid|createdAt|updatedAt)":/);
    const refund = collection.item[2];
    expect(refund.auth).toEqual({
      type: 'basic',
      basic: { username: 'support-desk', password: 'demo-desk-password-88' },
    });
  });

  it('ignores the model parameter, which it does not know', async () => {
    const sandbox = await start({ behavior: 'v2017', limits: 'off' });
    const path = `/collections/${ids.collections.scratch}`;
    expect(await getJson(sandbox, `${path}?model=minimal`)).toEqual(await getJson(sandbox, path));
  });

  it('has references with only an id to the mock servers of a workspace', async () => {
    const sandbox = await start({ behavior: 'v2017', limits: 'off' });
    const { workspace } = await getJson(sandbox, `/workspaces/${ids.workspaces.payments}`);
    expect(workspace.mocks).toEqual([{ id: bareId(ids.mocks.payments) }]);
  });

  it('names unknown routes in the old form', async () => {
    const sandbox = await start({ behavior: 'v2017', limits: 'off' });
    expect(await getJson(sandbox, '/nothing')).toEqual({ error: { name: 'notFound', message: expect.any(String) } });
  });
});

describe('the rate windows', () => {
  it('announce the general window in the headers of the behavior', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_500 });
    vi.spyOn(performance, 'now').mockReturnValue(5000);
    const current = await get(await start({}), '/workspaces');
    const v2017 = await get(await start({ behavior: 'v2017' }), '/workspaces');
    expect(rateHeadersOf(current)).toEqual({
      ratelimit: 'limit=60, remaining=59, reset=60',
      'ratelimit-limit': '60',
      'ratelimit-limit-month': '100000',
      'ratelimit-policy': '60;w=60',
      'ratelimit-remaining': '59',
      'ratelimit-remaining-month': '81547',
      'ratelimit-reset': '1800000061',
      'x-ratelimit-limit': '60',
      'x-ratelimit-limit-month': '100000',
      'x-ratelimit-remaining': '59',
      'x-ratelimit-remaining-month': '81547',
      'x-ratelimit-reset': '1800000061',
    });
    expect(rateHeadersOf(v2017)).toEqual({
      'x-ratelimit-limit': '60',
      'x-ratelimit-remaining': '59',
      'x-ratelimit-reset': '1800000061',
    });
  });

  it('refuse a call over the general limit until the oldest one is a window old, and do not count the refused', async () => {
    const sandbox = await start({ limits: { general: { limit: 5, windowMs: 60_000 }, burst: wide } });
    const time = shiftableTime();
    const statusesOf = async (count: number) => {
      const replies = [];
      for (let i = 0; i < count; i++) replies.push((await get(sandbox, '/me')).status);
      return replies;
    };
    expect(await statusesOf(3)).toEqual([200, 200, 200]);
    time.shiftMs = 30_000;
    expect(await statusesOf(4)).toEqual([200, 200, 429, 429]);
    const refused = await get(sandbox, '/me');
    expect(refused.headers).toMatchObject({
      'retry-after': '30',
      'x-ratelimit-retryafter': '30',
      ratelimit: 'limit=5, remaining=0, reset=30',
    });
    expect(JSON.parse(refused.bytes.toString())).toEqual({
      type: 'https://api.postman.com/problems/too-many-requests',
      title: 'Too Many Requests',
      detail: expect.any(String),
      status: 429,
    });
    time.shiftMs = 61_000;
    expect(await statusesOf(4)).toEqual([200, 200, 200, 429]);
  });

  it('give a slot back when its call is exactly one window old, and return the window that takes longer to reset', () => {
    const limits = { general: { limit: 2, windowMs: 100 }, burst: { limit: 1, windowMs: 50 } };
    const windows = createRateWindows();
    windows.count(false, 0);
    windows.count(true, 40);
    const general = { limit: 2, windowMs: 100, remaining: 0 };
    const burst = { limit: 1, windowMs: 50, remaining: 0 };
    expect(windows.refusal(limits, true, 45)).toEqual({ ...general, resetMs: 55 });
    expect(windows.refusal(limits, false, 99.5)).toEqual({ ...general, resetMs: 0.5 });
    expect(windows.refusal(limits, false, 100)).toBeUndefined();
    windows.count(true, 100);
    expect(windows.refusal(limits, true, 142)).toEqual({ ...burst, resetMs: 8 });
    expect(windows.refusal(limits, true, 150)).toBeUndefined();
  });

  it('put a second limit on workspaces and the list of collections only', async () => {
    const sandbox = await start({ limits: { general: wide, burst: { limit: 3, windowMs: 60_000 } } });
    const { workspaces, collections } = ids;
    const paths = [
      '/workspaces?limit=5',
      `/workspaces/${workspaces.archive}`,
      '/collections?name=x',
      '/workspaces',
      `/workspaces/${workspaces.archive}`,
      '/collections',
      `/workspaces/${workspaces.archive}/global-variables`,
      `/collections/${collections.scratch}`,
      '/environments',
      '/me',
    ];
    const replies = [];
    for (const path of paths) replies.push(await get(sandbox, path));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429, 429, 200, 200, 200, 200]);
    expect(replies[2]?.headers.ratelimit).toMatch(/^limit=1000, remaining=997/);
    expect(replies[3]?.headers).toMatchObject({
      'retry-after': '60',
      'ratelimit-policy': '3;w=60',
      'x-ratelimit-remaining': '0',
    });
    expect(replies[6]?.headers.ratelimit).toMatch(/^limit=1000, remaining=996/);
  });

  it('report the moment in milliseconds in 2017', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_465_452_642_843 });
    const sandbox = await start({
      behavior: 'v2017',
      limits: { general: { limit: 1, windowMs: 60_000 }, burst: wide },
    });
    vi.spyOn(performance, 'now').mockReturnValue(1000);
    await get(sandbox, '/me');
    const reply = await get(sandbox, '/me');
    expect(reply.status).toBe(429);
    expect(JSON.parse(reply.bytes.toString())).toEqual({
      error: { name: 'rateLimitError', message: expect.stringMatching(/retry at 1465452702843$/) },
    });
    expect(reply.headers).toMatchObject({ 'x-ratelimit-reset': '1465452703' });
    expect(reply.headers['retry-after']).toBeUndefined();
  });

  it('are separate for each key, and do not count unknown keys', async () => {
    const limits = { general: { limit: 1, windowMs: 60_000 }, burst: wide };
    const sandbox = await start({ apiKey: 'PMAK-a', otherApiKeys: ['PMAK-b'], limits });
    const statuses = [];
    for (const key of ['PMAK-a', 'PMAK-a', 'PMAK-b', 'PMAK-b', 'PMAK-c', 'PMAK-c']) {
      statuses.push((await send(sandbox, '/me', { 'X-Api-Key': key })).status);
    }
    expect(statuses).toEqual([200, 429, 200, 429, 401, 401]);
  });

  it('are shared by the keys of one user, whom /me names', async () => {
    const limits = { general: { limit: 2, windowMs: 60_000 }, burst: wide };
    const { user, operations } = createDemoAccount();
    const jonas = { ...user, id: Number(ids.users.jonas), username: 'jonas' };
    const sandbox = await start({
      apiKey: 'PMAK-a',
      otherApiKeys: [
        { apiKey: 'PMAK-also-a', user },
        { apiKey: 'PMAK-b', user: jonas },
        { apiKey: 'PMAK-also-b', user: jonas },
        'PMAK-alone',
      ],
      limits,
    });
    const seen = [];
    for (const key of ['a', 'also-a', 'a', 'also-a', 'also-b', 'b', 'b', 'also-b', 'alone', 'alone', 'alone']) {
      const { status, bytes } = await send(sandbox, '/me', { 'X-Api-Key': `PMAK-${key}` });
      seen.push([key, status, status === 200 ? JSON.parse(bytes.toString()) : undefined]);
    }
    expect(seen).toEqual([
      ['a', 200, { user, operations }],
      ['also-a', 200, { user, operations }],
      ['a', 429, undefined],
      ['also-a', 429, undefined],
      ['also-b', 200, { user: jonas, operations }],
      ['b', 200, { user: jonas, operations }],
      ['b', 429, undefined],
      ['also-b', 429, undefined],
      ['alone', 200, { user, operations }],
      ['alone', 200, { user, operations }],
      ['alone', 429, undefined],
    ]);
    expect(sandbox.arrivals.map(({ keyIndex }) => keyIndex)).toEqual([0, 1, 0, 1, 3, 2, 2, 3, 4, 4, 4]);
  });

  it('can be announced both, as two policies on the burst routes', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_500 });
    vi.spyOn(performance, 'now').mockReturnValue(5000);
    const limits = {
      general: { limit: 60, windowMs: 60_000 },
      burst: { limit: 2, windowMs: 10_000 },
      isBurstAnnounced: true,
    };
    const sandbox = await start({ limits, account: { ...createDemoAccount(), operations: [] } });
    const paths = ['/me', '/workspaces', '/workspaces', '/workspaces'];
    const replies = [];
    for (const path of paths) replies.push(rateHeadersOf(await get(sandbox, path)));
    const numbers = (limit: string, remaining: string, reset: string) => ({
      'ratelimit-limit': limit,
      'ratelimit-remaining': remaining,
      'ratelimit-reset': reset,
      'x-ratelimit-limit': limit,
      'x-ratelimit-remaining': remaining,
      'x-ratelimit-reset': reset,
    });
    const both = { 'ratelimit-policy': '"general";q=60;w=60, "burst";q=2;w=10' };
    expect(replies).toEqual([
      {
        ...numbers('60', '59', '1800000061'),
        ratelimit: 'limit=60, remaining=59, reset=60',
        'ratelimit-policy': '60;w=60',
      },
      { ...numbers('60', '58', '1800000061'), ...both, ratelimit: '"general";r=58;t=60, "burst";r=1;t=10' },
      { ...numbers('60', '57', '1800000061'), ...both, ratelimit: '"general";r=57;t=60, "burst";r=0;t=10' },
      {
        ...numbers('2', '0', '1800000011'),
        ...both,
        ratelimit: '"general";r=57;t=60, "burst";r=0;t=10',
        'retry-after': '10',
        'x-ratelimit-retryafter': '10',
      },
    ]);
    const v2017 = await start({ limits, behavior: 'v2017' });
    expect(rateHeadersOf(await get(v2017, '/workspaces'))).toEqual({
      'x-ratelimit-limit': '60',
      'x-ratelimit-remaining': '59',
      'x-ratelimit-reset': '1800000061',
    });
  });

  it('can change while it runs, and start over', async () => {
    const sandbox = await start({ limits: { general: { limit: 2, windowMs: 60_000 }, burst: wide } });
    const status = async () => (await get(sandbox, '/me')).status;
    expect([await status(), await status(), await status()]).toEqual([200, 200, 429]);
    sandbox.setLimits({ general: { limit: 3, windowMs: 60_000 }, burst: wide });
    expect([await status(), await status()]).toEqual([200, 429]);
    sandbox.setLimits({ general: { limit: 1, windowMs: 60_000 }, burst: wide });
    expect(await status()).toBe(429);
    sandbox.reset();
    expect([await status(), await status(), sandbox.calls.length, sandbox.arrivals.length]).toEqual([200, 429, 2, 2]);
  });

  it('are consumed by calls that fail, but not by refused ones', async () => {
    const sandbox = await start({ limits: { general: wide, burst: wide } });
    const remaining = async () => (await get(sandbox, '/me')).headers['x-ratelimit-remaining'];
    expect(await remaining()).toBe('999');
    sandbox.failNext(1, { kind: 'status', status: 500 });
    sandbox.failNext(1, { kind: 'reset' });
    sandbox.failNext(1, { kind: 'status', status: 429 });
    sandbox.failNext(1, { kind: 'refusal', spelling: 'retry-after', waitSeconds: 7 });
    await get(sandbox, '/me');
    await expect(get(sandbox, '/me')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect([(await get(sandbox, '/me')).status, (await get(sandbox, '/me')).status]).toEqual([429, 429]);
    expect(await remaining()).toBe('996');
  });
});

describe('the monthly quota', () => {
  const limits = { general: wide, burst: wide };
  const account = () => ({
    ...createDemoAccount(),
    operations: [{ name: 'api_usage', limit: 1000, usage: 997, overage: 0 }],
  });

  it('is counted down by all keys together, and then refuses every call', async () => {
    const sandbox = await start({ account: account(), limits, apiKey: 'PMAK-a', otherApiKeys: ['PMAK-b'] });
    sandbox.failNext(1, { kind: 'status', status: 429 });
    const replies = [];
    for (const key of ['a', 'a', 'b', 'a', 'a', 'b']) {
      const { status, headers } = await send(sandbox, '/environments', { 'X-Api-Key': `PMAK-${key}` });
      replies.push([
        status,
        headers['ratelimit-limit-month'],
        headers['ratelimit-remaining-month'],
        headers['x-ratelimit-remaining'],
      ]);
    }
    expect(replies).toEqual([
      [429, undefined, undefined, undefined],
      [200, '1000', '2', '999'],
      [200, '1000', '1', '999'],
      [200, '1000', '0', '998'],
      [429, '1000', '0', '998'],
      [429, '1000', '0', '999'],
    ]);
    const refused = await get(sandbox, '/me');
    expect([refused.status, refused.headers['content-type'], JSON.parse(refused.bytes.toString())]).toEqual([
      429,
      'application/problem+json; charset=utf-8',
      { error: { name: 'serviceLimitExhausted', message: 'The monthly allowance of API calls is used up.' } },
    ]);
    expect(rateHeadersOf(refused)).not.toHaveProperty('retry-after');
    sandbox.reset();
    expect((await get(sandbox, '/me')).status).toBe(200);
  });

  it('is reported by the body alone in 2017', async () => {
    const operations = [{ name: 'api_usage', limit: 5, usage: 5, overage: 0 }];
    const sandbox = await start({ account: { ...account(), operations }, limits, behavior: 'v2017' });
    const refused = await get(sandbox, '/me');
    expect([refused.status, refused.headers['content-type'], JSON.parse(refused.bytes.toString())]).toEqual([
      429,
      'application/json; charset=utf-8',
      { error: { name: 'serviceLimitExhausted', message: 'The monthly allowance of API calls is used up.' } },
    ]);
    expect(Object.keys(rateHeadersOf(refused)).sort()).toEqual([
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
    ]);
  });
});

describe('latency', () => {
  it('lets calls arrive, and be counted, in another order than they were sent in', async () => {
    const delays = [300, 0];
    const sandbox = await start({
      limits: { general: { limit: 1, windowMs: 60_000 }, burst: wide },
      latency: () => ({ requestMs: delays.shift() ?? 0, responseMs: 0 }),
    });
    const slow = get(sandbox, '/me');
    await vi.waitFor(() => expect(delays).toEqual([0]), { interval: 2 });
    const fast = await get(sandbox, '/environments');
    expect([sandbox.calls, fast.status]).toEqual([['GET /environments'], 200]);
    expect((await slow).status).toBe(429);
    expect(sandbox.arrivals.map(({ requestLine, status }) => [requestLine, status])).toEqual([
      ['GET /environments', 200],
      ['GET /me', 429],
    ]);
  });

  it('counts a call whose caller has disconnected before it arrives', async () => {
    const sandbox = await start({ limits: 'off', latency: () => ({ requestMs: 40, responseMs: 0 }) });
    const sent = httpRequest(`${sandbox.origin}/me`, { headers: { 'X-Api-Key': sandbox.apiKey }, agent: false });
    sent.on('error', () => undefined).end();
    await new Promise((resolve) => sent.once('finish', resolve));
    sent.destroy();
    await arrived(sandbox, 1);
    expect(sandbox.arrivals).toMatchObject([{ requestLine: 'GET /me', keyIndex: 0, status: 0 }]);
    expect(sandbox.arrivals[0]?.finishedAtMs).toBe(sandbox.arrivals[0]?.atMs);
  });

  it('delays the response, whose date is that before the delay', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_500 });
    const sandbox = await start({
      limits: { general: { limit: 1, windowMs: 60_000 }, burst: wide },
      latency: () => ({ requestMs: 0, responseMs: 150 }),
    });
    const reply = get(sandbox, '/me');
    // The arrival is recorded and the response made at the same moment.
    await arrived(sandbox, 1);
    vi.setSystemTime(1_800_000_009_000);
    const { headers } = await reply;
    expect([headers.date, headers['x-ratelimit-reset']]).toEqual(['Fri, 15 Jan 2027 08:00:00 GMT', '1800000061']);
    const { atMs, finishedAtMs } = sandbox.arrivals[0]!;
    expect(finishedAtMs! - atMs).toBeGreaterThanOrEqual(149);
  });
});

describe('an outage', () => {
  it('drops calls in flight and refuses connections until it is over; counted calls stay counted', async () => {
    const sandbox = await start({ limits: { general: { limit: 3, windowMs: 60_000 }, burst: wide } });
    sandbox.failNext(1, { kind: 'hang' });
    const hanging = get(sandbox, '/me').catch(({ code }: NodeJS.ErrnoException) => code);
    await arrived(sandbox, 1);
    await sandbox.goDown();
    expect(await hanging).toBe('ECONNRESET');
    await expect(get(sandbox, '/me')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await sandbox.comeBack();
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await get(sandbox, '/me')).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(sandbox.arrivals.map(({ status }) => status)).toEqual([0, 200, 200, 429]);
    await sandbox.goDown();
  });

  it('loses the calls in transit', async () => {
    const delays = [300];
    const sandbox = await start({
      limits: 'off',
      latency: () => ({ requestMs: delays.shift() ?? 0, responseMs: 0 }),
    });
    const lost = get(sandbox, '/me').catch(({ code }: NodeJS.ErrnoException) => code);
    await vi.waitFor(() => expect(delays).toEqual([]), { interval: 2 });
    await sandbox.goDown();
    expect(await lost).toBe('ECONNRESET');
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect(sandbox.calls).toEqual([]);
    await sandbox.comeBack();
    expect((await get(sandbox, '/environments')).status).toBe(200);
    expect(sandbox.calls).toEqual(['GET /environments']);
  });
});

describe('faults', () => {
  const path = `/collections/${ids.collections.scratch}`;

  it('apply to the next calls, or to matching ones a number of times or always, until they are healed', async () => {
    const sandbox = await start();
    const status = async (of: string) => (await get(sandbox, of)).status;
    sandbox.failNext(2, { kind: 'status', status: 500 });
    expect([await status('/me'), await status('/environments'), await status('/me')]).toEqual([500, 500, 200]);
    sandbox.fail('/environments', { kind: 'status', status: 503 });
    sandbox.fail(/limit=\d+$/g, { kind: 'status', status: 500 }, 1);
    expect([await status('/environments'), await status('/environments/x'), await status('/me')]).toEqual([
      503, 503, 200,
    ]);
    expect([await status('/collections?limit=1'), await status('/collections?limit=1')]).toEqual([500, 200]);
    sandbox.heal();
    expect(await status('/environments')).toBe(200);
  });

  it('do not replace the refusal of a full window', async () => {
    const sandbox = await start({ limits: { general: { limit: 1, windowMs: 60_000 }, burst: wide } });
    await get(sandbox, '/me');
    sandbox.failNext(1, { kind: 'status', status: 500 });
    expect((await get(sandbox, '/me')).status).toBe(429);
    sandbox.setLimits('off');
    expect((await get(sandbox, '/me')).status).toBe(500);
  });

  it.each<[Fault, Partial<Reply>]>([
    [
      { kind: 'status', status: 200, body: { error: { name: 'x' } } },
      { status: 200, bytes: Buffer.from('{"error":{"name":"x"}}') },
    ],
    [
      { kind: 'status', status: 502 },
      { status: 502, bytes: expect.objectContaining({}) },
    ],
    [
      { kind: 'status', status: 503, body: 'busy', headers: { 'Retry-After': '7' } },
      { status: 503, bytes: Buffer.from('busy') },
    ],
    [{ kind: 'empty' }, { status: 200, bytes: Buffer.alloc(0) }],
    [
      { kind: 'empty', status: 504 },
      { status: 504, bytes: Buffer.alloc(0) },
    ],
  ])('answer with a status: %o', async (fault, reply) => {
    const sandbox = await start();
    sandbox.failNext(1, fault);
    expect(await get(sandbox, path)).toMatchObject(reply);
  });

  it('replace and remove headers of the normal response, whatever their case', async () => {
    const sandbox = await start({ limits: { general: wide, burst: wide } });
    sandbox.failNext(1, {
      kind: 'headers',
      headers: { 'x-ratelimit-remaining': '0', 'ratelimit-remaining': null, 'content-type': 'text/csv' },
    });
    const { status, headers } = await get(sandbox, path);
    expect([status, headers['x-ratelimit-remaining'], headers['ratelimit-remaining'], headers['content-type']]).toEqual(
      [200, '0', undefined, 'text/csv'],
    );
  });

  it('give a bare 429 no hint but the given one', async () => {
    const sandbox = await start({ limits: { general: wide, burst: wide } });
    sandbox.failNext(1, { kind: 'status', status: 429, headers: { 'Retry-After': '-5' } });
    const { headers, bytes } = await get(sandbox, path);
    expect(Object.entries(headers).filter(([name]) => /rate|retry/.test(name))).toEqual([['retry-after', '-5']]);
    expect(JSON.parse(bytes.toString())).toEqual({ error: { name: 'rateLimited', message: 'Rate limit exceeded.' } });
  });

  it('refuse in every spelling, each with its own hint alone', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
    const sandbox = await start({ limits: { general: wide, burst: wide } });
    const hints: Record<string, unknown> = {};
    for (const spelling of refusalSpellings) {
      sandbox.failNext(1, { kind: 'refusal', spelling, waitSeconds: 7 });
      const { status, headers, bytes } = await get(sandbox, path);
      expect(status).toBe(429);
      const digits = /\d{10,}/.exec(bytes.toString())?.[0];
      const kept = Object.entries(headers).filter(([name]) => /rate|retry/.test(name));
      hints[spelling] = { ...Object.fromEntries(kept), ...(digits && { digits }) };
    }
    expect(hints).toEqual({
      v2017: { 'x-ratelimit-reset': '1800000007', digits: '1800000007000' },
      'epoch-seconds-text': { digits: '1800000007' },
      problem: { 'retry-after': '7', 'x-ratelimit-retryafter': '7' },
      'retry-after': { 'retry-after': '7' },
      'retry-after-date': { 'retry-after': 'Fri, 15 Jan 2027 08:00:07 GMT' },
      RetryAfter: { retryafter: '7' },
      'x-ratelimit-retryafter': { 'x-ratelimit-retryafter': '7' },
      'ratelimit-reset-of-draft': { ratelimit: 'limit=60, remaining=0, reset=7' },
      'ratelimit-reset-delta': { 'ratelimit-reset': '7' },
      'ratelimit-reset-epoch': { 'ratelimit-reset': '1800000007' },
      'x-ratelimit-reset-epoch': { 'x-ratelimit-reset': '1800000007' },
      'no-hint': {},
      monthly: {
        'ratelimit-limit-month': '10000',
        'ratelimit-remaining-month': '0',
        'x-ratelimit-limit-month': '10000',
        'x-ratelimit-remaining-month': '0',
      },
    });
  });

  it('reset the connection before the response or in the middle of it', async () => {
    const sandbox = await start();
    sandbox.failNext(1, { kind: 'reset' });
    await expect(get(sandbox, path)).rejects.toMatchObject({ code: 'ECONNRESET' });
    sandbox.failNext(1, { kind: 'reset', when: 'during' });
    await expect(get(sandbox, path)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(sandbox.arrivals.map(({ status }) => status)).toEqual([0, 200]);
    expect(sandbox.arrivals.map(({ finishedAtMs }) => typeof finishedAtMs)).toEqual(['number', 'number']);
  });

  it('cut the JSON in half in a complete transfer', async () => {
    const sandbox = await start();
    const whole = await get(sandbox, path);
    sandbox.failNext(2, { kind: 'truncate' });
    const half = await get(sandbox, path);
    const gzipped = await get(sandbox, path, { 'Accept-Encoding': 'gzip' });
    expect(half.headers['content-length']).toBe(String(half.bytes.length));
    expect(whole.bytes.toString().startsWith(half.bytes.toString())).toBe(true);
    expect(() => JSON.parse(half.bytes.toString())).toThrow(SyntaxError);
    expect(gunzipSync(gzipped.bytes)).toEqual(half.bytes);
  });

  it('send a gateway page, a redirect, another type, UTF-16 and odd encodings', async () => {
    const sandbox = await start();
    const normal = (await get(sandbox, path)).bytes.toString();
    const met = async (fault: Fault) => {
      sandbox.failNext(1, fault);
      const { status, headers, bytes } = await get(sandbox, path);
      return {
        status,
        type: headers['content-type'],
        encoding: headers['content-encoding'],
        location: headers.location,
        bytes,
      };
    };
    expect(await met({ kind: 'html', status: 200 })).toMatchObject({ status: 200, type: 'text/html' });
    expect((await met({ kind: 'html' })).bytes.toString()).toContain('<h1>502</h1>');
    expect(await met({ kind: 'redirect', location: 'http://elsewhere.invalid/' })).toMatchObject({
      status: 302,
      location: 'http://elsewhere.invalid/',
    });
    expect(await met({ kind: 'wrong-type' })).toMatchObject({
      status: 200,
      type: 'text/plain; charset=utf-8',
      bytes: Buffer.from(normal),
    });
    const utf16 = await met({ kind: 'utf16' });
    expect(utf16.bytes.toString('utf16le')).toBe(`\uFEFF${normal}`);
    const chain = await met({ kind: 'unknown-encoding', encoding: 'gzip, gzip' });
    expect(chain.encoding).toBe('gzip, gzip');
    expect(gunzipSync(gunzipSync(chain.bytes)).toString()).toBe(normal);
    expect((await met({ kind: 'unknown-encoding' })).encoding).toBe('br');
  });

  it('send the given number of bytes, plain or compressed by gzip', async () => {
    const sandbox = await start();
    const bytes = 3 * 1024 * 1024 + 17;
    sandbox.failNext(1, { kind: 'oversize', bytes });
    const streamed = await get(sandbox, path);
    expect([streamed.bytes.length, streamed.headers['content-length']]).toEqual([bytes, undefined]);
    sandbox.failNext(1, { kind: 'oversize', bytes, isLengthDeclared: true });
    const declared = await get(sandbox, path);
    expect([declared.bytes.length, declared.headers['content-length']]).toEqual([bytes, String(bytes)]);
    sandbox.failNext(1, { kind: 'gzip-bomb', bytes });
    const bomb = await get(sandbox, path);
    expect(bomb.bytes.length).toBeLessThan(bytes / 100);
    const inflated = gunzipSync(bomb.bytes);
    expect([inflated.length, JSON.parse(inflated.toString())]).toEqual([bytes, {}]);
  });

  it('delay the normal response', async () => {
    const sandbox = await start();
    sandbox.failNext(1, { kind: 'delay', delayMs: 40 });
    expect((await get(sandbox, '/me')).status).toBe(200);
    const { atMs, finishedAtMs } = sandbox.arrivals[0]!;
    expect(finishedAtMs! - atMs).toBeGreaterThanOrEqual(39);
  });

  it('trickle the body byte by byte', async () => {
    const sandbox = await start();
    const normal = await getJson(sandbox, '/collections?workspace=nobody');
    sandbox.failNext(1, { kind: 'trickle', everyMs: 1 });
    expect(await getJson(sandbox, '/collections?workspace=nobody')).toEqual(normal);
  });

  it('leave connections hanging, which close() drops', async () => {
    const sandbox = await start();
    sandbox.fail('/me', { kind: 'hang' });
    sandbox.fail('/environments', { kind: 'stall' });
    sandbox.fail('/workspaces', { kind: 'delay', delayMs: 600_000 });
    sandbox.fail('/collections', { kind: 'trickle', everyMs: 600_000 });
    const outcomes = ['/me', '/environments', '/workspaces', '/collections'].map((each) =>
      get(sandbox, each).catch(() => 'dropped'),
    );
    await arrived(sandbox, 4);
    await vi.waitFor(() => expect(sandbox.arrivals.map(({ status }) => status)).toEqual([0, 200, 0, 200]), {
      interval: 2,
    });
    await sandbox.close();
    expect(await Promise.all(outcomes)).toEqual(['dropped', 'dropped', 'dropped', 'dropped']);
  });
});

describe('the server', () => {
  it('listens on the given port, and fails when it is taken', async () => {
    const first = await start();
    const port = Number(new URL(first.origin).port);
    await expect(startSandbox({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('responds to an invalid account with a 500', async () => {
    const account = {
      ...createDemoAccount(),
      get collections(): never {
        throw new Error('broken');
      },
    };
    const sandbox = await start({ account, limits: 'off' });
    expect((await get(sandbox, '/collections')).status).toBe(500);
  });

  it('reads the account again for every call', async () => {
    const demo = createDemoAccount();
    const account = { ...demo, environments: [...demo.environments] };
    const sandbox = await start({ account, limits: 'off' });
    account.environments.length = 1;
    expect((await getJson(sandbox, '/environments')).environments).toHaveLength(1);
  });
});

describe('the demo account', () => {
  const account = createDemoAccount();

  it('is the same each time it is created', () => {
    expect(createDemoAccount()).toEqual(account);
  });

  it('refers only to elements that it has, and has none outside of workspaces', () => {
    const uidsOf = (kind: 'collections' | 'environments') =>
      account[kind].map(({ owner, id }) => `${owner}-${id}`).sort();
    const referredTo = (kind: 'collections' | 'environments') =>
      [...new Set(account.workspaces.flatMap((each) => each[kind]))].sort();
    expect(referredTo('collections')).toEqual(uidsOf('collections'));
    expect(referredTo('environments')).toEqual(uidsOf('environments'));
    expect(uidsOf('collections')).toEqual(Object.values(ids.collections).sort());
    expect(uidsOf('environments')).toEqual(Object.values(ids.environments).sort());
  });

  it('gives every folder, request and example a unique id', () => {
    const text = JSON.stringify(account.collections.map(({ document }) => document.item));
    const uids = [...text.matchAll(/"uid":"(\d+-[\da-f-]{36})"/g)].map(([, uid]) => uid);
    expect(uids.length).toBeGreaterThan(600);
    expect(new Set(uids).size).toBe(uids.length);
  });

  it('has a collection of 300 requests, an empty one, and every body mode and common authorization', () => {
    const textOf = (uid: string) => JSON.stringify(account.collections.find(({ id }) => id === bareId(uid))?.document);
    expect(textOf(ids.collections.regression).match(/"request":/g)).toHaveLength(300);
    expect(account.collections.find(({ id }) => id === bareId(ids.collections.telemetryDraft))?.document.item).toEqual(
      [],
    );
    const all = JSON.stringify(account.collections);
    const values = (key: string) =>
      new Set([...all.matchAll(new RegExp(`"${key}":"(\\w+)"`, 'g'))].map(([, value]) => value));
    expect(values('mode')).toEqual(new Set(['raw', 'formdata', 'graphql', 'urlencoded', 'file']));
    expect([...values('type')]).toEqual(
      expect.arrayContaining([
        'bearer',
        'basic',
        'apikey',
        'oauth2',
        'noauth',
        'digest',
        'hawk',
        'jwt',
        'awsv4',
        'ntlm',
      ]),
    );
  });
});
