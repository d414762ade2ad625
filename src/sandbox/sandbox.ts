import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Account } from './account/account.ts';
import { createDemoAccount } from './account/demo.ts';
import { deliver } from './delivery.ts';
import {
  type Answer,
  type Dialect,
  toNamedError,
  toNaturalError,
  toRateHeaders,
  toTooManyRequests,
} from './dialects.ts';
import { createFaultPlan, type Fault, isRefusal } from './faults.ts';
import { createRateWindows, type RateLimits, type RateWindows } from './rate-windows.ts';
import { answerGet, isBurstRoute } from './routes.ts';

/** Settings of a sandbox; all may be left out. */
export interface SandboxOptions {
  /** The key it knows; any other gets the 401 of the dialect. Default: a random one. */
  readonly apiKey?: string;
  /** More keys that see the same account, each with rate windows of its own. */
  readonly otherApiKeys?: readonly string[];
  /** Default `'today'`. */
  readonly dialect?: Dialect;
  /** Default: 60 calls in 60 s, and 10 in 10 s on the burst routes. */
  readonly limits?: RateLimits;
  /** Default: the demo account. It is read anew for every call. */
  readonly account?: Account;
  /** Default 0, which picks a free one. */
  readonly port?: number;
}

/** One request as it arrived. */
export interface Arrival {
  /** Monotonic milliseconds, on the scale of `performance.now()`. */
  readonly atMs: number;
  /** Method, path and query exactly as sent, but for the value of an `apikey` parameter. */
  readonly requestLine: string;
  /** Where the API key stood. */
  readonly keyIn: 'header' | 'query' | 'none';
  /** Which of the known keys it was: 0 for `apiKey`, from 1 for the others, -1 for none of them. */
  readonly keyIndex: number;
  /** Header names in lower case; the key's value is `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The status sent; 0 as long as there is none, for ever when the connection was reset or left hanging before. */
  readonly status: number;
  /** When the answer was sent completely or the connection was gone; undefined before. */
  readonly finishedAtMs: number | undefined;
}

/** A running simulated Postman API. */
export interface Sandbox {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  readonly apiKey: string;
  /** The request line of every request that arrived, in order: `GET /workspaces?limit=100`. */
  readonly calls: string[];
  /** The same requests in detail, in the same order. */
  readonly arrivals: readonly Arrival[];
  /** The next `count` calls that the rate windows admit meet this fault, whatever they ask for. */
  failNext(count: number, fault: Fault): void;
  /**
   * Calls whose path and query contain the text or match the expression meet this fault; a later rule comes before an earlier one.
   *
   * @param times - How often. Default: for ever.
   */
  fail(match: string | RegExp, fault: Fault, times?: number): void;
  /** Forgets all faults. */
  heal(): void;
  /** Replaces the rate windows' sizes from the next call on; what has been counted stays counted. */
  setLimits(limits: RateLimits): void;
  /** Forgets calls, arrivals, what the rate windows have counted, and all faults. */
  reset(): void;
  /** Stops listening and drops all connections, answered or not. */
  close(): Promise<void>;
}

type MutableArrival = { -readonly [K in keyof Arrival]: Arrival[K] };

