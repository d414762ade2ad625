import { pino } from 'pino';
import { parseConfig } from '../../src/config/config.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.ts';
import { startServer } from '../../src/server.ts';
import { createMovingClock } from './moving-clock.ts';
import type { ReportedBudget, UpstreamExtension } from '../../src/server/operation/upstream-extension.ts';
import type { UpstreamCost } from '../../src/server/operation/request-record.ts';

/** One entry of `errors`. */
export interface ResultError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A GraphQL response as received over the socket. */
export interface FacadeResponse {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests compare whole results, whatever their shape.
  readonly data: any;
  readonly errors: readonly ResultError[];
  readonly upstream: UpstreamCost;
  /** `extensions.upstream.budget`, which `upstream` does not have. */
  readonly budget: ReportedBudget | undefined;
}

/** A complete facade in front of a simulated Postman API, both on loopback sockets. */
export interface Facade {
  readonly url: string;
  readonly postman: Sandbox;
  /** All log lines, each a JSON object. */
  readonly log: string[];
  /** @throws {TypeError} An error has no code, or does not say whether it is retryable. */
  query(
    query: string,
    options?: { variables?: object; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<FacadeResponse>;
  /** Advances the facade's clocks without waiting: cached responses age, and rate windows pass. */
  skip(ms: number): void;
  /** Moves only the facade's wall clock, forward or back. Forward also simulates a machine that slept. */
  jumpWallClock(ms: number): void;
  close(): Promise<void>;
}

/**
 * Starts a facade and its simulated upstream. Without `env`, the server uses the sandbox's key and rate limits too high
 * to matter: 10,000 calls a window. `env` is parsed like the process's environment.
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
        extensions?: { upstream: UpstreamExtension };
      };
      for (const { message, extensions } of body.errors ?? []) {
        if (typeof extensions?.['code'] === 'string' && typeof extensions['retryable'] === 'boolean') continue;
        throw new TypeError(`An error has no code, or does not say whether it is retryable: ${message}`);
      }
      const none = { calls: 0, cached: 0, coalesced: 0, waitedMs: 0, sandbox: false };
      const { budget, ...upstream }: UpstreamExtension = body.extensions?.upstream ?? none;
      return {
        status: response.status,
        headers: response.headers,
        data: body.data,
        errors: body.errors ?? [],
        upstream,
        budget,
      };
    },
    async close() {
      await server.stop();
      await postman.close();
    },
  };
}
