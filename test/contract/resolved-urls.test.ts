import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { collections, environments, workspaces } = ids;
const UNKNOWN = '41829063-00000000-0000-4000-8000-000000000000';
const readOf = (uid: string) => `GET /collections/${uid}`;
const environmentOf = (uid: string) => `GET /environments/${uid}`;
const globalsOf = (id: string) => `GET /workspaces/${id}/global-variables`;

let facade: Facade;
beforeAll(async () => {
  facade = await startFacade({ CACHE_TTL_MS: '0' });
});
afterAll(() => facade.close());
beforeEach(() => {
  facade.postman.heal();
  facade.postman.reset();
});

/** The result of an operation, and its GETs; fails unless the dry run bounds their number. */
async function ask(fields: string) {
  const dry = await facade.query(`{ rateLimit(dryRun: true) { costAtLeast cost } ${fields} }`);
  expect(facade.postman.calls).toEqual([]);
  const { data, errors } = await facade.query(`{ ${fields} }`);
  const { costAtLeast, cost } = dry.data.rateLimit;
  const calls = [...facade.postman.calls].sort();
  expect([costAtLeast <= calls.length, calls.length <= cost]).toEqual([true, true]);
  facade.postman.reset();
  return { data, errors, calls, cost };
}

const RESOLVED = '{ raw host unresolved masked }';
const urlsOf = (uid: string, filter: string, args = '', selection = RESOLVED) =>
  `collection(uid: "${uid}") { requests(filter: { ${filter} }) { nodes { url { resolved${args} ${selection} } } } }`;
const urlsIn = ({ data }: Awaited<ReturnType<typeof ask>>): unknown[] =>
  data.collection.requests.nodes.map(({ url }: { url: { resolved: unknown } }) => url.resolved);

