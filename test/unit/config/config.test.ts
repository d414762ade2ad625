import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/config.ts';
import { ConfigError } from '../../../src/config/values.ts';
import { variables } from '../../../src/config/variables.ts';

const key = 'PMAK-0123456789-canary';
const token = 'canary-of-the-access-token';

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseConfig', () => {
  it('has a default for everything', () => {
    expect(parseConfig({}, 1_225_326_592)).toEqual({
      isProduction: false,
      sandbox: true,
      sandboxLimits: false,
      listen: { host: '127.0.0.1', port: 4000 },
      keepAliveMs: 65_000,
      access: { tokens: [], webhookSecrets: [], corsOrigins: [], allowedHosts: [], trustedProxies: [] },
      postman: {
        baseUrl: 'https://api.getpostman.com',
        timeoutMs: 60_000,
        maxResponseBytes: 33_554_432,
        maxResponseValues: 1_000_000,
        maxResponseBytesInFlight: 64_000_000,
      },
      budget: {
        general: { limit: 60, windowMs: 60_000, isCap: false },
        burst: { limit: 10, windowMs: 10_000 },
        reservedCalls: 5,
        maxConcurrentCalls: 10,
        coldStart: 'off',
        maxBytes: 32_000_000,
      },
      operation: {
        timeoutMs: 30_000,
        maxWaitMs: 300_000,
        streamTimeoutMs: 600_000,
        maxCalls: 60,
        maxCallsPerStream: 600,
        maxStreams: 292,
        maxStreamsPerKey: 100,
        maxResultBytes: 256_000_000,
        maxWrittenBytes: 128_000_000,
        maxHeldBytes: 96_000_000,
        maxHeldBytesOfAll: 192_000_000,
      },
      cache: { ttlMs: 60_000, swrMs: 60_000, staleIfErrorMs: 3_600_000, renewMs: 3_600_000, maxBytes: 192_000_000 },
      query: {
        maxDepth: 40,
        maxAliases: 100,
        maxTokens: 4000,
        maxRequestBytes: 1_048_576,
        maxRequestBytesInFlight: 32_000_000,
        documentCacheBytes: 16_000_000,
        persistedQueryBytesPerKey: 0,
        persistedQueryBytes: 16_000_000,
      },
      heapLimitBytes: 1_225_326_592,
      revealSecrets: false,
      logLevel: 'info',
      graphiql: true,
    });
  });

  it('maps each variable to its setting', () => {
    const config = parseConfig({
      POSTMAN_API_KEY: key,
      POSTMAN_API_BASE_URL: 'https://api.eu.postman.com/',
      HOST: '0.0.0.0',
      PORT: '0',
      RATE_LIMIT: '101',
      RATE_LIMIT_WINDOW_MS: '102',
      BURST_LIMIT: '103',
      BURST_LIMIT_WINDOW_MS: '104',
      RESERVED_CALLS: '35',
      MAX_CONCURRENT_CALLS: '106',
      COLD_START: 'wait',
      OPERATION_TIMEOUT_MS: '107',
      MAX_WAIT_MS: '108',
      STREAM_TIMEOUT_MS: '109',
      MAX_CALLS_PER_OPERATION: '110',
      MAX_CALLS_PER_STREAM: '111',
      MAX_STREAMS: '131',
      MAX_STREAMS_PER_KEY: '132',
      UPSTREAM_TIMEOUT_MS: '112',
      HTTPS_PROXY: 'http://proxy.test:3128',
      HTTP_PROXY: 'http://other-proxy.test:3128',
      NO_PROXY: 'internal.test',
      KEEP_ALIVE_TIMEOUT_MS: '137',
      MAX_RESPONSE_BYTES: '113',
      MAX_RESPONSE_VALUES: '132',
      MAX_RESPONSE_BYTES_IN_FLIGHT: '133',
      MAX_HELD_BYTES_PER_OPERATION: '134',
      MAX_HELD_BYTES: '135',
      CACHE_TTL_MS: '114',
      CACHE_SWR_MS: '115',
      CACHE_STALE_IF_ERROR_MS: '116',
      CACHE_RENEW_MS: '130',
      CACHE_MAX_BYTES: '117',
      MAX_QUERY_DEPTH: '118',
      MAX_QUERY_ALIASES: '119',
      MAX_QUERY_TOKENS: '120',
      MAX_REQUEST_BYTES: '121',
      MAX_REQUEST_BYTES_IN_FLIGHT: '136',
      DOCUMENT_CACHE_MAX_BYTES: '131',
      PERSISTED_QUERIES_MAX_BYTES_PER_KEY: '138',
      CORS_ORIGINS: 'https://app.example.com, http://localhost:3000/',
      ALLOWED_HOSTS: 'GraphQL.test,other.test:4000,',
      TRUSTED_PROXIES: '10.0.0.0/8, fd00::1',
      ACCESS_TOKEN: token,
      WEBHOOK_SECRET: 'old-hook,new-hook',
      REVEAL_SECRETS: 'yes',
      LOG_LEVEL: 'silent',
      GRAPHIQL: '1',
      NODE_ENV: 'production',
      SOMETHING_ELSE: 'ignored',
    });
    const tokens = config.access.tokens.map((one) => one.reveal());
    const webhookSecrets = config.access.webhookSecrets.map((one) => one.reveal());
    expect({ ...config, access: { ...config.access, tokens, webhookSecrets } }).toEqual({
      isProduction: true,
      sandbox: false,
      sandboxLimits: false,
      listen: { host: '0.0.0.0', port: 0 },
      keepAliveMs: 137,
      access: {
        tokens: [token],
        webhookSecrets: ['old-hook', 'new-hook'],
        corsOrigins: ['https://app.example.com', 'http://localhost:3000'],
        allowedHosts: ['graphql.test', 'other.test:4000'],
        trustedProxies: ['10.0.0.0/8', 'fd00::1'],
      },
      postman: {
        apiKey: config.postman.apiKey,
        baseUrl: 'https://api.eu.postman.com',
        proxy: { url: 'http://proxy.test:3128', noProxy: 'internal.test' },
        timeoutMs: 112,
        maxResponseBytes: 113,
        maxResponseValues: 132,
        maxResponseBytesInFlight: 133,
      },
      budget: {
        general: { limit: 101, windowMs: 102, isCap: true },
        burst: { limit: 103, windowMs: 104 },
        reservedCalls: 35,
        maxConcurrentCalls: 106,
        coldStart: 'wait',
        maxBytes: expect.any(Number) as number,
      },
      operation: {
        timeoutMs: 107,
        maxWaitMs: 108,
        streamTimeoutMs: 109,
        maxCalls: 110,
        maxCallsPerStream: 111,
        maxStreams: 131,
        maxStreamsPerKey: 132,
        maxResultBytes: expect.any(Number) as number,
        maxWrittenBytes: expect.any(Number) as number,
        maxHeldBytes: 134,
        maxHeldBytesOfAll: 135,
      },
      cache: { ttlMs: 114, swrMs: 115, staleIfErrorMs: 116, renewMs: 130, maxBytes: 117 },
      query: {
        maxDepth: 118,
        maxAliases: 119,
        maxTokens: 120,
        maxRequestBytes: 121,
        maxRequestBytesInFlight: 136,
        documentCacheBytes: 131,
        persistedQueryBytesPerKey: 138,
        persistedQueryBytes: expect.any(Number) as number,
      },
      heapLimitBytes: config.heapLimitBytes,
      revealSecrets: true,
      logLevel: 'silent',
      graphiql: true,
    });
    expect(config.postman.apiKey?.reveal()).toBe(key);
  });

  it('serves a folder of exports as the account, with rate limits if SANDBOX_LIMITS is on', () => {
    const defaults = parseConfig({});
    expect(parseConfig({ SANDBOX_DIR: './my exports' })).toEqual({ ...defaults, sandboxDir: './my exports' });
    expect(parseConfig({ SANDBOX_DIR: '/a', SANDBOX_LIMITS: 'on' })).toEqual({
      ...defaults,
      sandboxDir: '/a',
      sandboxLimits: true,
    });
  });

  it('reads every empty variable as unset', () => {
    expect(parseConfig(Object.fromEntries(variables.map(({ name }) => [name, ''])))).toEqual(parseConfig({}));
  });

  it('reads the documented defaults as the defaults, except that they set a cap and turn the sandbox off', () => {
    const config = parseConfig(Object.fromEntries(variables.map((variable) => [variable.name, variable.default])));
    const { budget, ...rest } = parseConfig({});
    expect(config).toEqual({
      ...rest,
      sandbox: false,
      budget: { ...budget, general: { ...budget.general, isCap: true }, coldStart: 'probe' },
    });
  });

  it.each([
    [{}, true],
    [{ NODE_ENV: 'development' }, true],
    [{ NODE_ENV: 'production' }, false],
    [{ NODE_ENV: 'production', SANDBOX_DIR: '/a' }, true],
    [{ POSTMAN_API_KEY: key }, false],
    [{ POSTMAN_API_BASE_URL: 'https://api.postman.com' }, false],
  ])('with %j, serves the sandbox: %s', (env, expected) => {
    expect(parseConfig(env).sandbox).toBe(expected);
  });

  it('takes two access tokens, with white space and quotes around them', () => {
    const { tokens } = parseConfig({ ACCESS_TOKEN: `"${token}" , other` }).access;
    expect(tokens.map((one) => one.reveal())).toEqual([token, 'other']);
  });

  it.each([
    ['http://proxy.test:3128', 'http://proxy.test:3128', undefined],
    ['proxy.test:3128', 'http://proxy.test:3128', undefined],
    ['https://proxy.test/', 'https://proxy.test', undefined],
    ['http://me:p%40ss@[::1]:3128', 'http://[::1]:3128', 'me:p@ss'],
    ['me@proxy.test', 'http://proxy.test', 'me:'],
  ])('reads the proxy %s', (given, url, credentials) => {
    for (const env of [{ HTTPS_PROXY: given }, { HTTP_PROXY: given }]) {
      const { authorization, ...proxy } = parseConfig(env).postman.proxy!;
      expect(proxy).toEqual({ url, noProxy: '' });
      const basic = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
      expect(authorization?.reveal()).toBe(basic);
    }
  });

  it.each([
    [{ NODE_ENV: 'production' }, false],
    [{ NODE_ENV: 'production', GRAPHIQL: 'true' }, true],
    [{ GRAPHIQL: 'off' }, false],
    [{}, true],
  ])('with %j, serves GraphiQL: %s', (env, expected) => {
    expect(parseConfig(env).graphiql).toBe(expected);
  });

  it.each(['true', 'TRUE', 'on', 'yes', '1'])('reads %s as true', (text) => {
    expect(parseConfig({ REVEAL_SECRETS: text }).revealSecrets).toBe(true);
  });

  it.each(['false', 'False', 'off', 'no', '0'])('reads %s as false', (text) => {
    expect(parseConfig({ GRAPHIQL: text }).graphiql).toBe(false);
  });

  it('turns the burst window off at 0', () => {
    expect(parseConfig({ BURST_LIMIT: '0' }).budget).not.toHaveProperty('burst');
  });

  it.each([
    ['60', 5],
    ['3', 2],
    ['1', 0],
  ])('lowers the default of RESERVED_CALLS under RATE_LIMIT=%s to %i', (RATE_LIMIT, expected) => {
    expect(parseConfig({ RATE_LIMIT }).budget.reservedCalls).toBe(expected);
  });

  it('lowers the default of OPERATION_TIMEOUT_MS under a smaller MAX_WAIT_MS', () => {
    expect(parseConfig({ MAX_WAIT_MS: '2000' }).operation.timeoutMs).toBe(2000);
  });

  it.each([
    'https://api.postman.com',
    'https://API.postman.com:443/',
    'http://127.0.0.1:8080',
    'http://localhost',
    'http://[::1]:1',
  ])('accepts the base URL %s as an origin', (text) => {
    expect(parseConfig({ POSTMAN_API_BASE_URL: text }).postman.baseUrl).toBe(new URL(text).origin);
  });

  it.each([
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['localhost', 'localhost'],
    ['192.0.2.1', '192.0.2.1'],
  ])('listens on HOST=%s', (HOST, expected) => {
    expect(parseConfig({ HOST }).listen.host).toBe(expected);
  });
});

