import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The built server as a separate process. */
export interface Program {
  readonly child: ChildProcess;
  readonly port: number;
}

/** The query of the benchmarks here: one call, which is cached afterwards. */
export const question = JSON.stringify({ query: '{ me { username } }' });

/**
 * Starts the built server without a log and waits for its address.
 *
 * @param env - Configuration. Without it, the server uses its example account.
 */
export async function startProgram(env: Record<string, string> = {}): Promise<Program> {
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { PORT: '0', LOG_LEVEL: 'silent', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(/^listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1]);
  return { child, port };
}
