import { pino } from 'pino';
import { parseConfig } from '../../src/config/config.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.ts';
import { startServer } from '../../src/server.ts';
import { createMovingClock } from './moving-clock.ts';
import type { UpstreamCost } from '../../src/server/operation/request-record.ts';

/** One entry of `errors`. */
export interface ResultError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A GraphQL answer as it came over the socket. */
export interface FacadeResponse {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests compare whole results, whatever their shape.
  readonly data: any;
  readonly errors: readonly ResultError[];
  readonly upstream: UpstreamCost;
}

/** A whole facade before a simulated Postman, both on loopback sockets. */
export interface Facade {
  readonly url: string;
  readonly postman: Sandbox;
  /** Everything logged, one JSON object a line. */
  readonly log: string[];
  query(
    query: string,
    options?: { variables?: object; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<FacadeResponse>;
  /** Moves the facade's time on, without waiting: what it kept gets older, its windows pass. */
  skip(ms: number): void;
  /** Sets the facade's wall clock, and only it, forward or back; forward it is also what a machine does that sleeps. */
  jumpWallClock(ms: number): void;
  close(): Promise<void>;
}

/**
 * Starts a facade and its simulated upstream. Without `env` it has the sandbox's key as its own and no rate limits worth
 * mentioning: 10,000 calls a window. Everything in `env` is read as from the environment.
 */
export async function startFacade(env: Record<string, string> = {}, sandbox: SandboxOptions = {}): Promise<Facade> {
  const postman = await startSandbox({ limits: 'off', ...sandbox });
  const log: string[] = [];
  const config = parseConfig({
    PORT: '0',
    POSTMAN_API_BASE_URL: postman.origin,
    POSTMAN_API_KEY: postman.apiKey,
    RATE_LIMIT: '10000',
    BURST_LIMIT: '10000',
    MAX_CONCURRENT_CALLS: '100',
    COLD_START: 'off',
    LOG_LEVEL: 'debug',
    ...env,
  });
  const clock = createMovingClock();
  const logger = pino({ level: config.logLevel }, { write: (line) => void log.push(line) });
  const server = await startServer(config, logger, clock);

  return {
    url: server.url,
    postman,
    log,
    skip: clock.skip,
    jumpWallClock: clock.jumpWallClock,
    async query(query, { variables, headers, signal } = {}) {
      const response = await fetch(server.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
        ...(signal && { signal }),
      });
      const body = (await response.json()) as {
        data?: unknown;
        errors?: ResultError[];
        extensions?: { upstream: UpstreamCost };
      };
      return {
        status: response.status,
        headers: response.headers,
        data: body.data,
        errors: body.errors ?? [],
        upstream: body.extensions?.upstream ?? { calls: 0, cached: 0, coalesced: 0, waitedMs: 0, sandbox: false },
      };
    },
    async close() {
      await server.stop();
      await postman.close();
    },
  };
}
