import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { expect } from 'vitest';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** Whether tests in a browser are skipped: there is none, and this is not CI. */
export const isSkipped = executablePath === undefined && process.env['CI'] === undefined;

/** The end of a title of skipped tests. */
export const skippedNote = isSkipped ? ' (skipped: there is no Chromium in /usr/bin)' : '';

/** The folder of the dashboard, whose dependencies `npm run test:e2e` has installed. */
export const dashboard = fileURLToPath(new URL('../../examples/dashboard/', import.meta.url));

/** Starts Chromium without the calls that it makes on its own behalf. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    ...(executablePath !== undefined && { executablePath }),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}

/** A page that Vite serves. */
export interface VitePage {
  readonly url: string;
  readonly process: ChildProcess;
}

/**
 * Serves a page by the Vite of the dashboard.
 *
 * @param script - `preview` serves the built page, `dev` the sources.
 * @param origin - Where its proxy sends queries.
 */
export async function serveByVite(folder: string, script: 'preview' | 'dev', origin: string): Promise<VitePage> {
  const vite = `${dashboard}node_modules/vite/bin/vite.js`;
  const process = spawn(
    globalThis.process.execPath,
    [vite, script, '--host', '127.0.0.1', '--port', '0', '--clearScreen', 'false'],
    { cwd: folder, env: { ...globalThis.process.env, NO_COLOR: '1', POSTMAN_GRAPHQL_ORIGIN: origin } },
  );
  let output = '';
  for (const stream of [process.stdout, process.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  await expect.poll(() => output).toMatch(/Local:.*\n/);
  const [url = ''] = /http:\S+/.exec(output) ?? [];
  return { url, process };
}
