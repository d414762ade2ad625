import { describe, expect, it } from 'vitest';
import { toAuth, toShownParameter } from '../../../src/upstream/collection-format/fields/auth.ts';
import { toHeaders } from '../../../src/upstream/collection-format/fields/headers.ts';
import { type JsonObject, JsonTooDeepError } from '../../../src/upstream/collection-format/syntax/json.ts';
import { maskItems } from '../../../src/upstream/collection-format/masking/mask-secrets.ts';
import { isCredentialName, isSecretValue } from '../../../src/upstream/collection-format/masking/secrets.ts';
import { toShownVariable, toVariables } from '../../../src/upstream/collection-format/fields/variables.ts';
import { runAtOnce } from '../../../src/upstream/steps.ts';

describe('the value of a secret', () => {
  it.each([
    ['hunter2'],
    ['Bearer abc'],
    ['prefix{{a}}'],
    ['{{a}}-suffix'],
    ['session={{sid}}'],
    ['{{open'],
    ['}}{{'],
    [1234],
    [['a']],
    [{ a: 1 }],
  ])('%j is hidden', (value) => {
    expect(isSecretValue(value)).toBe(true);
  });

  it.each([
    [null],
    [undefined],
    [''],
    [true],
    ['false'],
    ['{{token}}'],
    [' {{a}}{{b}} '],
    ['Bearer {{token}}'],
    ['basic {{user}}:{{password}}'],
  ])('%j is not hidden', (value) => {
    expect(isSecretValue(value)).toBe(false);
  });
});

describe('the name of a credential', () => {
  it.each([
    'password',
    'token',
    'accessToken',
    'access_token',
    'refreshToken',
    'clientSecret',
    'client_secret',
    'consumerSecret',
    'tokenSecret',
    'secret',
    'secretKey',
    'accessKey',
    'sessionToken',
    'privateKey',
    'authKey',
    'clientToken',
    'id_token',
    'Authorization',
    'Proxy-Authorization',
    'X-Api-Key',
    'Cookie',
    'Set-Cookie',
    'X-Auth-Token',
    'passphrase',
    'code_verifier',
    'tokenEncoded',
    'Ocp-Apim-Subscription-Key',
    'X-Functions-Key',
    'DD-APPLICATION-KEY',
    'X-Master-Key',
    'X-Session-Id',
    'X-Auth',
    'Authentication',
    `${'x'.repeat(1_000)}-Token`,
  ])('is %j', (name) => {
    expect(isCredentialName(name)).toBe(true);
  });

  it.each([
    'username',
    'key',
    'in',
    'value',
    'realm',
    'region',
    'algorithm',
    'accessTokenUrl',
    'authUrl',
    'tokenType',
    'tokenName',
    'addTokenTo',
    'headerPrefix',
    'isSecretBase64Encoded',
    'tokenRequestParams',
    'clientId',
    'consumerKey',
    'Content-Type',
    'Accept',
    'signatureMethod',
    'client_authentication',
    'X-Author',
    'outside',
  ])('is not %j', (name) => {
    expect(isCredentialName(name)).toBe(false);
  });
});

describe('typed fields', () => {
  const shown = (auth: unknown, revealSecrets = false) =>
    Object.fromEntries(
      (toAuth(auth)?.parameters ?? []).map((parameter) => [parameter.key, toShownParameter(parameter, revealSecrets)]),
    );

  it('withhold credentials of an auth block and nothing else', () => {
    expect(shown({ type: 'basic', basic: { username: 'ann', password: 'pw', showPassword: true } })).toEqual({
      username: { value: 'ann', isMasked: false },
      password: { value: null, isMasked: true },
      showPassword: { value: true, isMasked: false },
    });
  });

  it('withhold the value of an API key, not its name', () => {
    expect(
      shown({
        type: 'apikey',
        apikey: [
          { key: 'key', value: 'X-Key' },
          { key: 'value', value: 'k' },
          { key: 'in', value: 'header' },
        ],
      }),
    ).toEqual({
      key: { value: 'X-Key', isMasked: false },
      value: { value: null, isMasked: true },
      in: { value: 'header', isMasked: false },
    });
  });

  it('withhold credentials inside a list or object', () => {
    const params = [
      { key: 'client_secret', value: 's' },
      { key: 'scope', value: 'all' },
    ];
    expect(
      shown({ type: 'oauth2', oauth2: { tokenRequestParams: params, resource: { token: 't', a: 1 }, scope: ['a'] } }),
    ).toEqual({
      tokenRequestParams: {
        value: [
          { key: 'client_secret', value: null },
          { key: 'scope', value: 'all' },
        ],
        isMasked: true,
      },
      resource: { value: { token: null, a: null }, isMasked: true },
      scope: { value: ['a'], isMasked: false },
    });
  });

  it('show references, and everything once secrets are revealed', () => {
    expect(shown({ type: 'bearer', bearer: { token: '{{token}}' } })).toEqual({
      token: { value: '{{token}}', isMasked: false },
    });
    expect(shown({ type: 'bearer', bearer: { token: 't' } }, true)).toEqual({ token: { value: 't', isMasked: false } });
  });

  it('refuse an auth value nested too deep', () => {
    const value = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
    expect(() => shown({ type: 'jwt', jwt: { payload: value } })).toThrow(JsonTooDeepError);
    expect(() => shown({ type: 'jwt', jwt: { payload: value } }, true)).toThrow(JsonTooDeepError);
  });

  it('withhold variables that are declared secret and have a value', () => {
    const variables = toVariables([
      { key: 'a', value: 's', type: 'secret' },
      { key: 'b', value: '', type: 'secret' },
      { key: 'c', value: '{{a}}', type: 'secret' },
      { key: 'd', secret: true },
      { key: 'e', value: 's', secret: true },
      { key: 'password', value: 's', type: 'default' },
    ]);
    expect(variables.map((variable) => toShownVariable(variable, false).isMasked)).toEqual([
      true,
      false,
      false,
      false,
      true,
      true,
    ]);
    expect(variables.some((variable) => toShownVariable(variable, true).isMasked)).toBe(false);
  });

  it('withhold headers that hold credentials', () => {
    const block = 'Authorization: Bearer abc\nX-Api-Key: {{key}}\nAccept: */*\nSet-Cookie: a=b';
    const headers = toHeaders(block);
    expect(headers.map(({ value }) => value)).toEqual(['******', '{{key}}', '*/*', '******']);
    expect(toHeaders(block, true).map(({ value }) => value)).toEqual(['Bearer abc', '{{key}}', '*/*', 'a=b']);
  });
});

