import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../../src/config/values.ts';
import { variables } from '../../../src/config/variables.ts';
import { readEnvironment } from '../../../src/config/read-environment.ts';
import { nearestName } from '../../../src/config/nearest-name.ts';

const before = process.cwd();
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'environment-test-'));
  process.chdir(folder);
  for (const { name } of variables) vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe('readEnvironment', () => {
  it('returns the environment of the process, overridden by the command line, if there is no .env file', () => {
    vi.stubEnv('RATE_LIMIT', '7');
    vi.stubEnv('PORT', '1');
    const { values, ...rest } = readEnvironment({ PORT: '2' });
    expect([values['RATE_LIMIT'], values['PORT']]).toEqual(['7', '2']);
    expect(rest).toEqual({ problems: [], warnings: [] });
  });

  it('reads a .env file, which the environment of the process overrides, even with an empty value', () => {
    writeFileSync(
      '.env',
      '\uFEFFPORT=1\r\nHOST="localhost" # here\r\nRATE_LIMIT=2\r\n# BURST_LIMIT=3\r\nLOG_LEVEL=warn\r\n',
    );
    vi.stubEnv('RATE_LIMIT', '4');
    vi.stubEnv('LOG_LEVEL', '');
    const { values, warnings, envFile } = readEnvironment();
    const { PORT, HOST, RATE_LIMIT, BURST_LIMIT, LOG_LEVEL } = values;
    expect({ PORT, HOST, RATE_LIMIT, BURST_LIMIT, LOG_LEVEL }).toEqual({
      PORT: '1',
      HOST: 'localhost',
      RATE_LIMIT: '4',
      BURST_LIMIT: undefined,
      LOG_LEVEL: '',
    });
    expect([warnings, envFile]).toEqual([[], join(process.cwd(), '.env')]);
  });

  it('reads a .env file in UTF-16, as PowerShell writes it', () => {
    writeFileSync('.env', Buffer.from('\uFEFFPORT=1\r\nHOST=::1\r\n', 'utf16le'));
    const { PORT, HOST } = readEnvironment().values;
    expect([PORT, HOST]).toEqual(['1', '::1']);
  });

  it('reports a .env that is a folder, or that cannot be read', () => {
    mkdirSync('.env');
    expect(() => readEnvironment()).toThrow(new ConfigError(['.env cannot be read: it is a folder']));
    rmSync('.env', { recursive: true });
    symlinkSync('.env', '.env');
    expect(() => readEnvironment()).toThrow(new ConfigError(['.env cannot be read: ELOOP']));
  });

  it('warns about unknown names in .env and unknown POSTMAN_ variables, and suggests the closest known name', () => {
    writeFileSync(
      '.env',
      'POSTMAN_APIKEY=a\nCACHE_TTL=5\nNODE_ENV=x\nNODE_OPTIONS=--max-old-space-size=1\n' +
        'COMPOSE_FILE=a\nno_proxy=a\nhost=a\n',
    );
    vi.stubEnv('POSTMAN_BASE_URL', 'a');
    vi.stubEnv('POSTMAN_COLLECTION', 'a');
    vi.stubEnv('CACHE_MAX', 'a');
    // Variables of a Kubernetes service and of the examples.
    for (const name of [
      'SERVICE_HOST',
      'PORT',
      'PORT_80_TCP_ADDR',
      'GRAPHQL_SERVICE_PORT_HTTP',
      'GRAPHQL_URL',
      'API_PORT_80_TCP',
    ])
      vi.stubEnv(`POSTMAN_${name}`, 'a');
    expect(readEnvironment().warnings).toEqual([
      'CACHE_TTL in .env is not a known variable; did you mean CACHE_TTL_MS?',
      'COMPOSE_FILE in .env is not a known variable',
      'NODE_OPTIONS in .env has no effect: set it in the environment of the process',
      'POSTMAN_APIKEY in .env is not a known variable; did you mean POSTMAN_API_KEY?',
      'host in .env is not a known variable; did you mean HOST?',
      'POSTMAN_BASE_URL is not a known variable; did you mean POSTMAN_API_BASE_URL?',
      'POSTMAN_COLLECTION is not a known variable',
    ]);
  });

  it('prefers proxy variables in lower case', () => {
    vi.stubEnv('https_proxy', 'http://small.test');
    vi.stubEnv('HTTPS_PROXY', 'http://large.test');
    vi.stubEnv('http_proxy', '');
    vi.stubEnv('HTTP_PROXY', 'http://large.test');
    vi.stubEnv('no_proxy', 'a.test');
    const { HTTPS_PROXY, HTTP_PROXY, NO_PROXY } = readEnvironment().values;
    expect([HTTPS_PROXY, HTTP_PROXY, NO_PROXY]).toEqual(['http://small.test', 'http://large.test', 'a.test']);
  });
});

