/**
 * The HTTP server. Exports `startServer`, which builds everything that lives as long as the process and listens, and
 * `createOperationPlugins`, the Yoga plugins that serve operations, in the order of their hooks. This module joins
 * configuration, graph, dry run, loaders and upstream. It must not know how the process starts or stops: it may import
 * neither `main.ts` nor `start.ts`.
 */
import { createYoga } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { createSchema } from './graph/schema.ts';
import { createSliceScheduler } from './graph/limits/time-slices.ts';
import { createErrorLog } from './server/result/error-log.ts';
import { createErrorMask } from './server/result/mask-errors.ts';
import { createClientAddressOf } from './server/http/client-address.ts';
import { createConnections, publicLimits } from './server/http/connections/connections.ts';
import { createServeRequest } from './server/http/exchange/serve-request.ts';
import type { NodeContext } from './server/http/node-context.ts';
import { type RefusalReasons, sendRefusal } from './server/http/refusal.ts';
import { toRequestId } from './server/http/request-id.ts';
import { createCallLog } from './server/telemetry/call-log.ts';
import { openTraces } from './server/telemetry/open-traces.ts';
import { createSampledLog, type SampledLog } from './server/telemetry/sampled-log.ts';
import { createPostmanHook, type HookOptions } from './server/hooks/postman-hook.ts';
import { listen } from './server/http/connections/listen.ts';
import { createProbes } from './server/http/probes.ts';
import { createDocumentPlugins } from './server/plugins/document/document-plugins.ts';
import type { OperationOptions } from './server/plugin-parts.ts';
import { createRequestPlugins } from './server/plugins/request/request-plugins.ts';
import { createAddressCheck } from './server/plugins/request/use-access-control.ts';
import { useCompression } from './server/plugins/request/use-compression.ts';
import { useRefusalBodies } from './server/plugins/request/use-refusal-bodies.ts';
import { useResponseType } from './server/plugins/request/use-response-type.ts';
import { useRequestMemory } from './server/plugins/request/use-request-memory.ts';
import { useCostExtension } from './server/plugins/use-cost-extension.ts';
import { useDryRun } from './server/plugins/use-dry-run.ts';
import { useErrorReport } from './server/plugins/use-error-report.ts';
import { useIncrementalDelivery } from './server/plugins/use-incremental-delivery.ts';
import { useIntrospectionGuard } from './server/plugins/use-introspection-guard.ts';
import { useLargeResults } from './server/plugins/use-large-results.ts';
import { logOperation, useOperationLog } from './server/plugins/use-operation-log.ts';
import { useOperationObserver } from './server/plugins/use-operation-observer.ts';
import { useResultCache } from './server/plugins/use-result-cache.ts';
import { createResultCache } from './server/result-cache/result-cache.ts';
import { useResponseHeaders } from './server/plugins/use-response-headers.ts';
import { retainUntilRetry, useUpstreamOperation } from './server/plugins/use-upstream-operation.ts';
import { type EndedOperation, toEndedOperation } from './server/operation/ended-operation.ts';
import { createRecordStore, type RequestRecord } from './server/operation/request-record.ts';
import type { OperationObserver } from './server/operation/operation-observer.ts';
import { stopOperations } from './server/operation/stop-operations.ts';
import { openMetrics } from './server/metrics/open-metrics.ts';
import { createUpstream } from './server/create-upstream.ts';
import { type Clock, createSystemClock } from './upstream/clock.ts';

/** A running facade. */
export interface FacadeServer {
  /** Where GraphQL is served, for example `http://127.0.0.1:4000/graphql`. */
  readonly url: string;
  /** Stops accepting requests, responds to those in flight, and ends within five seconds. */
  stop(): Promise<void>;
}

const GRAPHQL_PATH = '/graphql';
const UNREADABLE_ADDRESS = {
  status: 400,
  code: 'BAD_REQUEST',
  message: 'Host and request target do not form a valid URL.',
} as const;
const UNEXPECTED = { status: 500, code: 'INTERNAL_SERVER_ERROR', message: 'Unexpected error.' } as const;
// Time for the last spans, and the time from the signal by which they have to be sent: the process has five seconds.
const FLUSH_MS = 1_000;
const STOP_MS = 4_750;

/**
 * Builds everything that lives as long as the process, and listens.
 *
 * @param config - Its `postman` part names the upstream, which is Postman or the sandbox.
 * @param clock - The clock of deadlines, budgets and the cache.
 * @returns The server, which is already listening.
 * @throws {Error} If Redis cannot be used, the server cannot listen, or a persisted document is invalid.
 */
