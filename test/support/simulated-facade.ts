import { EventEmitter } from 'node:events';
import { createYoga } from 'graphql-yoga';
import { pino } from 'pino';
import { parseConfig } from '../../src/config/config.ts';
import { createSchema } from '../../src/graph/schema.ts';
import type { Account } from '../../src/sandbox/account/account.ts';
import {
  type ServiceResponse as SandboxAnswer,
  toHtmlPage,
  toNaturalError,
  toRateHeaders,
  toTooManyRequests,
} from '../../src/sandbox/behaviors.ts';
import { type RefusalSpelling, toRefusal } from '../../src/sandbox/rate-refusals.ts';
import { createRateWindows, type RateWindow } from '../../src/sandbox/rate-windows.ts';
import { serveGet, isBurstRoute } from '../../src/sandbox/routes.ts';
import { createOperationPlugins } from '../../src/server.ts';
import { createErrorMask } from '../../src/server/result/mask-errors.ts';
import type { NodeContext } from '../../src/server/http/node-context.ts';
import { createSpentCalls } from '../../src/server/operation/spent-calls.ts';
import { createCallerFinder } from '../../src/server/request-caller.ts';
import { createResponseCache } from '../../src/upstream/cache/response-cache.ts';
import { createBudgetRegistry } from '../../src/upstream/rate-limiter/budget-registry.ts';
import { createCalls } from '../../src/upstream/calls/calls.ts';
import { createHeldResponses } from '../../src/upstream/calls/operation/held-responses.ts';
import { toCallFailure } from '../../src/upstream/http/call-failure.ts';
import type { HttpClient } from '../../src/upstream/http/http-client.ts';
import { createKeyHasher } from '../../src/upstream/calls/api-keys/key-hash.ts';
import { UpstreamError } from '../../src/upstream/http/upstream-error.ts';
import type { ResultError } from './facade.ts';
import { toHttpResponse } from './http-response.ts';
import { merge, type Part } from './parts.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

/** A failure of a call. */
export type SimulatedFault =
  | { readonly kind: 'refusal'; readonly spelling: RefusalSpelling; readonly waitSeconds: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'html'; readonly status: number }
  | { readonly kind: 'truncated' | 'notJson' | 'empty' }
  | { readonly kind: 'refused' | 'reset' | 'connectTimeout' | 'timeout' | 'busy' | 'certificate' | 'unknownHost' }
  | { readonly kind: 'slow'; readonly ms: number };

/** A failure that lasts for some time. */
export interface Episode {
  readonly fault: SimulatedFault;
  /** Which calls fail, by their paths. */
  readonly match: RegExp;
  /** Ends after this many calls ... */
  readonly calls: number;
  /** ... and after this time, in milliseconds from the start. */
  readonly untilMs: number;
}

/** A response of the facade. */
export interface SimulatedResponse {
  readonly status: number;
  readonly data: unknown;
  readonly errors: readonly ResultError[];
  readonly retryAfterSeconds: number | undefined;
}

/** A facade in front of a simulated Postman API, without sockets, on a virtual clock. */
export interface SimulatedFacade {
  readonly clock: VirtualClock;
  /** Paths of the calls that upstream received. */
  readonly calls: string[];
  /** Episodes that are not over. */
  faults(): readonly Episode[];
  execute(query: string, headers?: Readonly<Record<string, string>>): Promise<SimulatedResponse>;
  advance(ms: number): Promise<void>;
}

/** Options of a simulation. */
export interface SimulationOptions {
  readonly account: Account;
  readonly env?: Readonly<Record<string, string>>;
  /** Rate limits of upstream. */
  readonly limits: { readonly general: RateWindow; readonly burst: RateWindow };
  readonly episodes?: readonly Episode[];
  /** Source of chance: numbers from 0 to below 1. */
  readonly random: () => number;
  readonly latencyMs: number;
  /** Calls of other clients with the key, as milliseconds from the start. */
  readonly foreignCallsAtMs?: readonly number[];
}

const KEY = 'PMAK-simulated';
/** Failures before anything is sent, by Node's error code. */
const UNCONNECTED: Readonly<Record<string, string>> = {
  refused: 'ECONNREFUSED',
  connectTimeout: 'UND_ERR_CONNECT_TIMEOUT',
  certificate: 'CERT_HAS_EXPIRED',
  unknownHost: 'ENOTFOUND',
};
const FAILURE_WAIT_MS = 10_000;
// A timer triggers planners, queues and the executor's promises; cost simulations take many iterations of the event
// loop.
const ROUNDS = 12;

