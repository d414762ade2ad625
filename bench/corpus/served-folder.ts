import { pino } from 'pino';
import { parseConfig } from '../../src/config/config.ts';
import { readExports } from '../../src/sandbox/exports/read-exports.ts';
import type { ExportsReport } from '../../src/sandbox/exports/report.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { startServer } from '../../src/server.ts';

/** One entry of `errors`. */
export interface ResultError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string };
}

/** A GraphQL response as received. `data` is empty if the response has none. */
export interface GraphQLResponse {
  readonly data: Readonly<Record<string, unknown>>;
  readonly errors: readonly ResultError[];
  readonly bytes: number;
}

/** Sends one query to the server. */
export type SendQuery = (query: string, variables?: object) => Promise<GraphQLResponse>;

/** A folder of exports behind the real server, both on loopback sockets. */
export interface ServedFolder {
  readonly exports: ExportsReport;
  readonly sendQuery: SendQuery;
  close(): Promise<void>;
}

/**
 * Serves a folder as `SANDBOX_DIR` does, with the server's default limits except two: upstream's rate limits, which do
 * not apply to files, and the length and depth of a query, which follow the depth of a file. Shows secrets, because
 * masked values cannot be compared.
 *
 * @throws {Error} When there is no such folder or it cannot be read.
 */
export async function serveFolder(folder: string): Promise<ServedFolder> {
  const exports = await readExports(folder);
  const sandbox = await startSandbox({ account: exports.account, limits: 'off' });
  const config = parseConfig({
    PORT: '0',
    POSTMAN_API_BASE_URL: sandbox.origin,
    POSTMAN_API_KEY: sandbox.apiKey,
    RATE_LIMIT: '10000',
    RATE_LIMIT_WINDOW_MS: '1000',
    BURST_LIMIT: '0',
    COLD_START: 'off',
    MAX_QUERY_TOKENS: '100000',
    MAX_QUERY_DEPTH: '1000',
    REVEAL_SECRETS: 'true',
    LOG_LEVEL: 'silent',
  });
  const server = await startServer(config, pino({ level: 'silent' }));
  return {
    exports,
    async sendQuery(query, variables) {
      const response = await fetch(server.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      const text = await response.text();
      const { data, errors = [] } = JSON.parse(text) as {
        data?: Record<string, unknown> | null;
        errors?: readonly ResultError[];
      };
      return { data: data ?? {}, errors, bytes: Buffer.byteLength(text) };
    },
    async close() {
      await server.stop();
      await sandbox.close();
    },
  };
}
