/**
 * The configuration. Exports `Config`, and `parseConfig`, which makes one from environment variables. `variables.ts`
 * lists the variables, `read-environment.ts` reads them, and `values.ts` checks them. This module may import types and
 * helpers of upstream, but nothing that is built from a configuration: no loaders, graph, dry run, server or sandbox.
 */
import { getHeapStatistics } from 'node:v8';
import { toMemoryLimits } from './memory-limits.ts';
import { toRedisConfig, toSharedCacheConfig } from './redis-config.ts';
import { type Environment, parseValues, type Values } from './values.ts';

// Twice what a stream takes while all of its calls wait.
const HEAP_BYTES_PER_STREAM = 4 * 1_048_576;

/** Everything that can be configured, checked. Times are in milliseconds, sizes in bytes. */
export type Config = Readonly<ReturnType<typeof parseConfig>>;

/**
 * Reads and checks a whole configuration. It lowers a default that exceeds a value that was set: RESERVED_CALLS under a
 * small RATE_LIMIT, OPERATION_TIMEOUT_MS under a small MAX_WAIT_MS.
 *
 * @param heapLimitBytes - V8's heap limit, from which the memory limits are derived. Default: that of this process.
 * @param earlierProblems - Those found while the environment was read; they are reported with those found here.
 * @throws {ConfigError} with every problem found.
 */
export function parseConfig(
  env: Environment,
  heapLimitBytes: number = getHeapStatistics().heap_size_limit,
  earlierProblems: readonly string[] = [],
) {
  const v = parseValues(env, earlierProblems);
  const memoryLimits = toMemoryLimits(heapLimitBytes);
  const isProduction = v.NODE_ENV === 'production';
  const isSet = (name: keyof typeof v) => Boolean(env[name]);
  const proxy = v.HTTPS_PROXY ?? v.HTTP_PROXY;
  const sandbox =
    v.SANDBOX_DIR !== undefined || (!isProduction && !isSet('POSTMAN_API_KEY') && !isSet('POSTMAN_API_BASE_URL'));
  return {
    isProduction,
    /** The embedded sandbox replaces Postman: `SANDBOX_DIR` is set, or outside production neither key nor base URL. */
    sandbox,
    /** Folder of exports that the sandbox serves, relative to the working directory. Absent: the example account. */
    ...(v.SANDBOX_DIR !== undefined && { sandboxDir: v.SANDBOX_DIR }),
    sandboxLimits: v.SANDBOX_LIMITS,
    /** The host is a name or an address; an IPv6 address has no brackets. Port 0 picks a free one. */
    listen: { host: v.HOST, port: v.PORT },
    /** Where metrics are served; absent: there are none. */
    ...(v.METRICS_PORT !== undefined && { metrics: { host: v.METRICS_HOST, port: v.METRICS_PORT } }),
    /** How long an idle client connection stays open. */
    keepAliveMs: v.KEEP_ALIVE_TIMEOUT_MS,
    access: {
      /** Every client must send one of these as `Authorization: Bearer`. Empty: no token is required. */
      tokens: v.ACCESS_TOKEN,
      /** A webhook that reports changes must have one of these. Empty: there are no webhooks. */
      webhookSecrets: v.WEBHOOK_SECRET,
      corsOrigins: v.CORS_ORIGINS,
      allowedHosts: v.ALLOWED_HOSTS,
      /** Addresses and subnets whose `X-Forwarded-For` is trusted. */
      trustedProxies: v.TRUSTED_PROXIES,
    },
    postman: {
      /** The key for requests that have none. */
      ...(v.POSTMAN_API_KEY && { apiKey: v.POSTMAN_API_KEY }),
      baseUrl: v.POSTMAN_API_BASE_URL,
      ...(proxy && { proxy: { ...proxy, noProxy: v.NO_PROXY } }),
      timeoutMs: v.UPSTREAM_TIMEOUT_MS,
      /** Of one body, after decompression. */
      maxResponseBytes: v.MAX_RESPONSE_BYTES,
      maxResponseValues: v.MAX_RESPONSE_VALUES,
      maxResponseBytesInFlight: v.MAX_RESPONSE_BYTES_IN_FLIGHT ?? memoryLimits.responseBytesInFlight,
    },
    budget: {
      ...toLimits(v, isSet('RATE_LIMIT')),
      reservedCalls: Math.min(v.RESERVED_CALLS, v.RATE_LIMIT - 1),
      maxConcurrentCalls: v.MAX_CONCURRENT_CALLS,
      // The sandbox starts with this process, so nothing has called it before.
      coldStart: sandbox ? 'off' : v.COLD_START,
      /** Heap memory for the budgets of all keys. */
      maxBytes: memoryLimits.budgetBytes,
    },
    /** Absent: each process has its own budgets. */
    ...toRedisConfig(v.REDIS_URL, v.TENANT_SECRET, v.BUDGET_WITHOUT_REDIS),
    operation: {
      timeoutMs: Math.min(v.OPERATION_TIMEOUT_MS, v.MAX_WAIT_MS),
      maxWaitMs: v.MAX_WAIT_MS,
      streamTimeoutMs: v.STREAM_TIMEOUT_MS,
      maxCalls: v.MAX_CALLS_PER_OPERATION,
      maxCallsPerStream: v.MAX_CALLS_PER_STREAM,
      /** Heap memory for the values of one result while it is executed. */
      maxResultBytes: memoryLimits.resultBytes,
      /** Memory for large results that have been written and not yet sent, of all operations. */
      maxWrittenBytes: memoryLimits.writtenBytes,
      maxStreams: v.MAX_STREAMS ?? Math.max(1, Math.floor(heapLimitBytes / HEAP_BYTES_PER_STREAM)),
      maxStreamsPerKey: v.MAX_STREAMS_PER_KEY,
      /** Heap memory of the Postman responses held by one operation, and by all operations. */
      maxHeldBytes: v.MAX_HELD_BYTES_PER_OPERATION ?? memoryLimits.heldBytesPerOperation,
      maxHeldBytesOfAll: v.MAX_HELD_BYTES ?? memoryLimits.heldBytes,
    },
    cache: toCache(v, memoryLimits),
    query: {
      maxDepth: v.MAX_QUERY_DEPTH,
      maxAliases: v.MAX_QUERY_ALIASES,
      maxTokens: v.MAX_QUERY_TOKENS,
      maxRequestBytes: v.MAX_REQUEST_BYTES,
      maxRequestBytesInFlight: v.MAX_REQUEST_BYTES_IN_FLIGHT ?? memoryLimits.requestBytesInFlight,
      documentCacheBytes: v.DOCUMENT_CACHE_MAX_BYTES ?? memoryLimits.documentCacheBytes,
      /** Heap memory for the automatic persisted queries of one API key, and of all keys. 0: none are stored. */
      persistedQueryBytesPerKey: v.PERSISTED_QUERIES_MAX_BYTES_PER_KEY,
      persistedQueryBytes: memoryLimits.persistedQueryBytes,
    },
    heapLimitBytes,
    ...toPersistedDocuments(v),
    revealSecrets: v.REVEAL_SECRETS,
    logLevel: v.LOG_LEVEL,
    ...toTraces(v),
    graphiql: isSet('GRAPHIQL') ? v.GRAPHIQL : !isProduction,
  };
}