/** Starts a simulated facade. */
export function startSimulatedFacade(options: SimulationOptions): SimulatedFacade {
  const { env = {}, random } = options;
  const clock = createVirtualClock();
  const startMs = clock.nowMs();
  const calls: string[] = [];
  const config = parseConfig({
    POSTMAN_API_BASE_URL: 'http://127.0.0.1:1',
    POSTMAN_API_KEY: KEY,
    COLD_START: 'off',
    LOG_LEVEL: 'silent',
    ...env,
  });
  const logger = pino({ level: config.logLevel });
  const maskError = createErrorMask(logger, clock);
  const schema = createSchema();
  const hashKey = createKeyHasher();
  const { http, faults } = createUpstream(options, clock, startMs, calls, config.postman.timeoutMs);
  const cache = createResponseCache({ ...config.cache, clock });
  const operations = createOperationPlugins({
    cache,
    schema,
    config,
    maskError,
    clock,
    logger,
    calls: createCalls({
      http,
      cache,
      clock,
      random,
      isTrusted: () => true,
    }),
    clientAddressOf: () => '127.0.0.1',
    spentCalls: createSpentCalls(clock),
    operationRecords: new WeakMap(),
    openTrace: undefined,
    refusalReasons: new WeakMap(),
    logRefusal() {},
    heldResponses: createHeldResponses({
      maxBytes: config.operation.maxHeldBytesOfAll,
      maxBytesPerOperation: config.operation.maxHeldBytes,
    }),
    findCaller: createCallerFinder({
      hashKey,
      budgets: createBudgetRegistry({ ...config.budget, processStartedAtMs: startMs - 3_600_000, clock }),
      serverKey: config.postman.apiKey,
    }),
  });
  const yoga = createYoga<NodeContext>({
    schema,
    graphiql: false,
    logging: false,
    maskedErrors: { maskError },
    plugins: operations.plugins,
  });

  const settle = async () => {
    for (let round = 0; round < ROUNDS || process.getActiveResourcesInfo().includes('Immediate'); round++)
      await clock.settle();
  };

  return {
    clock,
    calls,
    faults,
    async execute(query, headers = {}) {
      const response = Object.assign(new EventEmitter(), { closed: false });
      const context = {
        req: { socket: {}, headers: {} },
        res: response,
        requestId: 'simulated',
      } as unknown as NodeContext;
      let isOver = false;
      const settled = Promise.resolve(
        yoga.fetch(
          'http://localhost/graphql',
          {
            method: 'POST',
            headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
            body: JSON.stringify({ query }),
          },
          context,
        ),
      )
        .then(async (fetched) => ({ answer: fetched, body: toWhole(await fetched.text()) }))
        .finally(() => {
          isOver = true;
        });
      for (;;) {
        await settle();
        if (isOver) break;
        if (!(await clock.advanceToNext())) await settle();
      }
      const { answer: fetched, body } = await settled;
      response.emit('close');
      const retryAfter = fetched.headers.get('retry-after') ?? body.extensions?.['retryAfterSeconds'];
      return {
        status: fetched.status,
        data: body.data,
        errors: body.errors,
        retryAfterSeconds: retryAfter == null ? undefined : Number(retryAfter),
      };
    },
    async advance(ms) {
      const untilMs = clock.nowMs() + ms;
      do await settle();
      while (await clock.advanceToNext(untilMs));
    },
  };
}

/** Reads a response: one JSON document, or an event stream of parts. */
function toWhole(text: string): Pick<SimulatedResponse, 'data' | 'errors'> & Pick<Part, 'extensions'> {
  const parts: readonly Part[] = text.startsWith('{')
    ? [JSON.parse(text) as Part]
    : text.split('\n\n').flatMap((event) => {
        const data = /^data: ?(.*)$/m.exec(event)?.[1];
        return event.includes('event: next') && data ? [JSON.parse(data) as Part] : [];
      });
  const extensions = parts.at(-1)?.extensions;
  return {
    data: merge(parts),
    errors: parts.flatMap(({ errors = [], incremental = [] }) => [
      ...errors,
      ...incremental.flatMap((part) => part.errors ?? []),
    ]),
    ...(extensions && { extensions }),
  };
}