describe('parseConfig rejects', () => {
  it.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '4000.0'],
    ['PORT', '4e3'],
    ['PORT', '0x10'],
    ['PORT', ' 4000'],
    ['RATE_LIMIT', '0'],
    ['RATE_LIMIT', 'sixty'],
    ['RATE_LIMIT', '99999999999999999999'],
    ['RATE_LIMIT_WINDOW_MS', '0'],
    ['BURST_LIMIT', '-1'],
    ['BURST_LIMIT_WINDOW_MS', '0'],
    ['RESERVED_CALLS', '-1'],
    ['MAX_CONCURRENT_CALLS', '0'],
    ['COLD_START', 'warm'],
    ['OPERATION_TIMEOUT_MS', '0'],
    ['OPERATION_TIMEOUT_MS', '600001'],
    ['MAX_WAIT_MS', '0'],
    ['STREAM_TIMEOUT_MS', '0'],
    ['MAX_CALLS_PER_OPERATION', '0'],
    ['MAX_CALLS_PER_STREAM', '0'],
    ['UPSTREAM_TIMEOUT_MS', '0'],
    ['MAX_RESPONSE_BYTES', '536870912'],
    ['CACHE_TTL_MS', '-1'],
    ['CACHE_SWR_MS', '1 s'],
    ['CACHE_STALE_IF_ERROR_MS', '1h'],
    ['CACHE_MAX_BYTES', '0'],
    ['MAX_QUERY_DEPTH', '0'],
    ['MAX_QUERY_ALIASES', '0'],
    ['MAX_QUERY_TOKENS', '0'],
    ['MAX_REQUEST_BYTES', '0'],
    ['REVEAL_SECRETS', 'maybe'],
    ['GRAPHIQL', '2'],
    ['SANDBOX_LIMITS', 'enabled'],
    ['LOG_LEVEL', 'verbose'],
    ['LOG_LEVEL', 'INFO'],
    ['HOST', '*'],
    ['HOST', 'localhost:4000'],
    ['HOST', 'localhost:'],
    ['HOST', 'http://localhost'],
    ['POSTMAN_API_BASE_URL', 'api.getpostman.com'],
    ['POSTMAN_API_BASE_URL', 'http://api.getpostman.com'],
    ['POSTMAN_API_BASE_URL', 'http://127.0.0.1.example.com'],
    ['POSTMAN_API_BASE_URL', 'ftp://localhost'],
    ['POSTMAN_API_BASE_URL', 'https://api.getpostman.com/v1'],
    ['POSTMAN_API_BASE_URL', 'https://api.getpostman.com?a=b'],
    ['POSTMAN_API_BASE_URL', 'https://api.getpostman.com/?'],
    ['POSTMAN_API_BASE_URL', 'https://api.getpostman.com#a'],
    ['POSTMAN_API_BASE_URL', 'https://a.example b.example'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'null'],
    ['CORS_ORIGINS', 'app.example.com'],
    ['CORS_ORIGINS', 'https://*.example.com'],
    ['CORS_ORIGINS', 'https://app.example.com/path'],
    ['ALLOWED_HOSTS', '*'],
    ['ALLOWED_HOSTS', 'https://graphql.test'],
    ['TRUSTED_PROXIES', 'proxy.test'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '10.0.0/8'],
  ])('%s=%s, showing what was given', (name, given) => {
    expect(problemsOf({ [name]: given })).toEqual([
      expect.stringContaining(`${name} is ${JSON.stringify(given)}; allowed: `),
    ]);
  });

  it.each([
    ['with space', 'it has white space inside'],
    ['two\nlines', 'it is more than one line'],
    ['ümlaut', 'it has characters that are not visible ASCII'],
    ['a'.repeat(257), 'it is longer than 256 characters'],
    ['Bearer one', 'it begins with "Bearer": give what comes after it'],
    ['<your-token>', 'it is a placeholder, or a reference that was not replaced by its value'],
  ])('the secret %j without showing it, with the reason', (text, reason) => {
    const allowed = `${reason}; allowed: visible ASCII without spaces, at most 256 characters`;
    const orTwo = 'or two such tokens, separated by a comma';
    expect([...problemsOf({ POSTMAN_API_KEY: text }), ...problemsOf({ ACCESS_TOKEN: text })]).toEqual([
      `POSTMAN_API_KEY is a value that is not shown: ${allowed}; default: none`,
      `ACCESS_TOKEN is a value that is not shown: ${allowed}; ${orTwo}; default: none`,
    ]);
  });

  it('the address of a proxy without showing it', () => {
    const allowed =
      'the address of an HTTP proxy such as http://proxy.example:3128 or http://user:password@proxy.example:3128';
    for (const given of [
      'socks5://me:canary@proxy.test',
      'http://me:can%ary@proxy.test',
      'me:can ary@proxy.test',
      'http://proxy.test/x',
    ])
      expect(problemsOf({ HTTPS_PROXY: given })).toEqual([
        `HTTPS_PROXY is a value that is not shown; allowed: ${allowed}; default: none`,
      ]);
  });

  it('an access token that equals the API key, and more than two tokens', () => {
    expect(problemsOf({ POSTMAN_API_KEY: key, ACCESS_TOKEN: `${token},${key}` })).toEqual([
      'ACCESS_TOKEN is the same as POSTMAN_API_KEY: every client would have the key; allowed: another secret; ' +
        'default: none',
    ]);
    expect(problemsOf({ ACCESS_TOKEN: 'one,two,three' })).toEqual([
      expect.stringMatching(/^ACCESS_TOKEN is a value that is not shown: it is more than 2 secrets;/),
    ]);
    expect(problemsOf({ ACCESS_TOKEN: ' , ' })).toEqual([
      expect.stringMatching(/^ACCESS_TOKEN is a value that is not shown: it is blank;/),
    ]);
  });

  it('a number out of bounds with the bounds and the default', () => {
    expect(problemsOf({ PORT: '70000' })).toEqual([
      'PORT is "70000"; allowed: a whole number from 0 to 65535; default: 4000',
    ]);
  });

  it('"*" in CORS_ORIGINS, naming only the wrong items and the reason', () => {
    expect(problemsOf({ CORS_ORIGINS: 'https://app.example.com,*,x' })).toEqual([
      'CORS_ORIGINS is "*", "x"; allowed: a comma-separated list of origins such as https://app.example.com ' +
        '("*" is refused: requests can carry credentials); default: none',
    ]);
  });

  it('SANDBOX_DIR together with another account', () => {
    const problem = (names: string) => [
      `SANDBOX_DIR is set, and so is ${names}: these are two accounts; allowed: one of them, not both; default: none`,
    ];
    const baseUrl = 'https://api.postman.com';
    expect(problemsOf({ SANDBOX_DIR: '/a', POSTMAN_API_KEY: key })).toEqual(problem('POSTMAN_API_KEY'));
    expect(problemsOf({ SANDBOX_DIR: '/a', POSTMAN_API_BASE_URL: baseUrl })).toEqual(problem('POSTMAN_API_BASE_URL'));
    expect(problemsOf({ SANDBOX_DIR: '/a', POSTMAN_API_KEY: key, POSTMAN_API_BASE_URL: baseUrl })).toEqual(
      problem('POSTMAN_API_KEY and POSTMAN_API_BASE_URL'),
    );
    expect(problemsOf({ SANDBOX_DIR: '', POSTMAN_API_KEY: key })).toEqual([]);
  });

  it('SANDBOX_LIMITS without SANDBOX_DIR', () => {
    const problem = [
      'SANDBOX_LIMITS is on, but has no effect without SANDBOX_DIR; allowed: on only with SANDBOX_DIR; default: off',
    ];
    expect(problemsOf({ SANDBOX_LIMITS: 'yes' })).toEqual(problem);
    expect(problemsOf({ SANDBOX_LIMITS: 'on', POSTMAN_API_KEY: key })).toEqual(problem);
    expect(problemsOf({ SANDBOX_LIMITS: 'off' })).toEqual([]);
  });

  it.each([{ POSTMAN_API_KEY: key }, { ACCESS_TOKEN: token }])('a webhook secret that is another one, too', (other) => {
    expect(problemsOf({ ...other, WEBHOOK_SECRET: `the-hook,${Object.values(other).join()}` })).toEqual([
      'WEBHOOK_SECRET is the same as POSTMAN_API_KEY or ACCESS_TOKEN: everyone who sees the webhook in Postman would ' +
        'have it; allowed: another secret; default: none',
    ]);
  });

  it('exports served on an address that is not loopback without ACCESS_TOKEN', () => {
    expect(problemsOf({ SANDBOX_DIR: '/a', HOST: '0.0.0.0' })).toEqual([
      'ACCESS_TOKEN is unset while SANDBOX_DIR is set and HOST "0.0.0.0" is not loopback: everyone could read these ' +
        'exports; allowed: visible ASCII without spaces, at most 256 characters; or two such tokens, separated by a ' +
        'comma; default: none',
    ]);
    expect(problemsOf({ SANDBOX_DIR: '/a', HOST: '0.0.0.0', ACCESS_TOKEN: token })).toEqual([]);
    expect(problemsOf({ SANDBOX_DIR: '/a', HOST: '::1' })).toEqual([]);
  });

  it('a server key on an address that is not loopback without ACCESS_TOKEN', () => {
    const problem = [
      'ACCESS_TOKEN is unset while POSTMAN_API_KEY is set and HOST "0.0.0.0" is not loopback: everyone could read data ' +
        'with this key; allowed: visible ASCII without spaces, at most 256 characters; or two such tokens, separated by ' +
        'a comma; default: none',
    ];
    expect(problemsOf({ POSTMAN_API_KEY: key, HOST: '0.0.0.0' })).toEqual(problem);
    expect(problemsOf({ POSTMAN_API_KEY: key, HOST: '0.0.0.0', ACCESS_TOKEN: '' })).toEqual(problem);
    expect(problemsOf({ POSTMAN_API_KEY: key, HOST: '::' })).toHaveLength(1);
    expect(problemsOf({ POSTMAN_API_KEY: key, HOST: '0.0.0.0', ACCESS_TOKEN: token })).toEqual([]);
    expect(problemsOf({ POSTMAN_API_KEY: key, HOST: 'localhost' })).toEqual([]);
    expect(problemsOf({ HOST: '0.0.0.0' })).toEqual([]);
  });

  it('RESERVED_CALLS that is not less than the limit, set or not', () => {
    expect(problemsOf({ RESERVED_CALLS: '10', RATE_LIMIT: '10' })).toEqual([
      'RESERVED_CALLS is "10"; allowed: less than RATE_LIMIT, which is 10; default: 5',
    ]);
    expect(problemsOf({ RESERVED_CALLS: '60' })).toHaveLength(1);
    expect(problemsOf({ RESERVED_CALLS: '9', RATE_LIMIT: '10' })).toEqual([]);
  });

  it('OPERATION_TIMEOUT_MS above MAX_WAIT_MS', () => {
    expect(problemsOf({ OPERATION_TIMEOUT_MS: '400000' })).toEqual([
      'OPERATION_TIMEOUT_MS is "400000"; allowed: at most MAX_WAIT_MS, which is 300000; default: 30000',
    ]);
    expect(problemsOf({ OPERATION_TIMEOUT_MS: '2000', MAX_WAIT_MS: '2000' })).toEqual([]);
  });

  it('several wrong values at once, one line each', () => {
    const env = {
      POSTMAN_API_KEY: 'a key',
      HOST: '0.0.0.0',
      PORT: 'x\ny',
      RESERVED_CALLS: '70',
      LOG_LEVEL: 'loud',
    };
    const problems = problemsOf(env);
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      'POSTMAN_API_KEY',
      'PORT',
      'LOG_LEVEL',
      'ACCESS_TOKEN',
      'RESERVED_CALLS',
    ]);
    expect(() => parseConfig(env)).toThrow(new ConfigError(problems));
    expect(new ConfigError(problems).message.split('\n')).toEqual(problems);
  });
});

