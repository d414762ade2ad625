#!/usr/bin/env node
import type { Logger } from 'pino';
import { createLineOutput } from './line-output.ts';
import { createShutdown } from './shutdown.ts';

// Long enough for a program that still reads the output.
const LAST_LINES_TIMEOUT_MS = 250;

let logger: Logger | undefined;
// Logs go to stderr. stdout gets only the address, for people and for programs.
const stdout = createLineOutput(process.stdout);
const stderr = createLineOutput(process.stderr, (lostLines) =>
  logger?.error({ lostLines }, 'log lines have been lost since the start'),
);
const settle = () => stderr.settle(LAST_LINES_TIMEOUT_MS);
const shutdown = createShutdown();

try {
  // Loading the rest takes a while, and signals must be handled by then.
  const { start } = await import('./start.ts');
  const started = await start(process.argv.slice(2), stderr);
  if ('text' in started) {
    stdout.write(started.text);
    await stdout.settle(LAST_LINES_TIMEOUT_MS);
    process.exit(0);
  }
  logger = started.logger;
  shutdown.serve({ ...started, settle });
  stdout.write(`listening on ${started.url} (${started.account})\n`);
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  await settle();
  process.exit(1);
}
