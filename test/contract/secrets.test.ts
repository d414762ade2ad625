import { buildClientSchema, type GraphQLSchema, getIntrospectionQuery } from 'graphql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Account } from '../../src/sandbox/account/account.ts';
import { auth, example, folder, request } from '../../src/sandbox/account/compose.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import type { Fault } from '../../src/sandbox/faults.ts';
import { refusalSpellings } from '../../src/sandbox/rate-refusals.ts';
import { everyField } from '../../bench/corpus/every-field.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { startTraceReceiver, type TraceReceiver } from '../support/trace-receiver.ts';

// Everything is logged and traced.
let receiver: TraceReceiver;
let facade: Facade;
beforeEach(async () => {
  receiver = await startTraceReceiver();
});
afterEach(async () => {
  await facade.close();
  await receiver.close();
});

const startObserved = async (env: Record<string, string>, sandbox: Parameters<typeof startFacade>[1]) => {
  facade = await startFacade({ LOG_LEVEL: 'trace', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...env }, sandbox);
};
/** Everything that operators read: all lines of the log, and all spans. Stops the server, which sends the last ones. */
const readTelemetry = async (): Promise<string> => {
  await facade.close();
  expect(receiver.spans.length).toBeGreaterThan(0);
  return [...facade.log, ...receiver.spans.map((span) => JSON.stringify(span))].join('\n');
};

/** Everything that a client or an operator can read. */
const toText = (value: unknown) => JSON.stringify(value, (_key, part) => (part instanceof Headers ? [...part] : part));