export async function startServer(
  config: Config,
  logger: Logger,
  clock: Clock = createSystemClock(),
): Promise<FacadeServer> {
  const { query } = config;
  const schema = createSchema();
  const maskError = createErrorMask(logger, clock);
  const clientAddressOf = createClientAddressOf(config.access.trustedProxies, () =>
    logger.warn('X-Forwarded-For is ignored: it was sent from an address that is not in TRUSTED_PROXIES'),
  );
  const metrics = await openMetrics(config, logger);
  const operationRecords = createRecordStore<object>();
  const traces = await openTraces(config, logger, clock, operationRecords);
  const observers = [createCallLog(logger, clock, operationRecords), traces?.observer, metrics?.upstreamObserver];
  const upstream = await createUpstream(config, logger, clock, observers);
  const logRefusal = createSampledLog(logger, 'info', 'request refused', clock);
  const refusalReasons: RefusalReasons = new WeakMap();
  const operations = createOperationPlugins({
    ...upstream,
    observer: metrics?.operationObserver,
    schema,
    config,
    maskError,
    clock,
    logger,
    clientAddressOf,
    operationRecords,
    openTrace: traces?.openTrace,
    logRefusal,
    refusalReasons,
  });
  const documentPlugins = await createDocumentPlugins(config, schema, operations.recordOf, upstream.calls);

  const yoga = createYoga<NodeContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    // Yoga's own page loads its scripts from a CDN.
    graphiql: false,
    batching: false,
    multipart: false,
    // Its check makes a second stream and request for each body. `useRequestParams` and `useRequestMemory` bound them.
    maxRequestBodySize: false,
    parserAndValidationCache: false,
    maskedErrors: { maskError },
    logging: false,
    cors: false,
    plugins: [
      ...createRequestPlugins(config, GRAPHQL_PATH, refusalReasons),
      ...documentPlugins,
      useRequestMemory(query.maxRequestBytesInFlight, query.maxRequestBytes, clientAddressOf, clock),
      useResponseType(),
      ...operations.plugins,
      useRefusalBodies(GRAPHQL_PATH),
      operations.storeResults,
      useCompression(),
    ],
  });

  const execute = createExecute(createServeRequest(yoga), createErrorLog(logger), logRefusal);
  let isStopping = false;
  const serveHook = createHook(config, logger, clock, upstream.reportChange, metrics?.webhookEnded);
  const serveProbe = createProbes(() => isStopping, upstream);
  const { server, close } = createConnections(
    (request, response) => {
      // Node omits the body of a response to HEAD by itself.
      if (request.method === 'HEAD') request.method = 'GET';
      if (serveProbe(request, response)) return;
      metrics?.observeRequest(request, response);
      const requestId = toRequestId(request.headers);
      response.requestId = requestId;
      if (serveHook(request, response, requestId)) return;
      operations.results.serve(request, response, requestId, (body) =>
        execute({ req: request, res: response, requestId, body }),
      );
    },
    { ...publicLimits, idleMs: config.keepAliveMs },
  );
  await metrics?.serve(upstream.state);
  // Node accepts one connection per round of its event loop. The others wait in the backlog; when it is full, they are
  // reset.
  const origin = await listen(server, config.listen, publicLimits.maxConnections);

  return {
    url: `${origin}${GRAPHQL_PATH}`,
    async stop() {
      isStopping = true;
      const latestMs = clock.nowMs() + STOP_MS;
      await Promise.all([close(operations.drain), metrics?.close()]);
      await Promise.all([upstream.close(), traces?.close(Math.min(FLUSH_MS, Math.max(0, latestMs - clock.nowMs())))]);
    },
  };
}

function createExecute(serve: (context: NodeContext) => Promise<void>, log: Logger, logRefusal: SampledLog) {
  const isReadable = createAddressCheck();
  return (context: NodeContext): void => {
    const { req, res, requestId } = context;
    if (!isReadable(req)) {
      sendRefusal(res, UNREADABLE_ADDRESS);
      return logRefusal({ requestId, method: req.method, status: 400, reason: 'address' });
    }
    serve(context).catch((err: unknown) => {
      log.error({ requestId, err }, 'unexpected error');
      return res.headersSent ? res.destroy() : sendRefusal(res, UNEXPECTED);
    });
  };
}

function createHook(
  { access }: Config,
  logger: Logger,
  clock: Clock,
  onChange: HookOptions['onChange'],
  onEnd: HookOptions['onEnd'],
) {
  const log = createSampledLog(logger, 'info', 'webhook', clock);
  return createPostmanHook({ secrets: access.webhookSecrets, clock, onChange, log, onEnd });
}

function reportEnd(ended: EndedOperation, logger: Logger, observer: OperationObserver | undefined): void {
  logOperation(ended, logger);
  observer?.operationEnded(ended);
}

/**
 * Makes the plugins that open, execute and close operations. Their hooks run in this order: an operation is closed
 * before its errors and its cost are reported. Headers are set before a response in parts may be replaced by a
 * refusal, and both happen before the log line is written.
 *
 * @returns The plugins; `results`, which serves equal requests without them, and `storeResults`, the plugin that fills
 *   it, which must come before compression; `drain`, which ends all open operations within a grace period, with the data they have; and
 *   `recordOf`, which returns the record of a request whose body Yoga has begun to read.
 */
export function createOperationPlugins(options: OperationOptions) {
  const records = createRecordStore<Request>();
  const open = new Set<RequestRecord>();
  const parts = { ...options, records, slices: createSliceScheduler() };
  const { calls, clock, logger, observer } = options;
  const results = createResultCache({ ...options, report: (ended) => reportEnd(ended, logger, observer) });
  const onStreamEnd = (record: RequestRecord) => {
    retainUntilRetry(record, calls, clock);
    const ended = toEndedOperation(record, 200, clock);
    reportEnd(ended, logger, observer);
    record.trace?.end(ended);
  };
  return {
    plugins: [
      useUpstreamOperation(parts, open),
      useIntrospectionGuard(parts),
      useDryRun(parts),
      useErrorReport(parts),
      useCostExtension(parts),
      useLargeResults(parts),
      useResponseHeaders(parts),
      useIncrementalDelivery(parts, onStreamEnd),
      useOperationLog(parts),
      ...(observer ? [useOperationObserver(parts, observer)] : []),
    ],
    results,
    storeResults: useResultCache(parts, results),
    drain: () => stopOperations(open, clock),
    recordOf: (request: Request) => records.get(request),
  };
}