describe('a secret', () => {
  const key = 'PMAK-canary';
  const read = () => {
    const { values, problems, warnings } = readEnvironment();
    const said = [...problems, ...warnings];
    expect(said.join()).not.toContain('canary');
    return [values['POSTMAN_API_KEY'], ...said];
  };

  it.each([
    [key, []],
    [`${key}\n`, []],
    [`\uFEFF${key}`, ['a byte order mark']],
    [` ${key}\t`, ['white space around it']],
    [`"${key}"`, ['quotes around it']],
    [` '${key}'\r\n`, ['white space around it', 'quotes around it']],
  ])('in the environment is cleaned: %j', (given, left) => {
    vi.stubEnv('POSTMAN_API_KEY', given);
    expect(read()).toEqual([key, ...(left.length > 0 ? [`POSTMAN_API_KEY: removed ${left.join(' and ')}`] : [])]);
  });

  it.each<[string, Buffer]>([
    ['without an end of line', Buffer.from(key)],
    ['with one', Buffer.from(`${key}\r\n`)],
    ['with a byte order mark', Buffer.from(`\uFEFF${key}\n`)],
    ['in UTF-16', Buffer.from(`\uFEFF${key}\r\n`, 'utf16le')],
  ])('is read from a file %s', (_what, bytes) => {
    writeFileSync('canary', bytes);
    vi.stubEnv('POSTMAN_API_KEY_FILE', join(folder, 'canary'));
    expect(read()).toEqual([key]);
  });

  it('is read unchanged from a file of several lines, for parseConfig to reject', () => {
    writeFileSync('canary', `${key}\n${key}\n`);
    vi.stubEnv('POSTMAN_API_KEY_FILE', 'canary');
    expect(read()).toEqual([`${key}\n${key}`]);
  });

  it.each<[string, string, () => void]>([
    ['is not there', 'cannot be read: ENOENT', () => undefined],
    ['is a folder', 'cannot be read: EISDIR', () => mkdirSync('canary')],
    ['is empty', 'is empty', () => writeFileSync('canary', '\uFEFF\r\n')],
    ['has no end', 'of more than 4096 bytes', () => symlinkSync('/dev/zero', 'canary')],
  ])('in a file that %s is a problem that shows neither path nor content', (_what, problem, prepare) => {
    prepare();
    vi.stubEnv('POSTMAN_API_KEY_FILE', 'canary');
    const said = read();
    expect(said[0]).toBeUndefined();
    expect(said[1]).toMatch(/^POSTMAN_API_KEY_FILE names a file /);
    expect(said[1]).toContain(problem);
  });

  it('in a file and in the variable is a problem', () => {
    writeFileSync('canary', key);
    vi.stubEnv('POSTMAN_API_KEY_FILE', 'canary');
    vi.stubEnv('POSTMAN_API_KEY', key);
    expect(read()).toEqual([key, 'POSTMAN_API_KEY_FILE is set, and so is POSTMAN_API_KEY: set only one of them']);
  });
});

describe('nearestName', () => {
  it.each([
    ['prot', ['port', 'sandbox-dir', 'help'], 'port'],
    ['MAX_STREAM', ['MAX_STREAMS', 'MAX_STREAMS_PER_KEY'], 'MAX_STREAMS'],
    ['OPERATION_TIMEOUT', ['UPSTREAM_TIMEOUT_MS', 'OPERATION_TIMEOUT_MS'], 'OPERATION_TIMEOUT_MS'],
    ['CACHE', ['CACHE_TTL_MS', 'CACHE_SWR_MS'], undefined],
    ['DATABASE_URL', variables.map(({ name }) => name), undefined],
  ])('of %s', (unknown, names, expected) => {
    expect(nearestName(unknown, names)).toBe(expected);
  });
});