describe('secrets inside the data', () => {
  const owner = ids.users.ines;
  const at = '2026-01-02T03:04:05.000Z';
  const workspaceId = '00000001-0000-4000-8000-000000000000';
  const collectionId = '00000002-0000-4000-8000-000000000000';
  const environmentId = '00000003-0000-4000-8000-000000000000';
  const row = (key: string, value: string) => ({ key, value, type: 'string' });
  const secret = (key: string, value: string) => ({ key, value, type: 'secret', enabled: true });

  /** An account whose secrets all contain the word "canary", each once. */
  function createCanaryAccount(): Account {
    const document = {
      info: { name: 'Canaries' },
      auth: auth('oauth2', {
        accessToken: 'canary-access-token',
        clientId: 'a-client',
        clientSecret: 'canary-client-secret',
        refreshToken: '{{refreshToken}}',
        tokenRequestParams: [{ key: 'client_assertion', value: 'canary-assertion', enabled: true }],
      }),
      variable: [
        { key: 'collectionSecret', value: 'canary-collection-variable', type: 'secret' },
        { key: 'ofReference', value: '{{elsewhere}}', type: 'secret' },
        { key: 'open', value: 'not a secret' },
        { key: 'ofTypePassword', value: 'canary-of-type-password', type: 'password' },
        { key: 'apiKey', value: 'canary-by-name' },
        { key: 'baseUrl', value: 'https://ann:canary-base-url@a.example' },
        {
          ...{ key: 'more', type: 'secret', initial: 'canary-initial', current: 'canary-current' },
          ...{ sessionValue: 'canary-session-value', default: 'canary-default', later: { inner: ['canary-later'] } },
        },
      ],
      item: [
        request('Everywhere', 'POST https://ann:canary-user-info@a.example/?access_token=canary-query-text', {
          auth: { type: 'oauth3', oauth3: [row('pin', 'canary-pin')], vaultauth: [row('k', 'canary-vault')] },
          header: [
            { key: 'X-Signature', value: 'canary-signature' },
            { key: 'X-CSRF', value: 'canary-csrf' },
            { key: 'Location', value: 'https://a.example/#access_token=canary-location' },
          ],
          body: {
            mode: 'urlencoded',
            urlencoded: [{ key: 'client_secret', value: 'canary-form-row' }],
          },
        }),
        {
          name: 'In parts',
          request: {
            method: 'GET',
            url: {
              raw: 'https://ann:canary-raw-user-info@a.example/:token?password=canary-raw-query',
              host: ['ann:canary-host@a', 'example'],
              path: [':token'],
              query: [{ key: 'password', value: 'canary-query-row' }],
              variable: [{ key: 'token', value: 'canary-path-variable' }],
              auth: { user: 'ann', password: 'canary-url-auth' },
            },
            proxy: { host: 'p', password: 'canary-proxy' },
            certificate: { name: 'c', passphrase: 'canary-certificate', key: 'canary-pem' },
          },
          response: [
            {
              originalRequest: {
                url: 'https://ann:canary-original@a.example',
                body: { mode: 'formdata', formdata: 'a=1&password=canary-form-text' },
              },
            },
          ],
        },

        folder(
          'By type',
          [
            request('Basic', 'GET https://a.example/', {
              auth: auth('basic', { username: 'a-user', password: 'canary-password' }),
            }),
            request('Bearer', 'GET https://a.example/', { auth: auth('bearer', { token: 'canary-token' }) }),
            request('Reference', 'GET https://a.example/', { auth: auth('bearer', { token: '{{riderToken}}' }) }),
            request('API key', 'GET https://a.example/', {
              auth: auth('apikey', { key: 'X-Key', value: 'canary-api-key', in: 'header' }),
            }),
            request('AWS', 'GET https://a.example/', {
              auth: auth('awsv4', { accessKey: 'canary-aws-access-key', secretKey: 'canary-aws-secret-key' }),
            }),
            request('JWT', 'GET https://a.example/', {
              auth: auth('jwt', { secret: 'canary-jwt-secret', privateKey: 'canary-jwt-private-key' }),
            }),
            request('Hawk', 'GET https://a.example/', { auth: auth('hawk', { authKey: 'canary-hawk-key' }) }),
          ],
          {
            auth: auth('digest', { username: 'a-user', password: 'canary-digest-password' }),
            variable: [{ key: 'folderSecret', value: 'canary-folder-variable', type: 'secret' }],
          },
        ),
        request('Headers', 'GET https://a.example/', {
          header: [
            { key: 'Authorization', value: 'Bearer canary-authorization' },
            { key: 'X-API-Key', value: 'canary-x-api-key', disabled: true },
            { key: 'Cookie', value: 'session=canary-cookie' },
            { key: 'Proxy-Authorization', value: 'Basic {{proxyLogin}}' },
            { key: 'Accept', value: 'text/plain' },
          ],
          variable: [{ key: 'requestSecret', value: 'canary-request-variable', type: 'secret' }],
          examples: [
            example(
              'Signed in',
              200,
              'OK',
              {},
              {
                header: [{ key: 'Set-Cookie', value: 'session=canary-set-cookie' }],
                cookie: [{ name: 'session', value: 'canary-cookie-jar' }],
                originalRequest: {
                  method: 'GET',
                  url: 'https://a.example/',
                  header: [{ key: 'X-Auth-Token', value: 'canary-auth-token' }],
                },
              },
            ),
          ],
        }),
      ],
    };
    const { user, team = [] } = createDemoAccount();
    return {
      user,
      team,
      workspaces: [
        {
          id: workspaceId,
          name: 'Canaries',
          type: 'personal',
          visibility: 'personal',
          createdBy: owner,
          updatedBy: owner,
          createdAt: at,
          updatedAt: at,
          collections: [`${owner}-${collectionId}`],
          environments: [`${owner}-${environmentId}`],
          globals: [secret('globalSecret', 'canary-global')],
        },
      ],
      collections: [
        {
          id: collectionId,
          owner,
          name: 'Canaries',
          isPublic: false,
          createdAt: at,
          updatedAt: at,
          lastUpdatedBy: owner,
          document,
        },
      ],
      environments: [
        {
          id: environmentId,
          owner,
          name: 'Canaries',
          isPublic: false,
          createdAt: at,
          updatedAt: at,
          values: [
            secret('environmentSecret', 'canary-environment'),
            { ...secret('switchedOff', 'canary-switched-off'), enabled: false },
            secret('ofReference', '{{elsewhere}}'),
            secret('empty', ''),
            { key: 'open', value: 'not a secret', type: 'default', enabled: true },
          ],
        },
      ],
    };
  }

  const canaries = (text: string) => [...new Set(text.match(/canary-[a-z-]+/g))].sort();

  const start = async (env: Record<string, string>) => {
    await startObserved({ MAX_QUERY_TOKENS: '100000', ...env }, { account: createCanaryAccount() });
  };

  const readEverything = async () => {
    const schema: GraphQLSchema = buildClientSchema((await facade.query(getIntrospectionQuery())).data);
    const answer = await facade.query(`{
      workspace(id: "${workspaceId}") ${everyField(schema, 'Workspace')}
      collection(uid: "${owner}-${collectionId}") ${everyField(schema, 'Collection')}
      environment(uid: "${owner}-${environmentId}") ${everyField(schema, 'Environment')}
    }`);
    expect(answer.errors).toEqual([]);
    return answer;
  };

  it('are in no field unless the server reveals them', async () => {
    await start({});
    const answer = await readEverything();
    expect(canaries(toText(answer))).toEqual([]);
    expect(canaries(await readTelemetry())).toEqual([]);
    expect(
      answer.data.environment.values.map(({ text, isMasked }: Record<string, unknown>) => [text, isMasked]),
    ).toEqual([
      [null, true],
      [null, true],
      ['{{elsewhere}}', false],
      ['', false],
      ['not a secret', false],
    ]);
  });

  it('are all there, in clear, when it reveals them, but never in the log', async () => {
    await start({ REVEAL_SECRETS: 'true' });
    const answer = await readEverything();
    expect(canaries(toText(answer))).toEqual(canaries(toText(createCanaryAccount())));
    // The tree carries them twice: field by field, and whole.
    const { json, workspace: _workspace, ...fields } = answer.data.collection;
    expect(canaries(toText(json))).toEqual(canaries(toText(createCanaryAccount().collections)));
    const inNoField = [
      ...['canary-cookie-jar', 'canary-proxy', 'canary-certificate', 'canary-pem', 'canary-url-auth', 'canary-vault'],
      ...['canary-initial', 'canary-current', 'canary-session-value', 'canary-default', 'canary-later'],
    ];
    expect(canaries(toText(fields))).toEqual(canaries(toText(json)).filter((canary) => !inNoField.includes(canary)));
    expect(canaries(await readTelemetry())).toEqual([]);
  });

  it('do not affect references to them, nor anything else', async () => {
    await start({});
    const { data, errors } = await facade.query(`{
      collection(uid: "${owner}-${collectionId}") {
        variables { key value text isSecret isMasked }
        auth { type parameters { key value isMasked } }
        requests(filter: { search: "reference" }) { nodes { auth { parameters { key value isMasked } } } }
        headers: requests(filter: { search: "headers" }) { nodes { headers { key value enabled } } }
        json
      }
    }`);
    expect(errors).toEqual([]);
    const { json, ...fields } = data.collection;
    expect(fields).toEqual({
      variables: [
        { key: 'collectionSecret', value: null, text: null, isSecret: true, isMasked: true },
        { key: 'ofReference', value: '{{elsewhere}}', text: '{{elsewhere}}', isSecret: true, isMasked: false },
        { key: 'open', value: 'not a secret', text: 'not a secret', isSecret: false, isMasked: false },
        { key: 'ofTypePassword', value: null, text: null, isSecret: true, isMasked: true },
        { key: 'apiKey', value: null, text: null, isSecret: false, isMasked: true },
        {
          key: 'baseUrl',
          ...{ value: 'https://ann:******@a.example', text: 'https://ann:******@a.example' },
          ...{ isSecret: false, isMasked: true },
        },
        { key: 'more', value: null, text: null, isSecret: true, isMasked: false },
      ],
      auth: {
        type: 'oauth2',
        parameters: [
          { key: 'accessToken', value: null, isMasked: true },
          { key: 'clientId', value: 'a-client', isMasked: false },
          { key: 'clientSecret', value: null, isMasked: true },
          { key: 'refreshToken', value: '{{refreshToken}}', isMasked: false },
          {
            key: 'tokenRequestParams',
            value: [{ key: 'client_assertion', value: null, enabled: true }],
            isMasked: true,
          },
        ],
      },
      requests: { nodes: [{ auth: { parameters: [{ key: 'token', value: '{{riderToken}}', isMasked: false }] } }] },
      headers: {
        nodes: [
          {
            headers: [
              { key: 'Authorization', value: '******', enabled: true },
              { key: 'X-API-Key', value: '******', enabled: false },
              { key: 'Cookie', value: '******', enabled: true },
              { key: 'Proxy-Authorization', value: 'Basic {{proxyLogin}}', enabled: true },
              { key: 'Accept', value: 'text/plain', enabled: true },
            ],
          },
        ],
      },
    });
    expect(json.auth.oauth2).toContainEqual({ key: 'refreshToken', value: '{{refreshToken}}', type: 'string' });
    expect(json.item[3].request.header).toEqual([
      { key: 'Authorization', value: '******' },
      { key: 'X-API-Key', value: '******', disabled: true },
      { key: 'Cookie', value: '******' },
      { key: 'Proxy-Authorization', value: 'Basic {{proxyLogin}}' },
      { key: 'Accept', value: 'text/plain' },
    ]);
  });
});

