import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { Call } from '../../postman/call.ts';
import type { CallLocks } from '../../shared-cache/locks/call-locks.ts';
import { MAX_TEXT_BYTES } from '../../shared-cache/sealed/body-text.ts';
import type { Caller, Operation } from '../operation/operation.ts';

/** What to do once no other instance makes the call: make it, or look into the cache again. */
export type Entering = Promise<'make' | 'again'>;

/** Calls that other instances have under way with the same API key: this one waits for their responses. */
export interface CallsElsewhere {
  /**
   * To be called before a call is made. undefined: make it now. `make`: make it now, and call `leave` afterwards. `again`:
   * look into the cache again. Waits until the call elsewhere has ended, its instance is dead, Redis does not reply, or
   * the operation ends. Never rejects.
   *
   * @param waitedMs - How long the call has waited for Redis already.
   */
  enter(call: Call<unknown>, operation: Operation, waitedMs: number): Entering | undefined;
  /**
   * The response to a call is being written to the level of the cache that all instances share.
   *
   * @param textLength - If it is too long to be shared, this instance makes the call without waiting for others from
   *   then on.
   */
  storing(call: Call<unknown>, caller: Pick<Caller, 'keyHash'>, stored: Promise<void>, textLength: number): void;
  /**
   * Lets other instances go on, as soon as the call has settled and its response is written.
   *
   * @param settled - undefined: it has settled, or was not made.
   */
  leave(call: Call<unknown>, caller: Pick<Caller, 'keyHash'>, settled: Promise<void> | undefined): void;
}

/** What `createCallsElsewhere` needs. */
export interface CallsElsewhereOptions {
  readonly locks: CallLocks;
  readonly clock: Clock;
  /** Whether other instances will get the response. Otherwise they would wait for the call, and then make it again. */
  readonly isStoring: () => boolean;
  /** Looks for the response of another instance. Never rejects. */
  readonly load: (call: Call<unknown>, operation: Operation) => Promise<unknown> | undefined;
  /** Whether the operation accepts what this instance has cached. */
  readonly isServed: (call: Call<unknown>, operation: Operation) => boolean;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;
const MAX_TOO_LONG = 1_000;

/** Creates the coordination of this instance's calls with those of others. */
export function createCallsElsewhere(options: CallsElsewhereOptions): CallsElsewhere {
  const { locks, clock, isStoring, load, isServed } = options;
  // All by key hash and target.
  const entering = new Map<string, Promise<unknown>>();
  const releases = new Map<string, () => void>();
  const writes = new Map<string, Promise<void>>();
  // Calls whose responses other instances do not get.
  const tooLong = new LRUCache<string, true>({ max: MAX_TOO_LONG });
  const nameOf = ({ target }: Call<unknown>, { keyHash }: Pick<Caller, 'keyHash'>) => `${keyHash} ${target}`;

  const pause = (ms: number, { ended }: Operation) =>
    new Promise<void>((resolve) => {
      const end = () => {
        cancel();
        ended.removeEventListener('abort', end);
        resolve();
      };
      const cancel = clock.schedule(clock.nowMs() + ms, end);
      ended.addEventListener('abort', end);
    });

  const run = async (call: Call<unknown>, operation: Operation, name: string, waitedMs: number) => {
    let mark: string | undefined;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)) {
      const isFirst = pauseMs === FIRST_PAUSE_MS;
      const lock = await locks.lock(operation.caller, call.target, mark, isFirst ? waitedMs : 0);
      if (lock.is === 'mine' || lock.is === 'unknown') releases.set(name, lock.release);
      if (releases.has(name) || operation.ended.aborted) return 'make';
      if (lock.is === 'ended') {
        ({ mark } = lock);
        await load(call, operation);
        if (isServed(call, operation)) return 'again';
      } else await pause(pauseMs, operation);
    }
  };

  return {
    enter(call, operation, waitedMs) {
      const name = nameOf(call, operation.caller);
      if (!isStoring() || tooLong.has(name)) return undefined;
      // This instance makes the call: the operation joins it.
      if (releases.has(name)) return undefined;
      const known = entering.get(name);
      if (known) return known.then(() => 'again');
      const running = run(call, operation, name, waitedMs).finally(() => entering.delete(name));
      entering.set(name, running);
      return running;
    },

    storing(call, caller, stored, textLength) {
      const name = nameOf(call, caller);
      if (textLength > MAX_TEXT_BYTES) tooLong.set(name, true);
      else tooLong.delete(name);
      if (!releases.has(name)) return;
      writes.set(name, stored);
      const forget = () => {
        if (writes.get(name) === stored) writes.delete(name);
      };
      void stored.finally(forget);
    },

    leave(call, caller, settled) {
      const name = nameOf(call, caller);
      const release = releases.get(name);
      if (!release) return;
      const end = async () => {
        await settled;
        await writes.get(name);
        if (releases.get(name) === release) releases.delete(name);
        release();
      };
      void end();
    },
  };
}