describe('a resolved URL', () => {
  it('has the variables of its collection for nothing, and its path variables', async () => {
    const rides = await ask(urlsOf(collections.rides, 'search: "Get a ride"'));
    expect(urlsIn(rides)).toEqual([
      { raw: '{{baseUrl}}/v1/rides/rd_7h2k9', host: null, unresolved: ['baseUrl'], masked: [] },
    ]);
    expect([rides.calls, rides.cost]).toEqual([[readOf(collections.rides)], 1]);
    const openData = await ask(urlsOf(collections.openData, 'folderUid: null'));
    expect(urlsIn(openData)).toEqual(
      [
        ['https://open.kestrel-bikes.example/v2/feeds.json', []],
        ['https://open.kestrel-bikes.example/v2/stations?format={{format}}', ['format']],
        ['https://open.kestrel-bikes.example/v2/availability?station=harbour-north&station=market-square', []],
        ['https://open.kestrel-bikes.example/v2/zones#speed-limits', []],
      ].map(([raw, unresolved]) => ({ raw, host: 'open.kestrel-bikes.example', unresolved, masked: [] })),
    );
    expect([openData.calls, openData.cost]).toEqual([[readOf(collections.openData)], 1]);
  });

  it('has the variables of an environment for one call, shared by all URLs', async () => {
    const args = `(environmentUid: "${environments.staging}")`;
    const answer = await ask(
      `${urlsOf(collections.rides, 'method: "DELETE"', args)} other: ${urlsOf(collections.stations, '', args, '{ host }')}`,
    );
    expect(urlsIn(answer)).toEqual(
      ['/v1/session', '/v1/rides/rd_7h2k9/pause'].map((path) => ({
        raw: `https://api.staging.kestrel-bikes.example${path}`,
        host: 'api.staging.kestrel-bikes.example',
        unresolved: [],
        masked: [],
      })),
    );
    expect(answer.data.other.requests.nodes).toEqual(
      Array.from({ length: 5 }, () => ({ url: { resolved: { host: 'api.staging.kestrel-bikes.example' } } })),
    );
    expect([answer.calls, answer.cost]).toEqual([
      [readOf(collections.rides), readOf(collections.stations), environmentOf(environments.staging)].sort(),
      3,
    ]);
  });

  it('has the globals of a workspace only if names are still unresolved', async () => {
    const args = (uid: string) => `(environmentUid: "${uid}", workspaceId: "${workspaces.riderPlatform}")`;
    const resolved = await ask(urlsOf(collections.rides, 'search: "Sign out"', args(environments.local)));
    expect(urlsIn(resolved)).toEqual([
      { raw: 'http://localhost:8080/v1/session', host: 'localhost', unresolved: [], masked: [] },
    ]);
    expect([resolved.calls, resolved.cost]).toEqual([
      [readOf(collections.rides), environmentOf(environments.local)],
      3,
    ]);
    const unresolved = await ask(urlsOf(collections.rides, 'search: "Sign out"', args(environments.blank)));
    expect(urlsIn(unresolved)).toEqual([
      { raw: '{{baseUrl}}/v1/session', host: null, unresolved: ['baseUrl'], masked: [] },
    ]);
    expect(unresolved.calls).toEqual([
      readOf(collections.rides),
      environmentOf(environments.blank),
      globalsOf(workspaces.riderPlatform),
    ]);
  });

  it('costs neither call for a URL without variables', async () => {
    const args = `(environmentUid: "${environments.local}", workspaceId: "${workspaces.riderPlatform}")`;
    const answer = await ask(urlsOf(collections.scratch, 'host: "localhost"', args));
    expect(urlsIn(answer)).toEqual([
      { raw: 'http://localhost:8080/echo', host: 'localhost', unresolved: [], masked: [] },
    ]);
    expect(answer.calls).toEqual([readOf(collections.scratch)]);
  });

  it('is null if the environment or the workspace does not exist', async () => {
    for (const args of [`(environmentUid: "${UNKNOWN}")`, `(workspaceId: "${UNKNOWN.slice(9)}")`]) {
      const { data, errors } = await ask(urlsOf(collections.rides, 'search: "Sign out"', args));
      expect({ data, errors }).toEqual({
        data: { collection: { requests: { nodes: [{ url: { resolved: null } }] } } },
        errors: [],
      });
    }
  });

  it('is null with an error if the environment cannot be read, beside everything that can', async () => {
    facade.postman.fail(environments.local, { kind: 'status', status: 403 });
    const { data, errors } = await facade.query(
      `{ collection(uid: "${collections.rides}") { requests(first: 1) { nodes { name url { raw resolved(environmentUid: "${environments.local}") { raw } } } } } }`,
    );
    expect(data).toEqual({
      collection: {
        requests: { nodes: [{ name: 'Sign in', url: { raw: '{{baseUrl}}/v1/session', resolved: null } }] },
      },
    });
    expect(errors.map(({ path, extensions }) => [path?.join('.'), extensions?.['code']])).toEqual([
      ['collection.requests.nodes.0.url.resolved', 'FORBIDDEN'],
    ]);
  });

  it.each(['environmentUid', 'workspaceId'])('refuses a %s that is no identifier', async (name) => {
    const { errors, calls } = await ask(urlsOf(collections.rides, 'search: "Sign out"', `(${name}: "a/b")`));
    expect(errors.map(({ extensions }) => extensions?.['code'])).toEqual(['BAD_USER_INPUT']);
    expect(calls).toEqual([readOf(collections.rides)]);
  });

  it('is planned for an item that is looked up by its id', async () => {
    const { data: known } = await ask(
      `collection(uid: "${collections.rides}") { requests(filter: { search: "Sign out" }) { nodes { id } } }`,
    );
    const [{ id }] = known.collection.requests.nodes;
    const { data, calls, cost } = await ask(
      `node(id: "${id}") { ... on Request { url { resolved(environmentUid: "${environments.local}") { host } } } }`,
    );
    expect(data).toEqual({ node: { url: { resolved: { host: 'localhost' } } } });
    expect([calls, cost]).toEqual([[readOf(collections.rides), environmentOf(environments.local)], 2]);
  });

  it('of an example has the variables of its request', async () => {
    const { data } = await ask(
      `collection(uid: "${collections.legacyDispatch}") { requests { nodes { examples { originalRequest { url { resolved { raw host unresolved } } } } } } }`,
    );
    expect(data.collection.requests.nodes.flatMap(({ examples }: { examples: unknown[] }) => examples)).toContainEqual({
      originalRequest: {
        url: { resolved: { raw: '{{legacyBaseUrl}}/dispatch.asmx', host: null, unresolved: ['legacyBaseUrl'] } },
      },
    });
  });
});