describe('the API key', () => {
  // Does not have the recognisable form of a key.
  const serverKey = 'canary/of:the=server+0123456789abcdef';
  const echo = (key: string) => ({
    error: { name: key, message: `The key ${key} is bad.`, details: { param: key }, header: key },
  });

  /** All faults, with the key in every text of upstream. */
  const toFaults = (key: string): readonly Fault[] => [
    ...[400, 401, 403, 404, 418, 422, 429, 500, 502, 503, 504].flatMap((status): Fault[] => [
      { kind: 'status', status },
      { kind: 'status', status, body: echo(key) },
      { kind: 'status', status, body: { type: key, title: key, detail: `at ${key}`, status } },
      { kind: 'status', status, body: `<html>${key}</html>`, headers: { 'X-Key': key, 'Retry-After': key } },
    ]),
    ...refusalSpellings.map((spelling): Fault => ({ kind: 'refusal', spelling, waitSeconds: 2 })),
    { kind: 'status', status: 200, body: key },
    { kind: 'status', status: 200, body: { [key]: key } },
    { kind: 'reset' },
    { kind: 'reset', when: 'during' },
    { kind: 'hang' },
    { kind: 'stall' },
    { kind: 'trickle', everyMs: 50 },
    { kind: 'truncate' },
    { kind: 'html' },
    { kind: 'empty' },
    { kind: 'redirect', location: `/me?apikey=${encodeURIComponent(key)}` },
    { kind: 'headers', headers: { 'Content-Type': key } },
    { kind: 'gzip-bomb', bytes: 4_000_000 },
    { kind: 'oversize', bytes: 4_000_000 },
    { kind: 'oversize', bytes: 4_000_000, isLengthDeclared: true },
    { kind: 'wrong-type' },
    { kind: 'unknown-encoding' },
    { kind: 'utf16' },
  ];
  // One key of another user for each, so that what one is refused for does not hold up the next.
  const keys = toFaults('').map((_fault, index) => `canary/of:a=client+${index}+fedcba9876543210`);

  const { user } = createDemoAccount();

  const start = async (env: Record<string, string> = {}) => {
    await startObserved(
      { ACCESS_TOKEN: 'canary-access-token', ...env },
      { apiKey: serverKey, otherApiKeys: keys.map((apiKey, index) => ({ apiKey, user: { ...user, id: index + 1 } })) },
    );
  };
  const ask = (query: string, headers: Record<string, string> = {}) =>
    facade.query(query, { headers: { authorization: 'Bearer canary-access-token', ...headers } });

  it('is in no response and no log line, whatever upstream does', async () => {
    await start({
      UPSTREAM_TIMEOUT_MS: '100',
      MAX_RESPONSE_BYTES: '1000000',
      // Shorter than any pause: failed calls are not retried.
      OPERATION_TIMEOUT_MS: '190',
    });
    const answers = [];
    for (const [index, key] of keys.entries()) {
      const fault = toFaults(key)[index]!;
      facade.postman.failNext(1, fault);
      const answer = await ask('{ me { username } }', { 'x-api-key': key });
      expect({ fault, data: answer.data, errors: answer.errors }).toMatchObject({
        fault,
        data: { me: null },
        errors: [{ path: ['me'], message: expect.stringMatching(/./) }],
      });
      expect(facade.postman.arrivals.map(({ keyIndex }) => keyIndex)).toEqual([index + 1]);
      facade.postman.reset();
      answers.push(answer);
    }
    expect(toText(answers)).not.toContain('canary');
    expect(facade.log.length).toBeGreaterThanOrEqual(keys.length);
    expect(await readTelemetry()).not.toContain('canary');
  });

  it('goes upstream in its header alone, and nothing else of the client goes with it', async () => {
    await start();
    const query = `{
      me { username } workspaces { nodes { name globals { key } } } collections { nodes { name json } } environments { totalCount }
      environment(uid: "${ids.environments.local}") { name values { key } }
    }`;
    const [key = ''] = keys;
    const ofServer = await ask(query);
    const ofClient = await ask(query, {
      'x-api-key': key,
      cookie: 'canary-cookie',
      'x-canary': 'canary',
      prefer: 'wait=5',
    });
    expect([ofServer.errors, ofClient.errors]).toEqual([[], []]);
    const { arrivals } = facade.postman;
    expect(new Set(arrivals.map(({ keyIndex }) => keyIndex))).toEqual(new Set([0, 1]));
    expect(new Set(arrivals.map(({ keyIn }) => keyIn))).toEqual(new Set(['header']));
    expect(toText(arrivals)).not.toContain('canary');
    expect(new Set(arrivals.flatMap(({ headers }) => Object.keys(headers)))).toEqual(
      new Set(['accept', 'accept-encoding', 'connection', 'host', 'user-agent', 'x-api-key']),
    );
    expect(toText([ofServer, ofClient])).not.toContain('canary');
    expect(await readTelemetry()).not.toContain('canary');
  });

  it('is not repeated when a client sends it in headers that the log repeats', async () => {
    await start();
    const [key = ''] = keys;
    const inNames = { 'x-request-id': key, 'graphql-client-name': `client ${key}`, traceparent: `00-${key}-00` };
    expect((await ask('{ me { username } }', { 'x-api-key': key, ...inNames })).errors).toEqual([]);
    const telemetry = await readTelemetry();
    expect(telemetry).toContain('"client":"client [redacted]"');
    expect(telemetry).not.toContain('canary');
  });

  it('that upstream does not know is not repeated either', async () => {
    await start();
    const { data, errors, ...rest } = await ask('{ me { username } }', { 'x-api-key': 'canary/nobody' });
    expect({ data, errors }).toMatchObject({
      data: { me: null },
      errors: [{ path: ['me'], extensions: { code: 'UNAUTHENTICATED', retryable: false } }],
    });
    expect(toText([errors, rest, facade.log])).not.toContain('canary');
  });

  it('that cannot be a key is refused without a call, and not repeated', async () => {
    await start();
    const { status, data, errors, ...rest } = await ask('{ me { username } }', { 'x-api-key': 'canary å' });
    expect({ status, data, errors }).toEqual({
      status: 400,
      data: undefined,
      errors: [
        {
          message:
            'X-Api-Key must be sent once and contain one Postman API key. It contains white space, a comma or a semicolon: the key was sent twice, or with something else.',
          extensions: { code: 'BAD_USER_INPUT', retryable: false },
        },
      ],
    });
    expect(toText([rest, facade.log])).not.toContain('canary');
    expect(facade.postman.arrivals).toEqual([]);
  });
});

