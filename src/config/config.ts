import { getHeapStatistics } from 'node:v8';
import type { z } from 'zod';
import { type Rule, table } from './config-table.ts';
import { isLoopbackAddress } from '../loopback.ts';
import { toMemoryShares } from './memory-shares.ts';
import type { ColdStart } from '../upstream/probe-gate.ts';
import type { ProxySettings } from '../upstream/proxy.ts';
import type { Secret } from '../upstream/secret.ts';

/** Everything that can be configured, checked. Times are in milliseconds, sizes in bytes. */
export interface Config {
  /** `NODE_ENV` is `production`. */
  readonly isProduction: boolean;
  /** The embedded sandbox answers: neither key nor base URL is set, and this is not production or an account is named. */
  readonly sandbox: boolean;
  /** Folder of the exports that the sandbox serves; without it the example account. Relative to the working directory. */
  readonly sandboxDir?: string;
  /** An account served from `SANDBOX_DIR` has rate limits. */
  readonly sandboxLimits: boolean;
  /** Names and addresses only; an IPv6 address stands without brackets. Port 0 picks a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** How long a connection of a client is kept for its next request. */
  readonly keepAliveMs: number;
  readonly access: {
    /** One of these every client must send as `Authorization: Bearer`; where there is none, nothing is asked for. */
    readonly tokens: readonly Secret[];
    /** Origins as a browser sends them, without trailing slash. */
    readonly corsOrigins: readonly string[];
    /** Host names, with or without port, that a server on loopback answers to besides loopback. */
    readonly allowedHosts: readonly string[];
    /** Addresses and subnets whose `X-Forwarded-For` is believed. */
    readonly trustedProxies: readonly string[];
  };
  readonly postman: {
    /** The server's own key. */
    readonly apiKey?: Secret;
    /** An origin, without trailing slash. */
    readonly baseUrl: string;
    readonly proxy?: ProxySettings;
    readonly timeoutMs: number;
    /** Of one body; the bytes are counted after decompression. */
    readonly maxResponseBytes: number;
    readonly maxResponseValues: number;
    readonly maxResponseBytesInFlight: number;
  };
  readonly budget: {
    /** `isCap`: the limit was set, and a higher one that upstream announces is not followed. */
    readonly general: { readonly limit: number; readonly windowMs: number; readonly isCap: boolean };
    /** Absent when turned off. */
    readonly burst?: { readonly limit: number; readonly windowMs: number };
    /** Always less than the general limit. */
    readonly reservedCalls: number;
    readonly maxConcurrentCalls: number;
    readonly coldStart: ColdStart;
    /** What the budgets of all keys may take on the heap. */
    readonly maxBytes: number;
  };
  readonly operation: {
    /** Never more than `maxWaitMs`. */
    readonly timeoutMs: number;
    readonly maxWaitMs: number;
    readonly streamTimeoutMs: number;
    readonly maxCalls: number;
    readonly maxCallsPerStream: number;
    /** What the values of one answer may take on the heap while it is made. */
    readonly maxAnswerBytes: number;
    /** What large answers may take that have been written and not yet been taken, over all operations. */
    readonly maxWrittenBytes: number;
    /** Operations delivered in parts that may be open at once: of all keys, and of one. */
    readonly maxStreams: number;
    readonly maxStreamsPerKey: number;
    /** What the answers take on the heap that one operation is given. */
    readonly maxHeldBytes: number;
    /** The same over all operations. */
    readonly maxHeldBytesOfAll: number;
  };
  /** `ttlMs` 0: nothing is kept. */
  readonly cache: {
    readonly ttlMs: number;
    readonly swrMs: number;
    readonly staleIfErrorMs: number;
    readonly renewMs: number;
    readonly maxBytes: number;
  };
  readonly query: {
    readonly maxDepth: number;
    readonly maxAliases: number;
    readonly maxTokens: number;
    readonly maxRequestBytes: number;
    /** What all requests may take that are being read or answered. */
    readonly maxRequestBytesInFlight: number;
    readonly documentCacheBytes: number;
  };
  /** Where V8 gives up: what is not configured of memory is a share of it. */
  readonly heapLimitBytes: number;
  /** Documents that clients may name. `only`: no other is executed. */
  readonly persistedDocuments?: { readonly file: string; readonly only: boolean };
  readonly revealSecrets: boolean;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly graphiql: boolean;
}

