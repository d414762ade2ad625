import type { Clock } from '../../clock.ts';
import {
  type ExchangeHandlers,
  HEARTBEAT_KEYS,
  type StoredSlotRequest,
  type SlotRequestBatch,
  type StoredSlots,
} from './exchange.ts';
import { LEAVE_SCRIPT } from './scripts/generation-script.ts';
import type { RedisConnection } from './redis-connection.ts';

// The store ignores waiting calls that their instance has not reported again within this time.
const WAITS_MS = 6_000;

/** Tells the store that no calls of one key wait at this instance any more. Sent when the instance stops. */
export const NO_WAITS: SlotRequestBatch = { changes: [{ kind: 'leave' }] };

/** Handlers of an exchange whose reply does not matter. */
export const IGNORED_REPLY: ExchangeHandlers = { replied() {}, failed() {} };

/** Under which names the store may know calls that wait here: they are withdrawn when the instance stops. */
export class KnownWaits {
  /** Time of the last request by name, latest last. */
  readonly #requestedAtMs = new Map<string, number>();

  /** Slots are being requested under this name. */
  requested(name: string, nowMs: number): void {
    this.#requestedAtMs.delete(name);
    this.#requestedAtMs.set(name, nowMs);
  }

  /** The store has replied: if the call was granted and none waits behind it, nothing waits there. */
  replied(name: string, { next }: StoredSlotRequest, { isGranted }: StoredSlots): void {
    if (isGranted && !next) this.#requestedAtMs.delete(name);
  }

  /** Returns the names, after it has dropped those whose waiting calls the store ignores by now. */
  names(nowMs: number): Iterable<string> {
    for (const [name, atMs] of this.#requestedAtMs) {
      if (atMs > nowMs - WAITS_MS) break;
      this.#requestedAtMs.delete(name);
    }
    return this.#requestedAtMs.keys();
  }
}

/**
 * Signs an instance off. Redis runs commands in order, so its reply means that everything sent before has been done.
 *
 * @returns Resolves with the reply, or after `timeoutMs`. Never rejects.
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