/**
 * Starts a simulated Postman API, read side, on loopback. It judges rate limits by the time at which a request reaches this process,
 * without tolerance.
 *
 * @returns Once it listens.
 * @throws {Error} When the port is taken.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const apiKey = options.apiKey ?? `PMAK-sandbox-${randomBytes(12).toString('hex')}`;
  const knownKeys = [apiKey, ...(options.otherApiKeys ?? [])];
  const dialect = options.dialect ?? 'today';
  const account = options.account ?? createDemoAccount();
  const faults = createFaultPlan();
  const calls: string[] = [];
  const arrivals: MutableArrival[] = [];
  let windows: RateWindows[] = [];
  let callsThisMonth = 0;
  let limits: RateLimits = options.limits ?? {
    general: { limit: 60, windowMs: 60_000 },
    burst: { limit: 10, windowMs: 10_000 },
  };

  /** Stands at the door: counts the call or refuses it, and finds the fault it will meet. */
  const admit = (path: string, pathAndQuery: string, keyIndex: number, nowMs: number) => {
    // Nobody's budget is touched by a key that does not exist.
    if (keyIndex === -1) return { fault: faults.take(pathAndQuery), rateHeaders: {} };
    const ofKey = (windows[keyIndex] ??= createRateWindows());
    const isBurst = isBurstRoute(path);
    const refusal = ofKey.refusal(limits, isBurst, nowMs);
    const fault = refusal === undefined ? faults.take(pathAndQuery) : undefined;
    if (refusal === undefined && !(fault !== undefined && isRefusal(fault))) {
      ofKey.count(limits, isBurst, nowMs);
      callsThisMonth++;
    }
    const reading = refusal ?? ofKey.general(limits, nowMs);
    const rateHeaders = reading === undefined ? {} : toRateHeaders(dialect, reading, readMonth(), Date.now());
    return { refusal, fault, rateHeaders };
  };

  const readMonth = () => {
    const meter = account.operations?.find(({ name }) => name === 'api_usage');
    return meter && { limit: meter.limit, remaining: Math.max(0, meter.limit - meter.usage - callsThisMonth) };
  };

  const answer = (
    request: IncomingMessage,
    path: string,
    query: URLSearchParams,
    key: string | undefined,
    keyIndex: number,
  ): Answer => {
    if (key === undefined) {
      return toNamedError(dialect, 401, 'AuthenticationError', 'API Key missing. Send it as the X-Api-Key header.');
    }
    if (keyIndex === -1) return toNaturalError(dialect, 401);
    if (request.method !== 'GET') return { ...toNaturalError(dialect, 405), headers: { Allow: 'GET' } };
    return answerGet(account, dialect, path, query);
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const nowMs = performance.now();
    const pathAndQuery = request.url ?? '/';
    const queryStart = pathAndQuery.indexOf('?');
    const path = queryStart === -1 ? pathAndQuery : pathAndQuery.slice(0, queryStart);
    const query = new URLSearchParams(queryStart === -1 ? '' : pathAndQuery.slice(queryStart));
    const headerKey = request.headers['x-api-key'];
    const key = typeof headerKey === 'string' ? headerKey : (query.get('apikey') ?? undefined);
    const keyIndex = key === undefined ? -1 : knownKeys.indexOf(key);
    const requestLine = `${request.method} ${pathAndQuery.replace(/([?&]apikey=)[^&]*/i, '$1[redacted]')}`;
    const arrival: MutableArrival = {
      atMs: nowMs,
      requestLine,
      keyIn: key === undefined ? 'none' : headerKey === undefined ? 'query' : 'header',
      keyIndex,
      headers: toLoggedHeaders(request),
      status: 0,
      finishedAtMs: undefined,
    };
    calls.push(requestLine);
    arrivals.push(arrival);
    const finish = () => {
      arrival.finishedAtMs ??= performance.now();
    };
    response.once('finish', finish).once('close', finish);
    request.resume();

    const { refusal, fault, rateHeaders } = admit(path, pathAndQuery, keyIndex, nowMs);
    const normal =
      refusal === undefined
        ? answer(request, path, query, key, keyIndex)
        : toTooManyRequests(dialect, refusal.resetMs, Date.now());
    const markAnswered = (status: number) => {
      arrival.status = status;
    };
    await deliver({ request, response, dialect, markAnswered }, normal, rateHeaders, fault);
  };

  const server = createServer((request, response) => {
    // A broken account must show as the upstream's failure, not as a call that never ends.
    serve(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'text/plain' });
      response.end(String(error));
    });
  });
  // Longer than any client keeps an idle connection, so that it never closes one in the moment of its reuse.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  return {
    origin: `http://127.0.0.1:${port}`,
    apiKey,
    calls,
    arrivals,
    failNext: (count, fault) => faults.next(count, fault),
    fail: (match, fault, times = Number.POSITIVE_INFINITY) => faults.matching(match, fault, times),
    heal: () => faults.clear(),
    setLimits: (next) => {
      limits = next;
    },
    reset: () => {
      calls.length = 0;
      arrivals.length = 0;
      windows = [];
      callsThisMonth = 0;
      faults.clear();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function toLoggedHeaders(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, name === 'x-api-key' ? '[redacted]' : String(value)]),
  );
}
