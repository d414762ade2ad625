import type { AddressInfo } from 'node:net';
import { createYoga } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { createSchema } from './graph/schema.ts';
import { isLoopbackAddress } from './loopback.ts';
import { hasReadableAddress, useAccessControl } from './server/plugins/request/use-access-control.ts';
import { useCompression } from './server/plugins/request/use-compression.ts';
import { createClientAddressOf } from './server/http/client-address.ts';
import { createConnections, streetLimits } from './server/http/connections.ts';
import { toCors } from './server/http/cors.ts';
import { useCsrfCheck } from './server/plugins/request/use-csrf-check.ts';
import { useFrontPage } from './server/plugins/request/use-front-page.ts';
import { useGraphiQLPage } from './server/plugins/request/use-graphiql.ts';
import { listen } from './server/http/listen.ts';
import { createErrorMask } from './server/answer/mask-errors.ts';
import { createOperations } from './server/operations.ts';
import { useParsedDocuments } from './server/plugins/use-parsed-documents.ts';
import {
  persistedDocumentParams,
  readPersistedDocuments,
  usePersistedDocuments,
} from './server/plugins/use-persisted-documents.ts';
import { createProbes } from './server/http/probes.ts';
import { queryLimits } from './server/plugins/use-query-limits.ts';
import { useRequestRoom } from './server/plugins/request/use-request-room.ts';
import { createTenantFinder } from './server/tenants.ts';
import { createAnswerCache } from './upstream/answer-cache.ts';
import { createBudgets } from './upstream/budgets.ts';
import { createCalls } from './upstream/calls.ts';
import { type Clock, createSystemClock } from './upstream/clock.ts';
import { createHeldAnswers } from './upstream/held-answers.ts';
import { createHttpClient } from './upstream/http.ts';
import { createExplainRefusedKey, type Upstream } from './upstream/refused-keys.ts';
import { createTenantOf } from './upstream/tenant.ts';

/** A running facade. */
export interface FacadeServer {
  /** Where GraphQL is served, for example `http://127.0.0.1:4000/graphql`. */
  readonly url: string;
  /** Stops taking requests, answers those in flight, and ends within five seconds. */
  stop(): Promise<void>;
}

const GRAPHQL_PATH = '/graphql';
// Over all keys; each key's own bound is MAX_CONCURRENT_CALLS.
const MAX_UPSTREAM_CONNECTIONS = 4_096;

/**
 * Builds everything that lives as long as the process, and listens.
 *
 * @param config - Its `postman` part names the upstream, Postman or the sandbox.
 * @param clock - What deadlines, budgets and the cache live by.
 * @returns Once it listens.
 * @throws {Error} When the address is in use, or the persisted documents cannot be executed.
 */
export async function startServer(
  config: Config,
  logger: Logger,
  clock: Clock = createSystemClock(),
): Promise<FacadeServer> {
  const { baseUrl } = config.postman;
  // No proxy is nearer to this machine than itself.
  const proxy = isLoopbackAddress(new URL(baseUrl).hostname) ? undefined : config.postman.proxy;
  if (proxy) logger.info({ proxy: proxy.url, noProxy: proxy.noProxy }, 'calls go through a proxy');
  const http = createHttpClient({
    origin: baseUrl,
    proxy,
    timeoutMs: config.postman.timeoutMs,
    limits: {
      maxBytes: config.postman.maxResponseBytes,
      maxValues: config.postman.maxResponseValues,
      maxHeapBytes: config.operation.maxHeldBytes,
    },
    maxBytesInFlight: config.postman.maxResponseBytesInFlight,
    maxConnections: MAX_UPSTREAM_CONNECTIONS,
    clock,
  });
  const cache = createAnswerCache({ ...config.cache, clock });
  const maskError = createErrorMask(logger, clock);
  const schema = createSchema();
  const { apiKey } = config.postman;
  const tenantOf = createTenantOf();
  const serverTenant = apiKey && tenantOf(apiKey);
  const clientAddressOf = createClientAddressOf(config.access.trustedProxies, () =>
    logger.warn('X-Forwarded-For is ignored: it comes from an address that TRUSTED_PROXIES does not name'),
  );
  const calls = createCalls({
    http,
    cache,
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
  const operations = createOperations({
    schema,
    config,
    maskError,
    clock,
    logger,
    calls,
    clientAddressOf,
    heldAnswers: createHeldAnswers({
      maxBytes: config.operation.maxHeldBytesOfAll,
      maxBytesPerOperation: config.operation.maxHeldBytes,
    }),
    findTenant: createTenantFinder({
      tenantOf,
      budgets: createBudgets({ ...config.budget, processStartedAtMs: clock.nowMs(), clock }),
      serverKey: apiKey,
    }),
  });

  const { persistedDocuments } = config;
  const documents = persistedDocuments && (await readPersistedDocuments(persistedDocuments.file, schema));

  const yoga = createYoga({
    schema,
    context: operations.toContext,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    // Yoga's own page loads its scripts from elsewhere.
    graphiql: false,
    batching: false,
    extraParamNames: documents ? persistedDocumentParams : [],
    multipart: false,
    maxRequestBodySize: config.query.maxRequestBytes,
    parserAndValidationCache: false,
    maskedErrors: { maskError },
    logging: false,
    cors: toCors(config.access.corsOrigins),
    plugins: [
      useAccessControl(config, GRAPHQL_PATH),
      useFrontPage(GRAPHQL_PATH, config.graphiql),
      ...(config.graphiql
        ? [useGraphiQLPage(GRAPHQL_PATH, { isSandbox: config.sandbox, wantsToken: config.access.tokens.length > 0 })]
        : []),
      useCsrfCheck(),
      ...(persistedDocuments && documents ? [usePersistedDocuments(documents, persistedDocuments.only)] : []),
      useRequestRoom(config.query.maxRequestBytesInFlight, clientAddressOf, clock),
      useParsedDocuments(config.query.documentCacheBytes),
      ...queryLimits(config),
      operations.plugin,
      useCompression(),
    ],
  });

  let isStopping = false;
  const answerProbe = createProbes({
    isStopping: () => isStopping,
    isCircuitOpen: () => calls.circuitBreakers.isOpen(serverTenant ?? ''),
  });
  const { server, close } = createConnections(
    (request, response) => {
      // Node leaves out the body of its answer in any case.
      if (request.method === 'HEAD') request.method = 'GET';
      if (answerProbe(request, response)) return;
      // Yoga answers an address it cannot parse with a stack trace, and all its other failures itself.
      if (hasReadableAddress(request)) void yoga(request, response);
      else response.writeHead(400, { connection: 'close' }).end();
    },
    { ...streetLimits, idleMs: config.keepAliveMs },
  );
  // Node lets in one connection in each round of its event loop; what comes meanwhile waits in the backlog, or is reset.
  await listen(server, config.listen, streetLimits.maxConnections);
  const { port } = server.address() as AddressInfo;
  const host = config.listen.host.includes(':') ? `[${config.listen.host}]` : config.listen.host;

  return {
    url: `http://${host}:${port}${GRAPHQL_PATH}`,
    async stop() {
      isStopping = true;
      await close(operations.drain);
      await http.close();
    },
  };
}

function upstreamOf({ sandbox, sandboxDir, postman }: Config): Upstream {
  if (!sandbox) return { origin: postman.baseUrl };
  return sandboxDir === undefined ? 'exampleAccount' : 'exports';
}
