/**
 * Entry of the metrics module, which counts the events of operations and of the upstream layer, and serves them to
 * Prometheus on a port of its own. It exports `openMetrics`. Nothing but `server.ts` imports the module: the layers
 * report to interfaces that they declare themselves. It sees no query, no request of GraphQL and no plugin.
 */
import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { HookOutcome } from '../hooks/postman-hook.ts';
import { createConnections, publicLimits } from '../http/connections/connections.ts';
import { listen } from '../http/connections/listen.ts';
import { listFullestKeys } from './fullest-keys.ts';
import { createMetricsHandler } from './metrics-listener.ts';
import { createOperationObserver, createRequestObserver, createUpstreamObserver } from './observers.ts';
import { loadPromClient } from './prom-client.ts';
import { createRegistry } from './registry.ts';
import { type UpstreamState, writeState } from './upstream-state.ts';

/** Metrics of a server. */
export type Metrics = NonNullable<Awaited<ReturnType<typeof openMetrics>>>;

// A scraper uses one connection, and leaves it open from one scrape to the next.
const LIMITS = { ...publicLimits, maxConnections: 64, idleMs: 130_000 };
const VARIABLES = { host: 'METRICS_HOST', port: 'METRICS_PORT' };

/**
 * Makes metrics, all zero, unless `METRICS_PORT` is unset. They are not served yet.
 *
 * @returns Observers for the layers; `serve`, which begins to listen; and `close`.
 * @throws {Error} prom-client is not installed; the message has the command that installs it.
 */
export async function openMetrics(config: Config, logger: Logger) {
  const { metrics: address } = config;
  if (!address) return undefined;
  const { registry, metrics } = createRegistry(await loadPromClient());
  let close = () => Promise.resolve();
  return {
    upstreamObserver: createUpstreamObserver(metrics),
    operationObserver: createOperationObserver(metrics),
    webhookEnded: (outcome: HookOutcome) => metrics.postman_graphql_webhooks_total.inc({ outcome }),
    /** Measures a request on the main port. */
    observeRequest: createRequestObserver(metrics),
    /** @throws {Error} It cannot listen. The message names the variable to change. */
    async serve(state: UpstreamState): Promise<void> {
      const connections = createConnections(
        createMetricsHandler(config, {
          contentType: registry.contentType,
          async metrics() {
            await writeState(metrics, state);
            return registry.metrics();
          },
          keys: () => listFullestKeys(state.budgets),
        }),
        LIMITS,
      );
      const origin = await listen(connections.server, { ...address, variables: VARIABLES }, LIMITS.maxConnections);
      close = () => connections.close(() => Promise.resolve());
      logger.info({ url: `${origin}/metrics` }, 'metrics are served');
    },
    close: () => close(),
  };
}
