import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { isLoopbackAddress } from '../config/addresses.ts';
import { createAnswerCache } from '../upstream/cache/response-cache.ts';
import { createBudgets } from '../upstream/rate-limiter/budget-registry.ts';
import { createCalls } from '../upstream/calls/calls.ts';
import type { Clock } from '../upstream/clock.ts';
import { createHeldAnswers } from '../upstream/calls/operation/held-responses.ts';
import { createHttpClient } from '../upstream/http/http-client.ts';
import { createExplainRefusedKey, type Upstream } from '../upstream/calls/api-keys/refused-keys.ts';
import { createTenantOf } from '../upstream/calls/api-keys/key-hash.ts';
import { openSharedSlots } from './shared-slots.ts';
import { createTenantFinder } from './request-caller.ts';

// Over all keys; each key's own bound is MAX_CONCURRENT_CALLS.
const MAX_CONNECTIONS = 4_096;

/** Makes what calls Postman, or the sandbox: connections, cache, calls and budgets, one of each for the process. */
export async function createUpstream(config: Config, logger: Logger, clock: Clock) {
  const { apiKey, baseUrl, timeoutMs, maxResponseBytes, maxResponseValues, maxResponseBytesInFlight } = config.postman;
  // No proxy is nearer to this machine than itself.
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
  const sharedSlots = await openSharedSlots(config, logger, clock);
  const [tenantSecret, formerSecret] = config.redis?.tenantSecrets ?? [];
  const tenantOf = createTenantOf(tenantSecret);
  const serverTenant = apiKey && tenantOf(apiKey);
  const calls = createCalls({
    http,
    cache: createAnswerCache({ ...config.cache, clock }),
    clock,
    random: Math.random,
    isTrusted: (tenant) => tenant === serverTenant,
    onOutage(isDown, scope) {
      const whose = scope === 'everybody' ? 'calls' : 'the calls of one API key';
      if (isDown) logger.warn(`Postman does not serve ${whose}: they are refused, but for a probe now and then`);
      else logger.info(`Postman serves ${whose} again`);
    },
    explainRefusedKey: createExplainRefusedKey(upstreamOf(config)),
  });
  return {
    calls,
    heldAnswers: createHeldAnswers({
      maxBytes: config.operation.maxHeldBytesOfAll,
      maxBytesPerOperation: config.operation.maxHeldBytes,
    }),
    findTenant: createTenantFinder({
      tenantOf,
      formerTenantOf: formerSecret && createTenantOf(formerSecret),
      budgets: createBudgets({
        ...config.budget,
        createSlots: sharedSlots.createSlots,
        processStartedAtMs: clock.nowMs(),
        clock,
      }),
      serverKey: apiKey,
    }),
    /** Whether the circuit breaker is open, of everybody's calls or of those with the server's own key. */
    isCircuitOpen: () => calls.circuitBreakers.isOpen(serverTenant ?? ''),
    async close() {
      await http.close();
      await sharedSlots.close();
    },
  };
}

function upstreamOf({ sandbox, sandboxDir, postman }: Config): Upstream {
  if (!sandbox) return { origin: postman.baseUrl };
  return sandboxDir === undefined ? 'exampleAccount' : 'exports';
}