function createUpstream(
  { account, limits, latencyMs, random, episodes = [], foreignCallsAtMs = [] }: SimulationOptions,
  clock: VirtualClock,
  startMs: number,
  calls: string[],
  timeoutMs: number,
): { readonly http: HttpClient; readonly faults: () => readonly Episode[] } {
  const windows = createRateWindows();
  const remaining = episodes.map((episode) => ({ episode, calls: episode.calls }));
  const foreign = [...foreignCallsAtMs].sort((a, b) => a - b);

  const isOn = ({ episode, calls: callsLeft }: (typeof remaining)[number]) =>
    callsLeft > 0 && clock.nowMs() < startMs + episode.untilMs;
  const countForeign = () => {
    while ((foreign[0] ?? Number.POSITIVE_INFINITY) <= clock.nowMs() - startMs) {
      const atMs = startMs + (foreign.shift() ?? 0);
      if (!windows.refusal(limits, false, atMs)) windows.count(false, atMs);
    }
  };
  const takeFault = (path: string): SimulatedFault | undefined => {
    const found = remaining.find((one) => isOn(one) && one.episode.match.test(path));
    if (found) found.calls--;
    return found?.episode.fault;
  };

  const later = (ms: number) => new Promise<void>((resolve) => void clock.schedule(clock.nowMs() + ms, resolve));

  const http: HttpClient = {
    async get(target, route) {
      const [path = '', query = ''] = target.split('?');
      const toFailure = (code: string, isSent: boolean, isLate = false) =>
        toCallFailure({
          route,
          cause: Object.assign(new Error(code), { code }),
          isSent,
          isTimedOut: isLate,
          timeoutMs,
          retryAtMs: clock.epochMs() + FAILURE_WAIT_MS,
        });
      const willFail = remaining.find((one) => isOn(one) && one.episode.match.test(path))?.episode.fault.kind;
      const unconnected = UNCONNECTED[willFail ?? ''];
      if (unconnected !== undefined) {
        takeFault(path);
        await later(willFail === 'connectTimeout' ? 10_000 : 2);
        throw toFailure(unconnected, false);
      }
      await later(latencyMs * random());
      const isBurst = isBurstRoute(path);
      countForeign();
      const full = windows.refusal(limits, isBurst, clock.nowMs());
      const fault = full ? undefined : takeFault(path);
      const isRefused = full !== undefined || fault?.kind === 'refusal';
      if (!isRefused) windows.count(isBurst, clock.nowMs());
      calls.push(path);
      const { general } = windows.read(limits, clock.nowMs());
      const rateHeaders = toRateHeaders('current', full ?? general, undefined, undefined, clock.epochMs());
      const normal = full
        ? toTooManyRequests('current', full.resetMs, clock.epochMs())
        : serveGet(account, 'current', path, new URLSearchParams(query));
      const toResponse = (
        given: SandboxAnswer,
        headers: Readonly<Record<string, string>> = rateHeaders,
        text?: string,
      ) =>
        toHttpResponse({
          status: given.status,
          headers: toHeaders({ 'content-type': given.contentType, ...headers, ...given.headers }),
          text: text ?? (typeof given.body === 'string' ? given.body : JSON.stringify(given.body ?? '')),
        });
      await later(latencyMs * random());
      switch (fault?.kind) {
        case 'refusal':
          return toResponse(toRefusal(fault.spelling, fault.waitSeconds, clock.epochMs()), {});
        case 'status':
          return toResponse({
            ...toNaturalError('current', fault.status),
            ...(fault.retryAfter !== undefined && { headers: { 'retry-after': fault.retryAfter } }),
          });
        case 'html':
          return toResponse(toHtmlPage(fault.status), {});
        case 'truncated': {
          const text = JSON.stringify(normal.body);
          return toResponse(normal, rateHeaders, text.slice(0, Math.floor(text.length / 2)));
        }
        case 'notJson':
          return toResponse(normal, rateHeaders, '{"collections": [}');
        case 'empty':
          return toResponse(normal, rateHeaders, '');
        case 'slow':
          await later(Math.min(fault.ms, timeoutMs));
          if (fault.ms > timeoutMs) throw toFailure('', true, true);
          return toResponse(normal);
        case 'timeout':
          await later(timeoutMs);
          throw toFailure('', true, true);
        case 'reset':
          throw toFailure('ECONNRESET', true);
        case 'busy':
          throw new UpstreamError('busy', 'No room.', { route, retryAtMs: clock.epochMs() + 5_000 });
        default:
          return toResponse(normal);
      }
    },
    close: () => Promise.resolve(),
  };
  return { http, faults: () => remaining.filter(isOn).map(({ episode }) => episode) };
}

function toHeaders(headers: Readonly<Record<string, string | null | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value == null ? [] : [[name.toLowerCase(), value]])),
  );
}
