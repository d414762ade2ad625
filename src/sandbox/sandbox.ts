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

/** Settings of a sandbox; all may be left out. */
export interface SandboxOptions {
  /** The key it knows; any other gets the 401 of the dialect. Default: a random one. */
  readonly apiKey?: string;
  /** More keys that see the same account. */
  readonly otherApiKeys?: readonly OtherApiKey[];
  /** Default `'current'`. */
  readonly behavior?: Behavior;
  /** Default: 60 calls in 60 s, and 10 in 10 s on the burst routes. */
  readonly limits?: RateLimits;
  /** How long each call is on its way, asked once for every call. Default: no time. */
  readonly latency?: () => Latency;
  /** Default: the demo account. It is read anew for every call. */
  readonly account?: Account;
  /** Default 0, which picks a free one. */
  readonly port?: number;
}

/** The two ways of a call, milliseconds. */
export interface Latency {
  /** Before the call arrives and is counted. */
  readonly requestMs: number;
  /** After that, before the answer begins. */
  readonly responseMs: number;
}

/** One request as it arrived. */
export interface Arrival extends Pick<ReceivedRequest, 'requestLine' | 'keyIn' | 'headers'> {
  /** When it was counted or refused: monotonic milliseconds, on the scale of `performance.now()`. */
  readonly atMs: number;
  /** Which of the known keys it was: 0 for `apiKey`, from 1 for the others, -1 for none of them. */
  readonly keyIndex: number;
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
  /** Forgets calls, arrivals, what the rate windows and the month have counted, and all faults. */
  reset(): void;
  /** Stops listening and drops all connections, answered or not, until it comes back. What it has counted stays counted. */
  goDown(): Promise<void>;
  /**
   * Listens again, on the same port.
   *
   * @throws {Error} When somebody else has taken the port.
   */
  comeBack(): Promise<void>;
  /** Goes down for good. */
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
      // Sent is sent: it arrives also when the caller has hung up in the meantime, but not where nobody is.
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
