/**
 * A simulated Postman API, read side, with rate limits and planned faults: `startSandbox`, its options, and the log of
 * arrived requests.
 *
 * It stands for a server that others run, so it shares no code with the facade: it must not import upstream, loaders,
 * graph, dry-run, server or config, nor GraphQL or HTTP client packages. It uses plain `node:http`. The account that it
 * serves comes from `account/` (the example account) or `exports/` (exported files).
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from './account/account.ts';
import { createDemoAccount } from './account/demo.ts';
import { monotonicMs } from './clock.ts';
import { deliver } from './delivery.ts';
import { type ServiceResponse, type Behavior, toNamedError, toNaturalError } from './behaviors.ts';
import { createRateLimitGate, type KnownKey, type OtherApiKey, toKnownKeys } from './rate-limit-gate.ts';
import { createFaultPlan, type Fault } from './faults.ts';
import { createLoopbackServer } from './loopback-server.ts';
import type { RateLimits } from './rate-windows.ts';
import { type ReceivedRequest, readRequest } from './read-request.ts';
import { serveGet } from './routes.ts';

/** Settings of a sandbox. */
export interface SandboxOptions {
  /** The key it accepts; unknown keys get a 401. Default: a random key. */
  readonly apiKey?: string;
  /** Further keys that it accepts, of the same account. */
  readonly otherApiKeys?: readonly OtherApiKey[];
  /** Default `'current'`. */
  readonly behavior?: Behavior;
  /** Default: 60 calls in 60 s, and 10 in 10 s on the burst routes. */
  readonly limits?: RateLimits;
  /** Simulated transit times; called once per call. Default: 0. */
  readonly latency?: () => Latency;
  /** Default: the example account. Read on every call, so changes show at once. */
  readonly account?: Account;
  /** Default 0, which picks a free port. */
  readonly port?: number;
}

/** Transit times of one call, in milliseconds. */
export interface Latency {
  /** Time before the call arrives and is counted. */
  readonly requestMs: number;
  /** Time from the call's arrival to the start of the response. */
  readonly responseMs: number;
}

/** One request as it arrived. */
export interface Arrival extends Pick<ReceivedRequest, 'requestLine' | 'keyIn' | 'headers'> {
  /** When it was counted or refused, on the scale of `performance.now()`, in milliseconds. */
  readonly atMs: number;
  /** Index of its key: 0 for `apiKey`, from 1 for `otherApiKeys`, -1 for a missing or unknown key. */
  readonly keyIndex: number;
  /** The status that was sent; 0 until then, also if the connection is reset or left hanging before. */
  readonly status: number;
  /** When the response was sent completely or the connection closed; undefined before. */
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
  /** Plans this fault for the next `count` calls, of any path, that the rate windows admit. */
  failNext(count: number, fault: Fault): void;
  /**
   * Plans this fault for calls whose path and query contain the text or match the expression. Newer rules take
   * precedence.
   *
   * @param times - Number of calls. Default: no limit.
   */
  fail(match: string | RegExp, fault: Fault, times?: number): void;
  /** Removes all faults. */
  heal(): void;
  /** Changes the sizes of the rate windows from the next call on; calls already counted stay counted. */
  setLimits(limits: RateLimits): void;
  /** Clears calls, arrivals, the counts of the rate windows and of the monthly quota, and all faults. */
  reset(): void;
  /** Stops listening and drops all connections, until `comeBack`. Calls already counted stay counted. */
  goDown(): Promise<void>;
  /**
   * Listens again, on the same port.
   *
   * @throws {Error} When the port is taken.
   */
  comeBack(): Promise<void>;
  /** Stops for good. */
  close(): Promise<void>;
}

type MutableArrival = { -readonly [K in keyof Arrival]: Arrival[K] };

/**
 * Starts a simulated Postman API, read side, on loopback. It applies the rate limits to the time at which a request
 * reaches this process, without tolerance.
 *
 * @returns Once it listens.
 * @throws {Error} When the port is taken.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const apiKey = options.apiKey ?? `PMAK-sandbox-${randomBytes(12).toString('hex')}`;
  const behavior = options.behavior ?? 'current';
  const account = options.account ?? createDemoAccount();
  const keys = toKnownKeys(apiKey, account.user, options.otherApiKeys ?? []);
  const faults = createFaultPlan();
  const calls: string[] = [];
  const arrivals: MutableArrival[] = [];
  const limits = options.limits ?? {
    general: { limit: 60, windowMs: 60_000 },
    burst: { limit: 10, windowMs: 10_000 },
  };
  const gate = createRateLimitGate({ account, behavior, faults, limits });

  const respond = ({ method, sentKey, path, query }: ReceivedRequest, key: KnownKey | undefined): ServiceResponse => {
    if (sentKey === undefined) {
      return toNamedError(behavior, 401, 'AuthenticationError', 'API Key missing. Send it as the X-Api-Key header.');
    }
    if (key === undefined) return toNaturalError(behavior, 401);
    if (method !== 'GET') return { ...toNaturalError(behavior, 405), headers: { Allow: 'GET' } };
    return serveGet(key.user ? { ...account, user: key.user } : account, behavior, path, query);
  };

  const server = createLoopbackServer(async (request, response) => {
    request.resume();
    const { requestMs, responseMs } = options.latency?.() ?? { requestMs: 0, responseMs: 0 };
    if (requestMs > 0) {
      // A call that was sent arrives even if its caller has disconnected since, unless the server is down by then.
      await sleep(requestMs, undefined, { ref: false });
      if (!server.isListening()) return;
    }
    const nowMs = monotonicMs();
    const received = readRequest(request);
    const { path, pathAndQuery, requestLine, sentKey, keyIn, headers } = received;
    const key = sentKey === undefined ? undefined : keys.get(sentKey);
    const arrival: MutableArrival = {
      atMs: nowMs,
      requestLine,
      keyIn,
      keyIndex: key?.index ?? -1,
      headers,
      status: 0,
      finishedAtMs: response.destroyed ? nowMs : undefined,
    };
    calls.push(requestLine);
    arrivals.push(arrival);
    const finish = () => {
      arrival.finishedAtMs ??= monotonicMs();
    };
    response.once('finish', finish).once('close', finish);

    const { refusal, fault, rateHeaders } = gate.check(path, pathAndQuery, key, nowMs);
    const recordStatus = (status: number) => {
      arrival.status = status;
    };
    await deliver(
      { request, response, behavior, responseMs, recordStatus },
      refusal ?? respond(received, key),
      rateHeaders,
      fault,
    );
  });
  const port = await server.listen(options.port ?? 0);

  return {
    origin: `http://127.0.0.1:${port}`,
    apiKey,
    calls,
    arrivals,
    failNext: (count, fault) => faults.next(count, fault),
    fail: (match, fault, times = Number.POSITIVE_INFINITY) => faults.matching(match, fault, times),
    heal: () => faults.clear(),
    setLimits: gate.setLimits,
    reset: () => {
      calls.length = 0;
      arrivals.length = 0;
      gate.reset();
      faults.clear();
    },
    goDown: server.goDown,
    comeBack: async () => {
      await server.listen(port);
    },
    close: server.goDown,
  };
}
