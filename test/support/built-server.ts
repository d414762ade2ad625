import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A run of the program. */
export interface ProgramRun {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Exit code, or the signal that ended it. */
  ended(): Promise<number | string>;
}

/** A running server. */
export interface RunningServer extends ProgramRun {
  readonly url: string;
  /** Sends SIGTERM and waits for the process to exit. */
  stop(): Promise<number | string>;
}

/** The server, bundled for one test file as `npm run build` does it. */
export interface BuiltServer {
  /** Path of the script that Node runs. */
  readonly main: string;
  /** Default working directory, outside of the checkout, so that its .env is not read. */
  readonly folder: string;
  build(): void;
  /** Runs it, without this process's environment. */
  run(env: Record<string, string>, args?: readonly string[], cwd?: string): ProgramRun;
  /** Runs it on a free port and waits until it logs its address. */
  start(env: Record<string, string>, args?: readonly string[], cwd?: string): Promise<RunningServer>;
  /** Adopts a child process that was started differently; reads its pipes, if it has any. */
  watch(child: ChildProcess): ProgramRun;
  /** Kills running processes and removes the build. */
  remove(): void;
}

/**
 * Bundles into a folder other than that of `npm start`, which may be running, but inside the package, because optional
 * packages are resolved from there.
 */
export function createBuiltServer(name: string): BuiltServer {
  const built = join(root, 'dist', `${name}-${process.pid}`);
  const main = join(built, 'src', 'main.js');
  const folder = join(built, 'cwd');
  const children = new Set<ChildProcess>();

  const watch: BuiltServer['watch'] = (child) => {
    children.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const closed = once(child, 'close') as Promise<[number | null, string | null]>;
    return {
      child,
      stdout: () => stdout,
      stderr: () => stderr,
      async ended() {
        const [code, signal] = await closed;
        return code ?? signal ?? 'unknown';
      },
    };
  };

  const run: BuiltServer['run'] = (env, args = [], cwd = folder) =>
    watch(spawn(process.execPath, [main, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }));

  return {
    main,
    folder,
    build() {
      spawnSync(process.execPath, ['scripts/bundle.mjs', join(built, 'src')], { cwd: root, stdio: 'inherit' });
      if (!existsSync(main)) throw new Error('The build did not make src/main.js');
      mkdirSync(folder);
    },
    run,
    watch,
    async start(env, args, cwd) {
      const program = run({ PORT: '0', ...env }, args, cwd);
      while (!program.stdout().includes('\n') && program.child.exitCode === null)
        await Promise.race([once(program.child.stdout!, 'data'), once(program.child, 'exit')]);
      const url = /^listening on (\S+)/.exec(program.stdout())?.[1];
      if (url === undefined) throw new Error(`It did not start: ${program.stderr()}`);
      return {
        ...program,
        url,
        stop() {
          program.child.kill('SIGTERM');
          return program.ended();
        },
      };
    },
    remove() {
      for (const child of children) child.kill('SIGKILL');
      rmSync(built, { recursive: true, force: true });
    },
  };
}
