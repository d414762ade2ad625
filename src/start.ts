import { type Logger, pino } from 'pino';
import { readCommandLine } from './command-line.ts';
import { type Config, parseConfig } from './config/config.ts';
import { ConfigError } from './config/values.ts';
import { readEnvironment } from './config/read-environment.ts';
import type { LineOutput } from './line-output.ts';
import type { MemoryShares } from './config/memory-shares.ts';
import { type FacadeServer, startServer } from './server.ts';
import { toPrintable } from './sandbox/exports/printable.ts';
import { readExports } from './sandbox/exports/read-exports.ts';
import { formatReport } from './sandbox/exports/report.ts';
import { startSandbox } from './sandbox/sandbox.ts';
import { Secret } from './upstream/http/secret.ts';

/** A facade that serves, with whatever it stands before. */
export interface Program extends FacadeServer {
  readonly logger: Logger;
  /** Whose data it serves, for people. */
  readonly account: string;
}

// Upstream's limits do not apply to one's own files; this many calls a window never wait.
const UNLIMITED = { general: { limit: 10_000, windowMs: 1_000, isCap: true } };

/**
 * Starts what the command line, the environment and `.env` say: a facade, and without an account of Postman's the sandbox that it stands before.
 *
 * @param args - Of the command line.
 * @param log - Gets the log, and before it what was read of exports.
 * @returns The program; or the text that the command line asked to be printed instead.
 * @throws {Error} Whose message tells people why it cannot be started.
 */
export async function start(args: readonly string[], log: LineOutput): Promise<Program | { readonly text: string }> {
  let source = '';
  try {
    const commandLine = readCommandLine(args);
    if ('text' in commandLine) return commandLine;
    const { values, problems, warnings, envFile } = readEnvironment(commandLine.environment);
    source = envFile === undefined ? '' : `, part of which is ${toPrintable(envFile)}`;
    const config = parseConfig(values, undefined, problems);
    const logger = pino({ level: config.logLevel }, log);
    if (envFile !== undefined) logger.info({ file: envFile }, 'read .env');
    for (const warning of warnings) logger.warn(warning);
    const facade = await startFacade(config, logger, log);
    logger.info(memoryOf(config), 'memory');
    return { ...facade, logger, account: accountOf(config) };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const title =
      error instanceof ConfigError ? `cannot start with this configuration${source}:\n` : 'could not start: ';
    throw new Error(`postman-graphql ${title}${problem}`, { cause: error });
  }
}

async function startFacade(config: Config, logger: Logger, log: LineOutput): Promise<FacadeServer> {
  if (!config.sandbox) return startServer(config, logger);
  const exports = config.sandboxDir === undefined ? undefined : await readExports(config.sandboxDir);
  for (const line of exports ? formatReport(exports) : []) log.write(`${line}\n`);
  const isUnlimited = exports !== undefined && !config.sandboxLimits;
  const sandbox = await startSandbox({
    ...(exports && { account: exports.account }),
    ...(isUnlimited && { limits: 'off' }),
  });
  const { burst: _, ...budget } = config.budget;
  const facade = await startServer(
    {
      ...config,
      // A RATE_LIMIT that was set holds for exports too.
      ...(isUnlimited && !budget.general.isCap && { budget: { ...budget, ...UNLIMITED } }),
      postman: { ...config.postman, baseUrl: sandbox.origin, apiKey: new Secret(sandbox.apiKey) },
    },
    logger,
  );
  return {
    url: facade.url,
    async stop() {
      await facade.stop();
      await sandbox.close();
    },
  };
}

/** What may be held of everything that grows, in bytes on the heap, where V8 gives up at its limit. */
function memoryOf({ heapLimitBytes, budget, cache, operation, postman, query }: Config) {
  return {
    heapLimitBytes,
    cacheBytes: cache.maxBytes,
    heldBytes: operation.maxHeldBytesOfAll,
    heldBytesPerOperation: operation.maxHeldBytes,
    responseBytesInFlight: postman.maxResponseBytesInFlight,
    requestBytesInFlight: query.maxRequestBytesInFlight,
    documentCacheBytes: query.documentCacheBytes,
    answerBytes: operation.maxResultBytes,
    writtenBytes: operation.maxWrittenBytes,
    budgetBytes: budget.maxBytes,
  } satisfies MemoryShares & Pick<Config, 'heapLimitBytes'>;
}

function accountOf({ sandbox, sandboxDir, postman }: Config): string {
  if (!sandbox)
    return `${postman.baseUrl}, ${postman.apiKey ? "the server's own API key" : 'every client sends its own X-Api-Key'}`;
  if (sandboxDir !== undefined) return `sandbox: the exports in ${toPrintable(sandboxDir)}`;
  return 'sandbox: an embedded example account, set POSTMAN_API_KEY to use your own';
}
