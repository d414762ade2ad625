import { getHeapStatistics } from 'node:v8';
import { toMemoryShares } from './memory-shares.ts';
import { toRedisConfig } from './redis-config.ts';
import { type Environment, parseValues } from './values.ts';

// What one takes that waits for all it may ask for, twice over.
const HEAP_BYTES_PER_STREAM = 4 * 1_048_576;

/** Everything that can be configured, checked. Times are in milliseconds, sizes in bytes. */
export type Config = Readonly<ReturnType<typeof parseConfig>>;

/**
 * Reads and checks a whole configuration. A default that does not fit what was set (RESERVED_CALLS under a small RATE_LIMIT, OPERATION_TIMEOUT_MS under a
 * small MAX_WAIT_MS) is lowered.
 *
 * @param heapLimitBytes - Where V8 gives up.
 * @param known - Problems of what could not even be read, which are reported with those found here.
 * @throws {ConfigError} with every problem found.
 */
export function parseConfig(
  env: Environment,
  heapLimitBytes: number = getHeapStatistics().heap_size_limit,
  known: readonly string[] = [],
) {
  const v = parseValues(env, known);
  const memoryShares = toMemoryShares(heapLimitBytes);
  const isProduction = v.NODE_ENV === 'production';
  const isSet = (name: keyof typeof v) => Boolean(env[name]);
  const proxy = v.HTTPS_PROXY ?? v.HTTP_PROXY;
  const sandbox =
    v.SANDBOX_DIR !== undefined || (!isProduction && !isSet('POSTMAN_API_KEY') && !isSet('POSTMAN_API_BASE_URL'));
  return {
    /** `NODE_ENV` is `production`. */
    isProduction,
    /** The embedded sandbox answers: neither key nor base URL is set, and this is not production or an account is named. */
    sandbox,
    /** Folder of the exports that the sandbox serves; without it the example account. Relative to the working directory. */
    ...(v.SANDBOX_DIR !== undefined && { sandboxDir: v.SANDBOX_DIR }),
    sandboxLimits: v.SANDBOX_LIMITS,
    /** Names and addresses only; an IPv6 address stands without brackets. Port 0 picks a free one. */
    listen: { host: v.HOST, port: v.PORT },
    /** How long a connection of a client is kept for its next request. */
    keepAliveMs: v.KEEP_ALIVE_TIMEOUT_MS,
    access: {
      /** One of these every client must send as `Authorization: Bearer`; where there is none, nothing is asked for. */
      tokens: v.ACCESS_TOKEN,
      corsOrigins: v.CORS_ORIGINS,
      allowedHosts: v.ALLOWED_HOSTS,
      /** Addresses and subnets whose `X-Forwarded-For` is believed. */
      trustedProxies: v.TRUSTED_PROXIES,
    },
    postman: {
      /** The server's own key. */
      ...(v.POSTMAN_API_KEY && { apiKey: v.POSTMAN_API_KEY }),
      baseUrl: v.POSTMAN_API_BASE_URL,
      ...(proxy && { proxy: { ...proxy, noProxy: v.NO_PROXY } }),
      timeoutMs: v.UPSTREAM_TIMEOUT_MS,
      /** Of one body, after decompression. */
      maxResponseBytes: v.MAX_RESPONSE_BYTES,
      maxResponseValues: v.MAX_RESPONSE_VALUES,
      maxResponseBytesInFlight: v.MAX_RESPONSE_BYTES_IN_FLIGHT ?? memoryShares.responseBytesInFlight,
    },
    budget: {
      /** `isCap`: the limit was set, and a higher one that upstream announces is not followed. */
      general: { limit: v.RATE_LIMIT, windowMs: v.RATE_LIMIT_WINDOW_MS, isCap: isSet('RATE_LIMIT') },
      /** Absent when turned off. */
      ...(v.BURST_LIMIT > 0 && { burst: { limit: v.BURST_LIMIT, windowMs: v.BURST_LIMIT_WINDOW_MS } }),
      reservedCalls: Math.min(v.RESERVED_CALLS, v.RATE_LIMIT - 1),
      maxConcurrentCalls: v.MAX_CONCURRENT_CALLS,
      // Its account begins with the process.
      coldStart: sandbox ? 'off' : v.COLD_START,
      /** What the budgets of all keys may take on the heap. */
      maxBytes: memoryShares.budgetBytes,
    },
    /** Absent: the budget is this process's alone. */
    ...toRedisConfig(v.REDIS_URL, v.TENANT_SECRET, v.BUDGET_WITHOUT_REDIS),
    operation: {
      timeoutMs: Math.min(v.OPERATION_TIMEOUT_MS, v.MAX_WAIT_MS),
      maxWaitMs: v.MAX_WAIT_MS,
      streamTimeoutMs: v.STREAM_TIMEOUT_MS,
      maxCalls: v.MAX_CALLS_PER_OPERATION,
      maxCallsPerStream: v.MAX_CALLS_PER_STREAM,
      /** What the values of one answer may take on the heap while it is made. */
      maxResultBytes: memoryShares.answerBytes,
      /** What large answers may take that have been written and not yet been taken, over all operations. */
      maxWrittenBytes: memoryShares.writtenBytes,
      maxStreams: v.MAX_STREAMS ?? Math.max(1, Math.floor(heapLimitBytes / HEAP_BYTES_PER_STREAM)),
      maxStreamsPerKey: v.MAX_STREAMS_PER_KEY,
      /** What the answers take on the heap that one operation is given, and all operations together. */
      maxHeldBytes: v.MAX_HELD_BYTES_PER_OPERATION ?? memoryShares.heldBytesPerOperation,
      maxHeldBytesOfAll: v.MAX_HELD_BYTES ?? memoryShares.heldBytes,
    },
    cache: {
      /** 0: nothing is cached. */
      ttlMs: v.CACHE_TTL_MS,
      swrMs: v.CACHE_SWR_MS,
      staleIfErrorMs: v.CACHE_STALE_IF_ERROR_MS,
      renewMs: v.CACHE_RENEW_MS,
      maxBytes: v.CACHE_MAX_BYTES ?? memoryShares.cacheBytes,
    },
    query: {
      maxDepth: v.MAX_QUERY_DEPTH,
      maxAliases: v.MAX_QUERY_ALIASES,
      maxTokens: v.MAX_QUERY_TOKENS,
      maxRequestBytes: v.MAX_REQUEST_BYTES,
      maxRequestBytesInFlight: v.MAX_REQUEST_BYTES_IN_FLIGHT ?? memoryShares.requestBytesInFlight,
      documentCacheBytes: v.DOCUMENT_CACHE_MAX_BYTES ?? memoryShares.documentCacheBytes,
    },
    /** Where V8 gives up: what is not configured of memory is a share of it. */
    heapLimitBytes,
    /** Documents that clients may name. `only`: no other is executed. */
    ...(v.PERSISTED_DOCUMENTS !== undefined && {
      persistedDocuments: { file: v.PERSISTED_DOCUMENTS, only: v.PERSISTED_DOCUMENTS_ONLY },
    }),
    revealSecrets: v.REVEAL_SECRETS,
    logLevel: v.LOG_LEVEL,
    graphiql: isSet('GRAPHIQL') ? v.GRAPHIQL : !isProduction,
  };
}