// What one takes that waits for all it may ask for, twice over.
const HEAP_BYTES_PER_STREAM = 4 * 1_048_576;

/** A configuration that cannot be used. `message` is the problems, one per line; no secret is in it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** One environment variable as documentation shows it; `default` is the text that would set it, empty for none. */
export interface Variable {
  readonly name: string;
  readonly default: string;
  readonly unit?: string;
  readonly description: string;
  /** The default is a share of the heap limit of the process. */
  readonly isDerived?: true;
}

/** Every variable that is read, in the order of the documentation. */
export const variables: readonly Variable[] = Object.entries<Rule>(table).map(([name, rule]) => ({
  name,
  default: rule.default,
  ...(rule.unit !== undefined && { unit: rule.unit }),
  description: rule.description,
  ...(rule.isDerived && { isDerived: true }),
}));

type Name = keyof typeof table;
type Values = { [N in Name]: z.output<(typeof table)[N]['schema']> };
/** Texts by name of variable. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks a whole configuration. An empty variable is an unset one. A default that does not fit what was set
 * (RESERVED_CALLS under a small RATE_LIMIT, OPERATION_TIMEOUT_MS under a small MAX_WAIT_MS) is lowered.
 *
 * @param heapLimitBytes - Where V8 gives up.
 * @param known - Problems of what could not even be read, which are told with those found here.
 * @throws {ConfigError} with every problem found.
 */