describe('a secret', () => {
  it('is not shown by anything that prints the configuration', () => {
    const config = parseConfig({ POSTMAN_API_KEY: key, ACCESS_TOKEN: token });
    const shown = [
      inspect(config, { depth: null, showHidden: true }),
      inspect(config, { depth: null, showHidden: true, customInspect: false }),
      JSON.stringify(config),
      `${String(config.postman.apiKey)} ${String(config.access.tokens)}`,
      JSON.stringify(structuredClone(config.postman.apiKey)),
    ].join('\n');
    expect(shown).not.toContain(key);
    expect(shown).not.toContain(token);
    expect(JSON.parse(JSON.stringify(config))).toMatchObject({
      postman: { apiKey: '[redacted]' },
      access: { tokens: ['[redacted]'] },
    });
  });

  it('does not appear in a problem, even if another variable has the same value', () => {
    const error = new ConfigError(
      problemsOf({
        POSTMAN_API_KEY: 'canary one',
        ACCESS_TOKEN: 'canary two',
        PORT: 'canary one',
        CORS_ORIGINS: 'https://canary two@a.example',
        POSTMAN_API_BASE_URL: 'https://me:canary-three@api.getpostman.com',
        HOST: 'PMAK-canary-four:1',
      }),
    );
    expect(error.problems).toHaveLength(6);
    expect(`${inspect(error)} ${JSON.stringify(error)}`).not.toContain('canary');
  });
});

