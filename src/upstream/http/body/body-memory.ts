import { createFairCapacity } from '../../fair-capacity.ts';

/** The room that one body takes while it is read. */
export interface BodyRead {
  /**
   * Takes more room, at once or when there is some.
   *
   * @param signal - Ends the waiting.
   * @throws {NoMemoryError} When it has ended without there having been room.
   */
  take(bytes: number, signal: AbortSignal): Promise<void> | undefined;
  /** Gives all of it back. */
  close(): void;
}

/** The room for the bodies that are being read, over all tenants. */
export interface BodyMemory {
  open(keyHash: string): BodyRead;
}

/** There was no room for a body in time. */
export class NoMemoryError extends Error {
  override readonly name = 'NoMemoryError';
}

interface Taken {
  readonly keyHash: string;
  bytes: number;
}

interface Waiter {
  readonly taken: Taken;
  readonly bytes: number;
  readonly admit: () => void;
}

// Nobody waits for so little: small bodies are read whatever else is.
const SMALL_BYTES = 64 * 1_024;

/**
 * Divides the room for bodies that are being read between tenants. What does not fit is not read further until something else has been. One of those that wait is read all the same, so that bodies of which
 * none fits whole do not wait for each other: the room can be exceeded by one body.
 *
 * @param maxBytes - The room.
 */
export function createBodyMemory(maxBytes: number): BodyMemory {
  const capacity = createFairCapacity(maxBytes);
  const waiting = new Set<Waiter>();
  let exempt: Taken | undefined;

  const add = (taken: Taken, bytes: number) => {
    taken.bytes += bytes;
    capacity.add(taken.keyHash, bytes);
  };

  const fits = (taken: Taken, bytes: number) =>
    taken === exempt || taken.bytes + bytes <= SMALL_BYTES || capacity.fits(taken.keyHash, bytes);

  const usedBy = ({ taken }: Waiter) => capacity.usedBy(taken.keyHash);

  const admitSome = () => {
    for (const waiter of waiting) if (fits(waiter.taken, waiter.bytes)) waiter.admit();
    if (exempt || waiting.size === 0) return;
    const next = [...waiting].reduce((least, waiter) => (usedBy(waiter) < usedBy(least) ? waiter : least));
    exempt = next.taken;
    next.admit();
  };

  const wait = (taken: Taken, bytes: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const leave = () => {
        waiting.delete(waiter);
        signal.removeEventListener('abort', giveUp);
      };
      const waiter: Waiter = {
        taken,
        bytes,
        admit() {
          leave();
          add(taken, bytes);
          resolve();
        },
      };
      const giveUp = () => {
        leave();
        reject(new NoMemoryError('There was no room for the body.'));
      };
      signal.addEventListener('abort', giveUp);
      waiting.add(waiter);
      if (signal.aborted) giveUp();
      else admitSome();
    });

  return {
    open(keyHash) {
      const taken: Taken = { keyHash, bytes: 0 };
      return {
        take(bytes, signal) {
          if (!fits(taken, bytes)) return wait(taken, bytes, signal);
          add(taken, bytes);
          return undefined;
        },
        close() {
          add(taken, -taken.bytes);
          if (exempt === taken) exempt = undefined;
          admitSome();
        },
      };
    },
  };
}
