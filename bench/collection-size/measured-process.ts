import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Spent } from './stall-probe.ts';

/** A process that has loaded the probe. */
export interface MeasuredProcess {
  readonly child: ChildProcess;
  /** The first line it wrote. */
  readonly firstLine: string;
  /** Runs work that keeps the process busy, and returns what it cost the process. */
  measure(work: () => Promise<void>): Promise<Spent>;
  stop(): Promise<void>;
}

/**
 * Starts a built module with the probe, and waits for its first line.
 *
 * @param file - Relative to this folder.
 * @param errorOutput - Descriptor of the file that gets what the process writes to stderr. Default: this process's own.
 */
export async function startMeasured(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
  errorOutput: number | 'inherit' = 'inherit',
): Promise<MeasuredProcess> {
  const child = spawn(
    process.execPath,
    [
      '--import',
      new URL('./stall-probe.js', import.meta.url).href,
      fileURLToPath(new URL(file, import.meta.url)),
      ...args,
    ],
    { env, stdio: ['ignore', 'pipe', errorOutput, 'ipc'] },
  );
  // Without this, a process that ends by itself would be awaited for ever.
  child.once('exit', (code) => {
    if (code !== 0 && code !== null) throw new Error(`${file} ended with ${code}`);
  });
  if (!child.stdout) throw new TypeError('The child has a pipe');
  const [firstLine] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    child,
    firstLine: firstLine.toString(),
    async measure(work) {
      child.send('start');
      await once(child, 'message');
      await work();
      child.send('stop');
      const [spent] = (await once(child, 'message')) as [Spent];
      return spent;
    },
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}
