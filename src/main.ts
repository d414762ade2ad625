import process from 'node:process';
import { type Logger, pino } from 'pino';
import { type Config, ConfigError, parseConfig, readEnvironment } from './config.ts';
import { type FacadeServer, startServer } from './server.ts';
import { toPrintable } from './sandbox/exports/printable.ts';
import { readExports } from './sandbox/exports/read-exports.ts';
import { formatReport } from './sandbox/exports/report.ts';
import { startSandbox } from './sandbox/sandbox.ts';
import { Secret } from './upstream/secret.ts';

// Upstream's limits do not apply to one's own files; this many calls a window never wait.
const UNLIMITED = { general: { limit: 10_000, windowMs: 1_000, isCap: true } };

async function start(config: Config, logger: Logger): Promise<FacadeServer> {
  if (!config.sandbox) return startServer(config, logger);
  const exports = config.sandboxDir === undefined ? undefined : await readExports(config.sandboxDir);
  for (const line of exports ? formatReport(exports) : []) process.stderr.write(`${line}\n`);
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

function accountOf({ sandbox, sandboxDir, postman }: Config): string {
  if (!sandbox)
    return ` (${postman.baseUrl}, ${postman.apiKey ? "the server's own API key" : 'every client sends its own X-Api-Key'})`;
  if (sandboxDir !== undefined) return ` (sandbox: the exports in ${toPrintable(sandboxDir)})`;
  return ' (sandbox: an embedded example account, set POSTMAN_API_KEY to use your own)';
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function readConfig(): Config {
  try {
    return parseConfig(readEnvironment());
  } catch (error) {
    if (error instanceof ConfigError) fail(`postman-graphql cannot start with this configuration:\n${error.message}`);
    throw error;
  }
}

const config = readConfig();
// Logs go to stderr: stdout tells the address, for people and for programs.
const logger = pino({ level: config.logLevel }, pino.destination(2));

try {
  const facade = await start(config, logger);
  process.stdout.write(`listening on ${facade.url}${accountOf(config)}\n`);

  let isStopping = false;
  const stop = (signal: NodeJS.Signals) => {
    // Ctrl-C under npm comes twice: from the terminal, and passed on by npm.
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    facade.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  fail(`postman-graphql could not start: ${error instanceof Error ? error.message : String(error)}`);
}