export function parseConfig(
  env: Environment,
  heapLimitBytes: number = getHeapStatistics().heap_size_limit,
  known: readonly string[] = [],
): Config {
  const { values: v, problems } = readValues(env);
  problems.unshift(...known);
  problems.push(...findContradictions(env, v));
  if (problems.length > 0 || !isComplete(v)) throw new ConfigError(problems);

  const shares = toMemoryShares(heapLimitBytes);
  const isProduction = v.NODE_ENV === 'production';
  const isSet = (name: Name) => Boolean(env[name]);
  const proxy = v.HTTPS_PROXY ?? v.HTTP_PROXY;
  const sandbox =
    v.SANDBOX_DIR !== undefined || (!isProduction && !isSet('POSTMAN_API_KEY') && !isSet('POSTMAN_API_BASE_URL'));
  return {
    isProduction,
    sandbox,
    ...(v.SANDBOX_DIR !== undefined && { sandboxDir: v.SANDBOX_DIR }),
    sandboxLimits: v.SANDBOX_LIMITS,
    listen: { host: v.HOST, port: v.PORT },
    keepAliveMs: v.KEEP_ALIVE_TIMEOUT_MS,
    access: {
      tokens: v.ACCESS_TOKEN,
      corsOrigins: v.CORS_ORIGINS,
      allowedHosts: v.ALLOWED_HOSTS,
      trustedProxies: v.TRUSTED_PROXIES,
    },
    postman: {
      ...(v.POSTMAN_API_KEY && { apiKey: v.POSTMAN_API_KEY }),
      baseUrl: v.POSTMAN_API_BASE_URL,
      ...(proxy && { proxy: { ...proxy, noProxy: v.NO_PROXY } }),
      timeoutMs: v.UPSTREAM_TIMEOUT_MS,
      maxResponseBytes: v.MAX_RESPONSE_BYTES,
      maxResponseValues: v.MAX_RESPONSE_VALUES,
      maxResponseBytesInFlight: v.MAX_RESPONSE_BYTES_IN_FLIGHT ?? shares.responseBytesInFlight,
    },
    budget: {
      general: { limit: v.RATE_LIMIT, windowMs: v.RATE_LIMIT_WINDOW_MS, isCap: isSet('RATE_LIMIT') },
      ...(v.BURST_LIMIT > 0 && { burst: { limit: v.BURST_LIMIT, windowMs: v.BURST_LIMIT_WINDOW_MS } }),
      reservedCalls: Math.min(v.RESERVED_CALLS, v.RATE_LIMIT - 1),
      maxConcurrentCalls: v.MAX_CONCURRENT_CALLS,
      // Its account begins with the process.
      coldStart: sandbox ? 'off' : v.COLD_START,
      maxBytes: shares.budgetBytes,
    },
    operation: {
      timeoutMs: Math.min(v.OPERATION_TIMEOUT_MS, v.MAX_WAIT_MS),
      maxWaitMs: v.MAX_WAIT_MS,
      streamTimeoutMs: v.STREAM_TIMEOUT_MS,
      maxCalls: v.MAX_CALLS_PER_OPERATION,
      maxCallsPerStream: v.MAX_CALLS_PER_STREAM,
      maxAnswerBytes: shares.answerBytes,
      maxWrittenBytes: shares.writtenBytes,
      maxStreams: v.MAX_STREAMS ?? Math.max(1, Math.floor(heapLimitBytes / HEAP_BYTES_PER_STREAM)),
      maxStreamsPerKey: v.MAX_STREAMS_PER_KEY,
      maxHeldBytes: v.MAX_HELD_BYTES_PER_OPERATION ?? shares.heldBytesPerOperation,
      maxHeldBytesOfAll: v.MAX_HELD_BYTES ?? shares.heldBytes,
    },
    cache: {
      ttlMs: v.CACHE_TTL_MS,
      swrMs: v.CACHE_SWR_MS,
      staleIfErrorMs: v.CACHE_STALE_IF_ERROR_MS,
      renewMs: v.CACHE_RENEW_MS,
      maxBytes: v.CACHE_MAX_BYTES ?? shares.cacheBytes,
    },
    query: {
      maxDepth: v.MAX_QUERY_DEPTH,
      maxAliases: v.MAX_QUERY_ALIASES,
      maxTokens: v.MAX_QUERY_TOKENS,
      maxRequestBytes: v.MAX_REQUEST_BYTES,
      maxRequestBytesInFlight: v.MAX_REQUEST_BYTES_IN_FLIGHT ?? shares.requestBytesInFlight,
      documentCacheBytes: v.DOCUMENT_CACHE_MAX_BYTES ?? shares.documentCacheBytes,
    },
    heapLimitBytes,
    ...(v.PERSISTED_DOCUMENTS !== undefined && {
      persistedDocuments: { file: v.PERSISTED_DOCUMENTS, only: v.PERSISTED_DOCUMENTS_ONLY },
    }),
    revealSecrets: v.REVEAL_SECRETS,
    logLevel: v.LOG_LEVEL,
    graphiql: isSet('GRAPHIQL') ? v.GRAPHIQL : !isProduction,
  };
}

function readValues(env: Environment): { values: Partial<Values>; problems: string[] } {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, rule] of Object.entries<Rule>(table)) {
    const text = env[name] || rule.default || undefined;
    const result = rule.schema.safeParse(text, { reportInput: true });
    if (result.success) {
      values[name] = result.data;
    } else {
      const { issues } = result.error;
      // In a list the wrong items alone are named, and of a secret the reason.
      const wrong = issues.map(({ input }) => toShown(typeof input === 'string' ? input : text, env));
      const reasons = issues.map(({ message }) => message).filter((message) => message.startsWith('it '));
      const given = rule.isSecret ? ['is a value that is not shown', ...reasons].join(': ') : `is ${wrong.join(', ')}`;
      problems.push(toProblem(name, given, rule));
    }
  }
  return { values: values, problems };
}

