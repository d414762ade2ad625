import type { z } from 'zod';
import { isLoopbackAddress } from './addresses.ts';
import type { Rule } from './rule.ts';
import { type Name, table } from './variables.ts';

/** The parsed values of all variables. */
export type Values = { [N in Name]: z.output<(typeof table)[N]['schema']> };
/** Unparsed texts by variable name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration is invalid. `message` has the problems, one per line, and no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Parses all variables, each by its rule. An empty variable counts as unset.
 *
 * @param earlierProblems - Those found while the environment was read; they are reported with those found here.
 * @throws {ConfigError} with every problem found.
 */
export function parseValues(env: Environment, earlierProblems: readonly string[]): Values {
  const values: Record<string, unknown> = {};
  const problems = [...earlierProblems];
  for (const [name, rule] of Object.entries<Rule>(table)) {
    const text = env[name] || rule.default;
    const result = rule.schema.safeParse(text, { reportInput: true });
    if (result.success) {
      values[name] = result.data;
    } else {
      const { issues } = result.error;
      // Of a list, show only the wrong items; of a secret, only the reason.
      const wrong = issues.map(({ input }) => toShown(typeof input === 'string' ? input : text, env));
      const reasons = issues.map(({ message }) => message).filter((message) => message.startsWith('it '));
      const fault = rule.isSecret ? ['is a value that is not shown', ...reasons].join(': ') : `is ${wrong.join(', ')}`;
      problems.push(toProblem(name, fault, rule));
    }
  }
  problems.push(...findContradictions(env, values));
  if (problems.length > 0) throw new ConfigError(problems);
  return values as Values;
}

/** Compares the valid values. Invalid ones are missing here; they have been reported already. */
function findContradictions(env: Environment, values: Partial<Values>): string[] {
  const problems: string[] = [];
  const contradict = (name: Name, fault: string, allowed: string) =>
    problems.push(toProblem(name, fault, { ...table[name], allowed }));

  const { ACCESS_TOKEN = [], WEBHOOK_SECRET = [], HOST = 'localhost', SANDBOX_LIMITS } = values;
  const { PERSISTED_DOCUMENTS_ONLY, PERSISTED_QUERIES_MAX_BYTES_PER_KEY = 0 } = values;
  const { RATE_LIMIT = Number.POSITIVE_INFINITY, MAX_WAIT_MS = Number.POSITIVE_INFINITY } = values;
  const { RESERVED_CALLS = 0, OPERATION_TIMEOUT_MS = 0 } = values;
  const exposed = env.POSTMAN_API_KEY
    ? { name: 'POSTMAN_API_KEY', danger: 'everyone could read data with this key' }
    : { name: 'SANDBOX_DIR', danger: 'everyone could read these exports' };
  const hasToken = env.ACCESS_TOKEN || env.ACCESS_TOKEN_FILE;
  if (env[exposed.name] && !hasToken && !isLoopbackAddress(HOST)) {
    const reason = `while ${exposed.name} is set and HOST ${JSON.stringify(HOST)} is not loopback: ${exposed.danger}`;
    contradict('ACCESS_TOKEN', `is unset ${reason}`, table.ACCESS_TOKEN.allowed);
  }
  if (env.POSTMAN_API_KEY && ACCESS_TOKEN.some((token) => token.reveal() === env.POSTMAN_API_KEY)) {
    contradict('ACCESS_TOKEN', 'is the same as POSTMAN_API_KEY: every client would have the key', 'another secret');
  }
  const otherSecrets = [env.POSTMAN_API_KEY, ...ACCESS_TOKEN.map((token) => token.reveal())];
  if (WEBHOOK_SECRET.some((webhookSecret) => otherSecrets.includes(webhookSecret.reveal()))) {
    const fault =
      'is the same as POSTMAN_API_KEY or ACCESS_TOKEN: everyone who sees the webhook in Postman would have it';
    contradict('WEBHOOK_SECRET', fault, 'another secret');
  }
  const accounts = (['POSTMAN_API_KEY', 'POSTMAN_API_BASE_URL'] as const).filter((name) => env[name]);
  if (env.SANDBOX_DIR && accounts.length > 0) {
    const names = accounts.join(' and ');
    contradict('SANDBOX_DIR', `is set, and so is ${names}: these are two accounts`, 'one of them, not both');
  }
  if (env.REDIS_URL && !env.TENANT_SECRET) {
    contradict('TENANT_SECRET', 'is unset, but REDIS_URL requires it', table.TENANT_SECRET.allowed);
  } else if (env.CACHE_REDIS_URL && values.CACHE_REDIS_URL !== 'off' && !env.TENANT_SECRET) {
    contradict('TENANT_SECRET', 'is unset, but CACHE_REDIS_URL requires it', table.TENANT_SECRET.allowed);
  }
  if (PERSISTED_DOCUMENTS_ONLY === true && !env.PERSISTED_DOCUMENTS) {
    contradict('PERSISTED_DOCUMENTS_ONLY', 'is on, but there are none', 'on only with PERSISTED_DOCUMENTS');
  }
  if (PERSISTED_DOCUMENTS_ONLY === true && PERSISTED_QUERIES_MAX_BYTES_PER_KEY > 0) {
    const fault = 'is set, but PERSISTED_DOCUMENTS_ONLY allows no other documents';
    contradict('PERSISTED_QUERIES_MAX_BYTES_PER_KEY', fault, '0 with PERSISTED_DOCUMENTS_ONLY');
  }
  if (SANDBOX_LIMITS === true && !env.SANDBOX_DIR) {
    contradict('SANDBOX_LIMITS', 'is on, but has no effect without SANDBOX_DIR', 'on only with SANDBOX_DIR');
  }
  if (env.RESERVED_CALLS && RESERVED_CALLS >= RATE_LIMIT) {
    contradict('RESERVED_CALLS', `is "${RESERVED_CALLS}"`, `less than RATE_LIMIT, which is ${RATE_LIMIT}`);
  }
  if (env.OPERATION_TIMEOUT_MS && OPERATION_TIMEOUT_MS > MAX_WAIT_MS) {
    contradict('OPERATION_TIMEOUT_MS', `is "${OPERATION_TIMEOUT_MS}"`, `at most MAX_WAIT_MS, which is ${MAX_WAIT_MS}`);
  }
  return problems;
}

function toProblem(name: string, fault: string, rule: Rule): string {
  const byDefault = rule.isDerived ? 'derived from the heap limit' : (rule.default ?? 'none');
  return `${name} ${fault}; allowed: ${rule.allowed}; default: ${byDefault}`;
}

/** Formats a value for a message: one line, not too long, and without any secret or password of a URL. */
function toShown(given: string | undefined, env: Environment): string {
  let shown = given ?? '';
  for (const [name, { isSecret }] of Object.entries<Rule>(table)) {
    for (const hidden of (isSecret && env[name]?.split(',')) || [])
      if (hidden !== '') shown = shown.replaceAll(hidden, '[redacted]');
  }
  shown = shown.replace(/PM(?:AK|AT)-[\w-]+/gi, '[redacted]').replace(/\/\/.*@/, '//[redacted]@');
  return JSON.stringify(shown.length > 100 ? `${shown.slice(0, 100)}…` : shown);
}
