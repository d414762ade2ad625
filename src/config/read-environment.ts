import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError, type Environment } from './values.ts';
import { variables } from './variables.ts';
import { nearestName } from './nearest-name.ts';
import { readSecretFile, readText } from './read-text.ts';
import { cleanSecret } from './secret-text.ts';

const names = variables.map(({ name }) => name);
const knownNames: ReadonlySet<string> = new Set(names);
// These are often written in lower case. If both forms are set, the one in lower case counts.
const PROXY_NAMES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'] as const;
const SECRET_NAMES = [
  'POSTMAN_API_KEY',
  'ACCESS_TOKEN',
  'WEBHOOK_SECRET',
  'REDIS_URL',
  'CACHE_REDIS_URL',
  'TENANT_SECRET',
] as const;
// Read by Node at its own start, so they have no effect in .env.
const NODE_NAMES = /^(?:NODE_(?!ENV$)|UV_|SSL_CERT_|OPENSSL_|TZ$)/;
// Variables that the examples read, and those that Kubernetes adds for a service whose name begins with "postman".
const FOREIGN_NAMES = /^POSTMAN_(?:GRAPHQL_|(?:[A-Z\d_]+_)?(?:SERVICE_(?:HOST|PORT)|PORT(?:_|$)))/;

/**
 * Reads the environment of the process, which overrides a `.env` file in the working directory, and the files named by
 * `POSTMAN_API_KEY_FILE`, `ACCESS_TOKEN_FILE`, `WEBHOOK_SECRET_FILE`, `REDIS_URL_FILE`, `CACHE_REDIS_URL_FILE` and
 * `TENANT_SECRET_FILE`.
 *
 * @param overrides - Values that override both.
 * @returns The values; problems, each of which names the variable whose file cannot be used; warnings about probable
 *   mistakes, for the log; and the absolute path of the `.env` file, if there is one.
 * @throws {ConfigError} If there is a `.env` that cannot be read.
 */
export function readEnvironment(overrides: Environment = {}) {
  const file = readEnvFile();
  const values: Record<string, string | undefined> = { ...file, ...process.env, ...overrides };
  const warnings = [
    ...Object.keys(file ?? {})
      .toSorted()
      .filter((name) => !knownNames.has(name) && !isProxyName(name))
      .map((name) => toWarning(name, ' in .env')),
    ...Object.keys(process.env)
      .toSorted()
      .filter((name) => name.startsWith('POSTMAN_') && !knownNames.has(name) && !FOREIGN_NAMES.test(name))
      .map((name) => toWarning(name, '')),
  ];
  const problems: string[] = [];
  for (const name of PROXY_NAMES) values[name] = values[name.toLowerCase()] || values[name];
  for (const name of SECRET_NAMES) {
    const path = values[`${name}_FILE`];
    if (path) {
      try {
        if (values[name]) throw new Error(`is set, and so is ${name}: set only one of them`);
        values[name] = readSecretFile(path);
      } catch (error) {
        problems.push(`${name}_FILE ${(error as Error).message}`);
      }
    }
    const given = values[name];
    if (!given) continue;
    const { text, removed } = cleanSecret(given);
    // A blank value stays as it is: as an empty text it would count as unset.
    if (text !== '') values[name] = text;
    if (removed.length > 0) warnings.push(`${name}: removed ${removed.join(' and ')}`);
  }
  return { values, problems, warnings, ...(file && { envFile: resolve('.env') }) };
}

function isProxyName(name: string): boolean {
  return PROXY_NAMES.some((known) => known === name.toUpperCase());
}

function toWarning(name: string, where: string): string {
  if (NODE_NAMES.test(name)) return `${name}${where} has no effect: set it in the environment of the process`;
  const nearest = nearestName(name, names);
  return `${name}${where} is not a known variable${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
}

function readEnvFile(): Environment | undefined {
  try {
    return parseEnv(readText('.env'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    const reason = code === 'EISDIR' ? 'it is a folder' : String(code ?? error);
    throw new ConfigError([`.env cannot be read: ${reason}`]);
  }
}