describe('the JSON of a collection', () => {
  const CANARY = 'canary-7f3a';
  const list = (key: string) => [{ key, value: CANARY, type: 'string' }];
  const document = {
    info: { name: 'Token service' },
    auth: { type: 'apikey', apikey: [...list('value'), { key: 'key', value: 'X-Key' }] },
    variable: [{ key: 'a', type: 'secret', value: CANARY }],
    variables: [{ key: 'a', secret: true, value: CANARY }],
    item: [
      {
        auth: { type: 'apikey', apikey: { key: 'X-Key', value: CANARY } },
        item: [
          {
            request: {
              auth: { type: 'jwt', jwt: [...list('secret'), ...list('privateKey')] },
              url: { auth: { user: 'ann', password: CANARY }, variable: [{ key: 'p', type: 'secret', value: CANARY }] },
              header: [
                { key: 'authorization', value: `Bearer ${CANARY}` },
                `Cookie: ${CANARY}`,
                { key: 'Accept', value: 'text/plain' },
              ],
              certificate: { passphrase: CANARY },
            },
            response: [
              {
                header: `Set-Cookie: ${CANARY}\r\nAccept: text/plain`,
                cookie: [{ name: 'sid', value: CANARY }],
                originalRequest: {
                  auth: { type: 'oauth2', oauth2: { tokenRequestParams: list('client_secret') } },
                  header: { 'X-Api-Key': CANARY },
                },
              },
            ],
          },
        ],
      },
    ],
  };

  it('contains no secret in any position', () => {
    const before = structuredClone(document);
    const masked = runAtOnce(maskItems(document));
    expect(JSON.stringify(masked)).not.toContain(CANARY);
    expect(document).toEqual(before);
    expect(masked).toMatchObject({
      info: { name: 'Token service' },
      auth: {
        apikey: [
          { key: 'value', value: null, type: 'string' },
          { key: 'key', value: 'X-Key' },
        ],
      },
      item: [
        {
          auth: { apikey: { key: 'X-Key', value: null } },
          item: [
            {
              request: {
                url: { auth: { user: 'ann', password: null } },
                header: [
                  { key: 'authorization', value: '******' },
                  'Cookie: ******',
                  { key: 'Accept', value: 'text/plain' },
                ],
              },
              response: [
                { header: 'Set-Cookie: ******\nAccept: text/plain', cookie: [{ name: 'sid', value: '******' }] },
              ],
            },
          ],
        },
      ],
    });
  });

  it('is not copied if it has no secrets', () => {
    const plain = { item: [{ request: { auth: { type: 'bearer', bearer: { token: '{{t}}' } } } }, { name: 'b' }] };
    expect(runAtOnce(maskItems(plain))).toBe(plain);
    const mixed: JsonObject & { item: unknown[] } = {
      item: [plain, { auth: { type: 'bearer', bearer: { token: 't' } } }],
    };
    expect((runAtOnce(maskItems(mixed)) as typeof mixed).item[0]).toBe(plain);
  });

  it('leaves keys called __proto__ in place, and masks their secrets', () => {
    const poisoned = JSON.parse('{"__proto__":{"auth":{"type":"bearer","bearer":{"token":"t"}},"polluted":1}}');
    const masked = runAtOnce(maskItems(poisoned)) as object;
    expect(JSON.stringify(masked)).toBe(
      '{"__proto__":{"auth":{"type":"bearer","bearer":{"token":null}},"polluted":1}}',
    );
    expect(Object.getPrototypeOf(masked)).toBe(Object.prototype);
    expect(({} as JsonObject).polluted).toBeUndefined();
  });

  it('is refused if it is nested too deep to be serialised', () => {
    expect(() => runAtOnce(maskItems(JSON.parse('{"item":['.repeat(50_000) + ']}'.repeat(50_000))))).toThrow(
      JsonTooDeepError,
    );
  });
});
