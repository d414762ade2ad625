import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { isLoopbackAddress } from '../config/addresses.ts';
import { createResponseCache } from '../upstream/cache/response-cache.ts';
import { createChangeMarks } from '../upstream/cache/changes/change-marks.ts';
import { createBudgetRegistry } from '../upstream/rate-limiter/budget-registry.ts';
import { createCalls } from '../upstream/calls/calls.ts';
import type { Clock } from '../upstream/clock.ts';
import { createHeldResponses } from '../upstream/calls/operation/held-responses.ts';
import { createHttpClient } from '../upstream/http/http-client.ts';
import { createExplainRefusedKey, type Upstream } from '../upstream/calls/api-keys/refused-keys.ts';
import { createKeyHasher } from '../upstream/calls/api-keys/key-hash.ts';
import { silentObserver, type UpstreamObserver } from '../upstream/observer.ts';
import { createSpentCalls } from './operation/spent-calls.ts';
import { combineObservers } from './telemetry/combine-observers.ts';
import { openSharedResponses, toSharedCacheMode } from './shared-responses.ts';
import { openSharedChanges } from './shared-changes.ts';
import { openSharedSlots } from './shared-slots.ts';
import { createTaskQueue } from '../upstream/http/body/large-body-queue.ts';
import { createCallerFinder } from './request-caller.ts';

// For all keys together. The limit per key is MAX_CONCURRENT_CALLS.
const MAX_CONNECTIONS = 4_096;

/**
 * Makes the parts of the process that call Postman or the sandbox: HTTP client, cache, calls, budgets.
 *
 * @param observers - Get the events of all of them.
 */
export async function createUpstream(
  config: Config,
  logger: Logger,
  clock: Clock,
  observers: readonly (UpstreamObserver | undefined)[],
) {
  const { apiKey, baseUrl, timeoutMs, maxResponseBytes, maxResponseValues, maxResponseBytesInFlight } = config.postman;
  // Calls to loopback never go through a proxy.
  const proxy = isLoopbackAddress(new URL(baseUrl).hostname) ? undefined : config.postman.proxy;
  if (proxy) logger.info({ proxy: proxy.url, noProxy: proxy.noProxy }, 'calls go through a proxy');
  const http = createHttpClient({
    origin: baseUrl,
    proxy,
    timeoutMs,
    limits: { maxBytes: maxResponseBytes, maxValues: maxResponseValues, maxHeapBytes: config.operation.maxHeldBytes },
    maxBytesInFlight: maxResponseBytesInFlight,
    maxConnections: MAX_CONNECTIONS,
    clock,
  });
  const spentCalls = createSpentCalls(clock);
  const observer = combineObservers([
    { ...silentObserver, onSettled: spentCalls.add },
    ...observers.filter((one) => one !== undefined),
  ]);
  const sharedSlots = await openSharedSlots(config, logger, clock, observer);
  const [keyHashSecret, formerSecret] = config.redis?.tenantSecrets ?? [];
  const hashKey = createKeyHasher(keyHashSecret);
  const serverKeyHash = apiKey && hashKey(apiKey);
  const marks = createChangeMarks();
  const cache = createResponseCache({ ...config.cache, marks, clock });
  const changeLog = openSharedChanges(config, sharedSlots.connection, marks, clock, observer);
  const isCurrent = changeLog?.isCurrent;
  const sharedResponses = await openSharedResponses(config, logger, clock, { onKeyDropped: cache.dropKey, isCurrent });
  const budgets = createBudgetRegistry({
    ...config.budget,
    createSlots: sharedSlots.createSlots,
    processStartedAtMs: clock.nowMs(),
    clock,
    observer,
  });
  const calls = createCalls({
    http,
    cache,
    ...sharedResponses,
    runTask: createTaskQueue().run,
    clock,
    random: Math.random,
    isTrusted: (keyHash) => keyHash === serverKeyHash,
    observer,
    explainRefusedKey: createExplainRefusedKey(upstreamOf(config)),
  });
  return {
    calls,
    cache,
    spentCalls,
    heldResponses: createHeldResponses({
      maxBytes: config.operation.maxHeldBytesOfAll,
      maxBytesPerOperation: config.operation.maxHeldBytes,
    }),
    findCaller: createCallerFinder({
      hashKey,
      formerHashKey: formerSecret && createKeyHasher(formerSecret),
      budgets,
      serverKey: apiKey,
    }),
    /** Outdates the cached responses of all instances that show one of these subjects. */
    reportChange(subjects: readonly string[]) {
      marks.mark(subjects, clock.nowMs());
      changeLog?.publish(subjects);
    },
    /** Whether the circuit breaker of all calls, or that of calls with the server's key, is open. */
    isCircuitOpen: () => calls.circuitBreakers.isOpen(serverKeyHash ?? ''),
    /** What metrics read at each scrape. */
    state: {
      budgets,
      cacheUsage: cache.usage,
      openCircuits: calls.circuitBreakers.openCircuits,
      limiterMode: sharedSlots.mode,
      sharedCacheMode: () => toSharedCacheMode(sharedResponses?.sharedCache),
    },
    async close() {
      changeLog?.close();
      await http.close();
      await Promise.all([sharedSlots.close(), sharedResponses?.sharedCache.close()]);
    },
  };
}

function upstreamOf({ sandbox, sandboxDir, postman }: Config): Upstream {
  if (!sandbox) return { origin: postman.baseUrl };
  return sandboxDir === undefined ? 'exampleAccount' : 'exports';
}
