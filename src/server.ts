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
import { createErrorMask } from './server/result/mask-errors.ts';
import { createClientAddressOf } from './server/http/client-address.ts';
import { createConnections, publicLimits } from './server/http/connections.ts';
import { toCors } from './server/plugins/request/cors.ts';
import type { NodeContext } from './server/http/node-context.ts';
import type { RefusalReasons } from './server/http/refusal.ts';
import { toRequestId } from './server/http/request-id.ts';
import { createCallLog } from './server/telemetry/call-log.ts';
import { openTraces } from './server/telemetry/open-traces.ts';
import { createSampledLog } from './server/telemetry/sampled-log.ts';
import { listen } from './server/http/listen.ts';
import { createProbes } from './server/http/probes.ts';
import { useParsedDocuments } from './server/plugins/document/use-parsed-documents.ts';
import {
  persistedDocumentParams,
  readPersistedDocuments,
  usePersistedDocuments,
} from './server/plugins/document/use-persisted-documents.ts';
import { queryLimits } from './server/plugins/document/use-query-limits.ts';
import type { OperationOptions } from './server/plugin-parts.ts';
import { hasReadableAddress, useAccessControl } from './server/plugins/request/use-access-control.ts';
import { useCompression } from './server/plugins/request/use-compression.ts';
import { useCsrfCheck } from './server/plugins/request/use-csrf-check.ts';
import { useFrontPage } from './server/plugins/request/use-front-page.ts';
import { useGraphiQLPage } from './server/plugins/request/use-graphiql.ts';
import { useRequestMemory } from './server/plugins/request/use-request-memory.ts';
import { useCostExtension } from './server/plugins/use-cost-extension.ts';
import { useDryRun } from './server/plugins/use-dry-run.ts';
import { useErrorReport } from './server/plugins/use-error-report.ts';
import { useIncrementalDelivery } from './server/plugins/use-incremental-delivery.ts';
import { useIntrospectionGuard } from './server/plugins/use-introspection-guard.ts';
import { useLargeResults } from './server/plugins/use-large-results.ts';
import { logOperation, useOperationLog } from './server/plugins/use-operation-log.ts';
import { observeEnd, useOperationObserver } from './server/plugins/use-operation-observer.ts';
import { useResponseHeaders } from './server/plugins/use-response-headers.ts';
import { retainUntilRetry, useUpstreamOperation } from './server/plugins/use-upstream-operation.ts';
import type { OperationRecords, RequestRecord, RequestRecords } from './server/operation/request-record.ts';
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
  const { access, graphiql, persistedDocuments, query } = config;
  const schema = createSchema();
  const maskError = createErrorMask(logger, clock);
  const clientAddressOf = createClientAddressOf(access.trustedProxies, () =>
    logger.warn('X-Forwarded-For is ignored: it was sent from an address that is not in TRUSTED_PROXIES'),
  );
  const metrics = await openMetrics(config, logger);
  const operationRecords: OperationRecords = new WeakMap();
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
  const documents = persistedDocuments && (await readPersistedDocuments(persistedDocuments.file, schema));

  const yoga = createYoga<NodeContext>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    // Yoga's own page loads its scripts from a CDN.
    graphiql: false,
    batching: false,
    extraParamNames: documents ? persistedDocumentParams : [],
    multipart: false,
    maxRequestBodySize: query.maxRequestBytes,
    parserAndValidationCache: false,
    maskedErrors: { maskError },
    logging: false,
    cors: toCors(access.corsOrigins),
    plugins: [
      useAccessControl(config, GRAPHQL_PATH, refusalReasons),
      useFrontPage(GRAPHQL_PATH, graphiql),
      ...(graphiql ? [useGraphiQLPage(GRAPHQL_PATH, config)] : []),
      useCsrfCheck(refusalReasons),
      ...(persistedDocuments && documents
        ? [usePersistedDocuments(documents, persistedDocuments.only, operations.noteDocument)]
        : []),
      useRequestMemory(query.maxRequestBytesInFlight, clientAddressOf, clock),
      useParsedDocuments(query.documentCacheBytes),
      ...queryLimits(config),
      ...operations.plugins,
      useCompression(),
    ],
  });

  let isStopping = false;
  const serveProbe = createProbes(() => isStopping, upstream);
  const { server, close } = createConnections(
    (request, response) => {
      // Node omits the body of a response to HEAD by itself.
      if (request.method === 'HEAD') request.method = 'GET';
      if (serveProbe(request, response)) return;
      metrics?.observeRequest(request, response);
      const requestId = toRequestId(request.headers);
      response.setHeader('X-Request-Id', requestId);
      // Yoga responds with a stack trace to a URL that it cannot parse. It handles all other failures itself.
      if (hasReadableAddress(request)) void yoga(request, response, { requestId });
      else {
        response.writeHead(400, { connection: 'close' }).end();
        logRefusal({ requestId, method: request.method, status: 400, reason: 'address' });
      }
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
      const flushMs = Math.max(0, Math.min(FLUSH_MS, latestMs - clock.nowMs()));
      await Promise.all([upstream.close(), traces?.close(flushMs)]);
    },
  };
}

/**
 * Makes the plugins that open, execute and close operations. Their hooks run in this order: an operation is closed
 * before its errors and its cost are reported. Headers are set before a response in parts may be replaced by a
 * refusal, and both happen before the log line is written.
 *
 * @returns The plugins; `drain`, which ends all open operations within a grace period, with the data they have; and
 *   `noteDocument`, to be called with the id of a persisted document that a request names.
 */
export function createOperationPlugins(options: OperationOptions) {
  const records: RequestRecords = new WeakMap();
  const open = new Set<RequestRecord>();
  const parts = { ...options, records, slices: createSliceScheduler() };
  const { calls, clock, observer } = options;
  const onStreamEnd = (record: RequestRecord) => {
    retainUntilRetry(record, calls, clock);
    logOperation(record, 200, parts);
    if (observer) observeEnd(record, parts, observer);
    record.trace?.end(record, 200);
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
    drain: () => stopOperations(open, clock),
    noteDocument(request: Request, id: string) {
      const record = records.get(request);
      if (record) record.documentId = id;
    },
  };
}
