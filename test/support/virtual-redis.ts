import { createClient } from '@redis/client';
import { keysOf } from '../../src/upstream/rate-limiter/redis/exchange.ts';
import { CLOCK_SCRIPT } from '../../src/upstream/rate-limiter/redis/scripts/generation-script.ts';
import type { RedisConnection } from '../../src/upstream/rate-limiter/redis/redis-connection.ts';
import { SlotStore, type SlotStoreOptions } from '../../src/upstream/rate-limiter/redis/slot-store.ts';
import { Secret } from '../../src/upstream/http/secret.ts';
import type { RedisServer } from './redis-server.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

/** A real Redis whose scripts use the simulated time of a test. */
export interface VirtualRedis {
  readonly clock: VirtualClock;
  /** Creates the store of an instance. Its connection can be cut: all exchanges then fail. */
  open(options: Pick<SlotStoreOptions, 'limits'> & Partial<SlotStoreOptions>, runId?: string): VirtualInstance;
  /** Number of commands sent. */
  commands(): number;
  /** The fields that Redis stores about one key's slots. */
  state(name: string): Promise<Record<string, string>>;
  flush(): Promise<void>;
  close(): void;
}

/** The store of one instance, and control over its connection. */
export interface VirtualInstance {
  readonly store: SlotStore;
  /** Cuts the connection: no command arrives and no reply comes back. */
  cut(): void;
  /** Restores the connection. */
  mend(): void;
  /** Sets the time until a reply. Default: 0. */
  setRoundTripMs(ms: number): void;
  setRunId(runId: string): void;
}

/** Connects to a server; once for all tests of a file. */
export async function connectVirtualRedis(server: RedisServer) {
  const client = createClient({ url: server.url });
  await client.connect();
  const shas = new Map<string, string>();
  let pending = 0;
  let commands = 0;

  const evaluate = async (script: string, keys: readonly string[], argument: string, nowMs: number) => {
    pending++;
    commands++;
    try {
      const text = script.replace(CLOCK_SCRIPT, 'local nowUs = ARGV[2] * 1000');
      const sha = shas.get(script) ?? (await client.sendCommand<string>(['SCRIPT', 'LOAD', text]));
      shas.set(script, sha);
      return await client.sendCommand<string>(['EVALSHA', sha, String(keys.length), ...keys, argument, String(nowMs)]);
    } finally {
      pending--;
    }
  };

  const nextLoopRound = () => new Promise<void>((resolve) => void setImmediate(resolve));
  const settle = async () => {
    // A reply may cause the next command.
    for (let quiet = 0; quiet < 3; quiet++) {
      await nextLoopRound();
      if (pending > 0) quiet = -1;
    }
  };

  return {
    async begin(): Promise<VirtualRedis> {
      await client.sendCommand(['FLUSHALL']);
      const clock = createVirtualClock(settle);
      return {
        clock,
        commands: () => commands,
        async state(name) {
          const stateKey = keysOf(name).find((key) => key.endsWith(':state')) ?? '';
          return { ...(await client.hGetAll(stateKey)) };
        },
        flush: async () => void (await client.sendCommand(['FLUSHALL'])),
        close: () => {},
        open(options, runId = 'run') {
          let isCut = false;
          let roundTripMs = 0;
          let currentRunId = runId;
          let connected = () => {};
          const connection: RedisConnection = {
            runId: () => (isCut ? undefined : currentRunId),
            onConnected: (listener) => void (connected = listener),
            close: () => void (isCut = true),
            async run(script, keys, argument) {
              if (isCut) throw new Error('cut');
              const wait = (ms: number) =>
                ms === 0 ? undefined : new Promise<void>((resolve) => clock.schedule(clock.nowMs() + ms, resolve));
              await wait(roundTripMs / 2);
              const reply = await evaluate(script, keys, argument, clock.nowMs());
              await wait(roundTripMs / 2);
              if (isCut) throw new Error('cut');
              return reply;
            },
          };
          const store = new SlotStore({
            connection,
            clock,
            secret: new Secret('s'.repeat(44)),
            withoutStore: 'share',
            onReach: () => {},
            ...options,
          });
          connected();
          return {
            store,
            cut: () => void (isCut = true),
            mend: () => void (isCut = false),
            setRoundTripMs: (ms) => void (roundTripMs = ms),
            setRunId: (id) => void (currentRunId = id),
          };
        },
      };
    },
    async close() {
      await client.close();
    },
  };
}
