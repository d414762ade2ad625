import { type Logger, pino } from 'pino';
import { readCommandLine } from './command-line.ts';
import { type Config, parseConfig } from './config/config.ts';
import { ConfigError } from './config/values.ts';
import { readEnvironment } from './config/read-environment.ts';
import type { LineOutput } from './line-output.ts';
import type { MemoryLimits } from './config/memory-limits.ts';
import { type FacadeServer, startServer } from './server.ts';
import { toPrintable } from './sandbox/exports/printable.ts';
import { readExports } from './sandbox/exports/read-exports.ts';
import { formatReport } from './sandbox/exports/report.ts';
import { startSandbox } from './sandbox/sandbox.ts';
import { Secret } from './upstream/http/secret.ts';

/** A running facade, with its sandbox if there is one. */
export interface Program extends FacadeServer {
  readonly logger: Logger;
  /** Describes the account whose data is served, for people. */
  readonly account: string;
}

// Postman's limits do not apply to local files. With this many calls per window, none ever waits.
const UNLIMITED = { general: { limit: 10_000, windowMs: 1_000, isCap: true } };

/**
 * Starts the facade that the command line, the environment and `.env` describe, and a sandbox if they name no Postman
 * account.
 *
 * @param args - Arguments of the command line.
 * @param log - Gets the lines of the log, and the report of the exports that were read.
 * @returns The running program; or a text to print, if the command line requests one.
 * @throws {Error} Its message says why the program cannot start.
 */
export async function start(args: readonly string[], log: LineOutput): Promise<Program | { readonly text: string }> {
  let partlyFrom = '';
  try {
    const commandLine = readCommandLine(args);
    if ('text' in commandLine) return commandLine;
    const { values, problems, warnings, envFile } = readEnvironment(commandLine.environment);
    partlyFrom = envFile === undefined ? '' : ` (partly from ${toPrintable(envFile)})`;
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
      error instanceof ConfigError ? `cannot start with this configuration${partlyFrom}:\n` : 'could not start: ';
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
      // A RATE_LIMIT that was set applies to exports too.
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

/** The memory limits for the log, in bytes. */
function memoryOf({ heapLimitBytes, budget, cache, operation, postman, query }: Config) {
  return {
    heapLimitBytes,
    cacheBytes: cache.maxBytes,
    heldBytes: operation.maxHeldBytesOfAll,
    heldBytesPerOperation: operation.maxHeldBytes,
    responseBytesInFlight: postman.maxResponseBytesInFlight,
    requestBytesInFlight: query.maxRequestBytesInFlight,
    documentCacheBytes: query.documentCacheBytes,
    persistedQueryBytes: query.persistedQueryBytes,
    resultBytes: operation.maxResultBytes,
    writtenBytes: operation.maxWrittenBytes,
    budgetBytes: budget.maxBytes,
  } satisfies MemoryLimits & Pick<Config, 'heapLimitBytes'>;
}

function accountOf({ sandbox, sandboxDir, postman }: Config): string {
  if (!sandbox) {
    const whoseKey = postman.apiKey ? "the server's own API key" : 'every client sends its own X-Api-Key';
    return `${postman.baseUrl}, ${whoseKey}`;
  }
  if (sandboxDir !== undefined) return `sandbox: the exports in ${toPrintable(sandboxDir)}`;
  return 'sandbox: an embedded example account, set POSTMAN_API_KEY to use your own';
}
