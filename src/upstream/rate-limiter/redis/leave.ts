import type { Clock } from '../../clock.ts';
import {
  type ExchangeHandlers,
  HEARTBEAT_KEYS,
  type StoredSlotRequest,
  type SlotRequestBatch,
  type StoredSlots,
} from './exchange.ts';
import { LEAVE_SCRIPT } from './generation-script.ts';
import type { RedisConnection } from './redis-connection.ts';

// What waits at an instance that has said nothing of it for this long counts nowhere.
const WAITS_MS = 6_000;

/** What the store is told of one key when an instance stops. */
export const NO_WAITS: SlotRequestBatch = { changes: [{ kind: 'leave' }] };

/** For an exchange whose answer nobody waits for. */
export const IGNORED_REPLY: ExchangeHandlers = { replied() {}, failed() {} };

/** The slots of whose keys the store has been told that calls wait here, so that it can be told at the end that they no longer do. */
export class KnownWaits {
  /** When the store was asked last; the latest comes last. */
  readonly #requestedAtMs = new Map<string, number>();

  /** The store is asked for slots under a name. */
  requested(name: string, nowMs: number): void {
    this.#requestedAtMs.delete(name);
    this.#requestedAtMs.set(name, nowMs);
  }

  /** The store has answered. */
  replied(name: string, { next }: StoredSlotRequest, { isGranted }: StoredSlots): void {
    if (isGranted && !next) this.#requestedAtMs.delete(name);
  }

  /** The names, without those that count no longer. */
  names(nowMs: number): Iterable<string> {
    for (const [name, atMs] of this.#requestedAtMs) {
      if (atMs > nowMs - WAITS_MS) break;
      this.#requestedAtMs.delete(name);
    }
    return this.#requestedAtMs.keys();
  }
}

/**
 * Tells the store that an instance stops. It comes last on the connection: when it is answered, all that was sent before has been done.
 *
 * @returns When it has been answered, or has not been within `timeoutMs`. It never rejects.
 */
export async function leaveStore(
  { connection, clock }: { readonly connection: RedisConnection; readonly clock: Clock },
  instance: string,
  timeoutMs: number,
): Promise<void> {
  let stop = () => {};
  const timedOut = new Promise<void>((resolve) => {
    stop = clock.schedule(clock.nowMs() + timeoutMs, resolve);
  });
  await Promise.race([connection.run(LEAVE_SCRIPT, HEARTBEAT_KEYS, instance).catch(() => {}), timedOut]);
  stop();
}