describe('the log and the traces', () => {
  it('have no uid, id or value of a variable, whatever an operation does', async () => {
    await startObserved({ OPERATION_TIMEOUT_MS: '1000' }, {});
    const missing = '41829063-00000000-0000-4000-8000-000000000000';
    const query = `query Everything($workspace: ID!, $collection: ID!, $environment: ID!, $missing: ID!) {
      workspace(id: $workspace) { name collections { nodes { name items { name } } } }
      collection(uid: $collection) { name json }
      environment(uid: $environment) { values { key value } }
      nothing: collection(uid: $missing) { name }
    }`;
    const variables = {
      workspace: ids.workspaces.riderPlatform,
      collection: ids.collections.rides,
      environment: ids.environments.local,
      missing,
    };
    await facade.query(query, { variables });
    facade.postman.failNext(1, { kind: 'reset' });
    facade.postman.failNext(1, { kind: 'status', status: 429, headers: { 'Retry-After': '20' } });
    await facade.query(query, { variables, headers: { 'cache-control': 'no-cache' } });
    await facade.query(query, { variables: { ...variables, collection: { 'canary-variable': 1 } } });
    const telemetry = await readTelemetry();
    expect(telemetry).toContain('/collections/{uid}');
    for (const secret of [...Object.values(variables), ids.users.ines, 'canary-variable', facade.postman.apiKey])
      expect(telemetry).not.toContain(secret);
  });
});