function toLimits(v: Values, isCap: boolean) {
  return {
    /** `isCap`: the limit was set, so a higher one that Postman announces is ignored. */
    general: { limit: v.RATE_LIMIT, windowMs: v.RATE_LIMIT_WINDOW_MS, isCap },
    /** Absent if turned off. */
    ...(v.BURST_LIMIT > 0 && { burst: { limit: v.BURST_LIMIT, windowMs: v.BURST_LIMIT_WINDOW_MS } }),
  };
}

function toCache(v: Values, memoryLimits: ReturnType<typeof toMemoryLimits>) {
  return {
    /** 0: nothing is cached. */
    ttlMs: v.CACHE_TTL_MS,
    swrMs: v.CACHE_SWR_MS,
    staleIfErrorMs: v.CACHE_STALE_IF_ERROR_MS,
    renewMs: v.CACHE_RENEW_MS,
    maxBytes: v.CACHE_MAX_BYTES ?? memoryLimits.cacheBytes,
    /** `shared` is absent: each instance has its own cached responses. */
    ...toSharedCacheConfig(v.CACHE_REDIS_URL, v.REDIS_URL, v.TENANT_SECRET, v.CACHE_REDIS_TIMEOUT_MS),
  };
}

function toPersistedDocuments(v: Values) {
  if (v.PERSISTED_DOCUMENTS === undefined) return undefined;
  return {
    /** Documents that clients may request by id. `only`: no others are executed. */
    persistedDocuments: { file: v.PERSISTED_DOCUMENTS, only: v.PERSISTED_DOCUMENTS_ONLY },
  };
}

function toTraces(v: Values) {
  if (!v.OTEL_EXPORTER_OTLP_ENDPOINT) return undefined;
  return {
    /** Absent: operations are not traced. */
    traces: {
      /** Base address of the collector. */
      endpoint: v.OTEL_EXPORTER_OTLP_ENDPOINT,
      /** JSON of an object of values by name. */
      headers: v.OTEL_EXPORTER_OTLP_HEADERS,
      serviceName: v.OTEL_SERVICE_NAME,
      sampler: v.OTEL_TRACES_SAMPLER,
      /** Fraction of operations that a sampler by ratio traces. */
      ratio: v.OTEL_TRACES_SAMPLER_ARG,
    },
  };
}