describe('Redis', () => {
  const url = 'rediss://user:canary@redis.test:6380';
  const secretOf = (bytes: number) => Buffer.alloc(bytes, 5).toString('base64');

  it('is used if its address and a secret are set', () => {
    expect(parseConfig({}).redis).toBeUndefined();
    const { redis } = parseConfig({ REDIS_URL: url, TENANT_SECRET: `${secretOf(32)},${secretOf(48)}` });
    expect([redis?.url.reveal(), redis?.tenantSecrets.map((one) => one?.reveal()), redis?.withoutRedis]).toEqual([
      url,
      [secretOf(32), secretOf(48)],
      'share',
    ]);
  });

  it('has the shared responses, too, unless they have a Redis of their own or none', () => {
    const urlOf = (env: Record<string, string>) =>
      parseConfig({ TENANT_SECRET: secretOf(32), ...env }).cache.shared?.url.reveal();
    const other = 'redis://cache.test';
    expect(
      [{}, { REDIS_URL: url }, { REDIS_URL: url, CACHE_REDIS_URL: other }, { CACHE_REDIS_URL: other }].map(urlOf),
    ).toEqual([undefined, url, other, other]);
    expect(urlOf({ REDIS_URL: url, CACHE_REDIS_URL: 'off' })).toBeUndefined();
    expect(parseConfig({ CACHE_REDIS_URL: 'off' }).cache.shared).toBeUndefined();
  });

  it.each([
    [{ REDIS_URL: url }, /^TENANT_SECRET is unset, but REDIS_URL requires it;/],
    [{ CACHE_REDIS_URL: url }, /^TENANT_SECRET is unset, but CACHE_REDIS_URL requires it;/],
    [
      { REDIS_URL: 'http://canary' },
      /^REDIS_URL is a value that is not shown: it is not the address of a Redis server;/,
    ],
    [
      { TENANT_SECRET: secretOf(31) },
      /^TENANT_SECRET is a value that is not shown: it is not base64 of 32 bytes or more;/,
    ],
    [{ TENANT_SECRET: `${secretOf(32)},${secretOf(32)},${secretOf(32)}` }, /: it is more than two secrets;/],
    [{ BUDGET_WITHOUT_REDIS: 'guess' }, /^BUDGET_WITHOUT_REDIS is "guess"; allowed: share or refuse;/],
  ])('is not used with %o', (env, problem) => {
    const [first = ''] = problemsOf(env);
    expect(first).toMatch(problem);
    expect(first).not.toContain('canary');
  });
});

describe('variables', () => {
  it('are listed in .env.example, each as a comment with its description and default', () => {
    const [intro, ...blocks] = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8')
      .trimEnd()
      .split('\n\n');
    expect(intro).toMatch(/^# .+$/);
    expect(blocks).toEqual(
      variables.map(({ name, default: text, description }) => `# ${description}\n# ${name}=${text}`),
    );
  });

  it('have the unit that their name contains', () => {
    const units = variables.filter(({ name }) => /_(MS|BYTES)(_|$)/.test(name)).map(({ name, unit }) => [name, unit]);
    expect(units).toEqual(units.map(([name]) => [name, name?.endsWith('_MS') ? 'ms' : 'bytes']));
    expect(units).toHaveLength(21);
  });
});