describe('a filter by host', () => {
  const HOST = 'kestrel-bikes.example';
  const namesOf = (uid: string, filter: string) =>
    `collection(uid: "${uid}") { requests(first: 100, filter: { ${filter} }) { totalCount nodes { name } } }`;
  const account = createDemoAccount();

  /** Counts the requests of a collection whose URL has that host if these variables replace their names. */
  function countIn(uid: string, host: string, ...lists: readonly (readonly unknown[])[]): number {
    const document = account.collections.find(({ id }) => uid.endsWith(id))?.document;
    const texts =
      JSON.stringify(document?.item).match(/"request":(?:"[^"]*"|\{.*?"url":(?:"[^"]*"|\{"raw":"[^"]*"))/g) ?? [];
    const urls = texts.map((text) => text.split('"').at(-2) ?? '');
    return urls.filter((url) =>
      lists.some((list) => {
        let resolved = url;
        for (const { key, value } of list as { key: string; value: unknown }[])
          resolved = resolved.replaceAll(`{{${key}}}`, String(value));
        const [, found = ''] = /^[a-z]+:\/\/([^/:?#]*)/.exec(resolved) ?? [];
        return found === host || found.endsWith(`.${host}`);
      }),
    ).length;
  }
  const valuesOf = (uid: string) => account.environments.find(({ id }) => uid.endsWith(id))?.values ?? [];
  const variablesOf = (uid: string): readonly unknown[] => {
    const variables: unknown = account.collections.find(({ id }) => uid.endsWith(id))?.document.variable;
    return Array.isArray(variables) ? variables : [];
  };

  it('finds the host that variables of the collection give, for nothing', async () => {
    for (const uid of [collections.openData, collections.scratch, collections.rides]) {
      const { data, calls, cost } = await ask(namesOf(uid, `host: "${HOST}"`));
      expect([data.collection.requests.totalCount, calls, cost]).toEqual([
        countIn(uid, HOST, variablesOf(uid)),
        [readOf(uid)],
        1,
      ]);
    }
    expect(countIn(collections.openData, HOST, variablesOf(collections.openData))).toBe(4);
  });

  it('finds the host that any of some environments gives, for one call each', async () => {
    const uids = [environments.local, environments.staging, environments.production, UNKNOWN];
    for (const [uid, host] of [
      [collections.rides, HOST],
      [collections.rides, 'api.STAGING.kestrel-bikes.example'],
      [collections.rides, 'localhost'],
      [collections.smoke, HOST],
      [collections.payments, HOST],
    ] as const) {
      const { data, errors, calls, cost } = await ask(
        namesOf(uid, `host: "${host}", environmentUids: ${JSON.stringify([...uids, environments.local])}`),
      );
      const expected = countIn(uid, host.toLowerCase(), ...uids.map(valuesOf));
      expect([errors, data.collection.requests.totalCount, calls, cost]).toEqual([
        [],
        expected,
        [readOf(uid), ...uids.map(environmentOf)].sort(),
        5,
      ]);
    }
    expect(countIn(collections.rides, HOST, valuesOf(environments.production))).toBe(12);
  });

  it('reads no environment if the other conditions leave no URL whose host has variables', async () => {
    const filter = `host: "${HOST}", environmentUids: ["${environments.production}"]`;
    for (const [uid, more, expected] of [
      [collections.scratch, '', 1],
      [collections.rides, 'method: "PATCH"', 0],
    ] as const) {
      const { data, calls, cost } = await ask(namesOf(uid, `${filter}, ${more}`));
      expect([data.collection.requests.totalCount, calls, cost]).toEqual([expected, [readOf(uid)], 2]);
    }
    const { calls } = await ask(namesOf(collections.rides, `environmentUids: ["${environments.production}"]`));
    expect(calls).toEqual([readOf(collections.rides)]);
  });

  it('works below a folder as well, and fails alone if an environment cannot be read', async () => {
    const filter = `host: "localhost", environmentUids: ["${environments.local}"]`;
    const folders = `collection(uid: "${collections.rides}") { folders(first: 1) { nodes { name requests(filter: { ${filter} }) { totalCount } } } }`;
    const { data, calls } = await ask(folders);
    expect(data.collection.folders.nodes).toEqual([{ name: 'Sign in', requests: { totalCount: 2 } }]);
    expect(calls).toEqual([readOf(collections.rides), environmentOf(environments.local)]);
    facade.postman.fail(environments.local, { kind: 'status', status: 403 });
    const failed = await facade.query(`{ ${folders} }`);
    expect(failed.data.collection.folders.nodes).toEqual([{ name: 'Sign in', requests: null }]);
    expect(failed.errors).toHaveLength(1);
  });

  it('takes at most ten environments', async () => {
    const uids = Array.from({ length: 11 }, (_, index) => `${UNKNOWN.slice(0, -2)}${10 + index}`);
    const { data, errors } = await ask(
      namesOf(collections.rides, `host: "a", environmentUids: ${JSON.stringify(uids)}`),
    );
    expect(data.collection).toEqual({ requests: null });
    expect(errors.map(({ message }) => message)).toEqual(['"environmentUids" has 11 uids; it may have 10.']);
  });
});

describe('secrets', () => {
  const SECRET = 'hunter2-secret.example';
  let secretive: Facade | undefined;
  afterEach(() => secretive?.close());

  it('are neither in a resolved URL nor found by a host', async () => {
    const account = createDemoAccount();
    const variable = (key: string, value: string, type = 'default') => ({ key, value, type, enabled: true });
    (account.environments[0]!.values as unknown[]).push(
      variable('secretHost', SECRET, 'secret'),
      variable('login', 'https://ann:hunter2@login.example'),
      variable('plain', 'hunter2'),
    );
    const collection = account.collections.find(({ id }) => collections.scratch.endsWith(id))!;
    const urls = [
      'https://{{secretHost}}/a',
      '{{login}}/b?access_token={{plain}}',
      'https://x.{{secretHost}}/:password',
      'https://{{companyDomain}}/{{tracingKey}}',
    ];
    collection.document.item = urls.map((raw, index) => ({
      name: `${index}`,
      request: { method: 'GET', url: { raw, variable: [{ key: 'password', value: 'hunter2' }] } },
      response: [],
    }));
    secretive = await startFacade({}, { account });
    const uid = environments.local;
    const { data, errors } = await secretive.query(
      `{ ${urlsOf(collections.scratch, '', `(environmentUid: "${uid}", workspaceId: "${workspaces.riderPlatform}")`)}
         ${['example', SECRET, '******', 'login.example']
           .map(
             (host, index) =>
               `h${index}: collection(uid: "${collections.scratch}") { requests(filter: { host: "${host}", environmentUids: ["${uid}"] }) { nodes { name } } }`,
           )
           .join(' ')} }`,
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      collection: {
        requests: {
          nodes: [
            { raw: 'https://******/a', host: null, unresolved: [], masked: ['secretHost'] },
            {
              raw: 'https://ann:******@login.example/b?access_token=******',
              host: 'login.example',
              unresolved: [],
              masked: ['login'],
            },
            { raw: 'https://x.******/******', host: null, unresolved: [], masked: [':password', 'secretHost'] },
            {
              raw: 'https://kestrel-bikes.example/******',
              host: 'kestrel-bikes.example',
              unresolved: [],
              masked: ['tracingKey'],
            },
          ].map((resolved) => ({ url: { resolved } })),
        },
      },
      h0: { requests: { nodes: [{ name: '1' }] } },
      h1: { requests: { nodes: [] } },
      h2: { requests: { nodes: [] } },
      h3: { requests: { nodes: [{ name: '1' }] } },
    });
  });
});