/** Each variable on its own is fine or has been reported; this compares them. */
function findContradictions(env: Environment, values: Partial<Values>): string[] {
  const problems: string[] = [];
  const contradict = (name: Name, given: string, allowed: string) =>
    problems.push(toProblem(name, given, { ...table[name], allowed }));

  const {
    ACCESS_TOKEN,
    HOST,
    RATE_LIMIT,
    RESERVED_CALLS,
    OPERATION_TIMEOUT_MS,
    MAX_WAIT_MS,
    SANDBOX_LIMITS,
    PERSISTED_DOCUMENTS_ONLY,
  } = values;
  const opened = env.POSTMAN_API_KEY
    ? { name: 'POSTMAN_API_KEY', danger: 'everybody could read with that key' }
    : { name: 'SANDBOX_DIR', danger: 'everybody could read these exports' };
  const hasToken = env.ACCESS_TOKEN || env.ACCESS_TOKEN_FILE;
  if (env[opened.name] && !hasToken && HOST !== undefined && !isLoopbackAddress(HOST)) {
    const danger = `while ${opened.name} is set and HOST ${JSON.stringify(HOST)} is not loopback: ${opened.danger}`;
    contradict('ACCESS_TOKEN', `is unset ${danger}`, table.ACCESS_TOKEN.allowed);
  }
  if (env.POSTMAN_API_KEY && ACCESS_TOKEN?.some((token) => token.reveal() === env.POSTMAN_API_KEY)) {
    contradict('ACCESS_TOKEN', 'is the same as POSTMAN_API_KEY: every client would have the key', 'another secret');
  }
  const accounts = (['POSTMAN_API_KEY', 'POSTMAN_API_BASE_URL'] as const).filter((name) => env[name]);
  if (env.SANDBOX_DIR && accounts.length > 0) {
    const names = accounts.join(' and ');
    contradict('SANDBOX_DIR', `is set, and so is ${names}: these are two accounts`, 'one of them, not both');
  }
  if (PERSISTED_DOCUMENTS_ONLY === true && !env.PERSISTED_DOCUMENTS) {
    contradict('PERSISTED_DOCUMENTS_ONLY', 'is on, and there are none', 'on beside PERSISTED_DOCUMENTS, else off');
  }
  if (SANDBOX_LIMITS === true && !env.SANDBOX_DIR) {
    contradict('SANDBOX_LIMITS', 'is on, which only matters with SANDBOX_DIR', 'on beside SANDBOX_DIR, else off');
  }
  if (env.RESERVED_CALLS && RESERVED_CALLS !== undefined && RATE_LIMIT !== undefined && RESERVED_CALLS >= RATE_LIMIT) {
    contradict('RESERVED_CALLS', `is "${RESERVED_CALLS}"`, `less than RATE_LIMIT, which is ${RATE_LIMIT}`);
  }
  if (
    env.OPERATION_TIMEOUT_MS &&
    OPERATION_TIMEOUT_MS !== undefined &&
    MAX_WAIT_MS !== undefined &&
    OPERATION_TIMEOUT_MS > MAX_WAIT_MS
  ) {
    contradict('OPERATION_TIMEOUT_MS', `is "${OPERATION_TIMEOUT_MS}"`, `at most MAX_WAIT_MS, which is ${MAX_WAIT_MS}`);
  }
  return problems;
}

function isComplete(values: Partial<Values>): values is Values {
  return Object.keys(table).every((name) => Object.hasOwn(values, name));
}

function toProblem(name: string, given: string, rule: Rule): string {
  return `${name} ${given}; allowed: ${rule.allowed}; default: ${rule.isDerived ? 'derived from the heap limit' : rule.default || 'none'}`;
}

/** A value as a message may show it: on one line, not too long, without a password in a URL and without our own secrets. */
function toShown(given: string | undefined, env: Environment): string {
  let shown = given ?? '';
  for (const [name, { isSecret }] of Object.entries<Rule>(table)) {
    for (const hidden of (isSecret && env[name]?.split(',')) || [])
      if (hidden !== '') shown = shown.replaceAll(hidden, '[redacted]');
  }
  shown = shown.replace(/PM(?:AK|AT)-[\w-]+/gi, '[redacted]').replace(/\/\/.*@/, '//[redacted]@');
  return JSON.stringify(shown.length > 100 ? `${shown.slice(0, 100)}…` : shown);
}
