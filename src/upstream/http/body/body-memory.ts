import { createFairCapacity } from '../../fair-capacity.ts';

/** The memory that one body takes while it is read and parsed. */
export interface BodyRead {
  /**
   * Takes more memory.
   *
   * @returns undefined if it was taken at once, else a promise that resolves when it has been.
   * @throws {NoMemoryError} If the body is closed while it waits.
   */
  take(bytes: number): Promise<void> | undefined;
  /** Gives back everything that this body took, and ends its waiting. */
  close(): void;
}

/** The memory for the bodies that are being read, over all API keys. */
export interface BodyMemory {
  open(keyHash: string): BodyRead;
}

/** No memory for a body became free in time. */
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
  readonly giveUp: () => void;
}

// Bodies up to this size never wait.
const SMALL_BYTES = 64 * 1_024;

/**
 * Divides the memory for bodies that are being read between API keys. A body that does not fit is read no further until
 * others are done. One waiting body at a time is exempt and read anyway, so that several bodies of which none fits
 * whole cannot block each other: the limit can be exceeded by one body.
 *
 * @param maxBytes - The limit, over all API keys.
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

  const wait = (taken: Taken, bytes: number) =>
    new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        taken,
        bytes,
        admit() {
          waiting.delete(waiter);
          add(taken, bytes);
          resolve();
        },
        giveUp() {
          waiting.delete(waiter);
          reject(new NoMemoryError('No memory became free for the body in time.'));
        },
      };
      waiting.add(waiter);
      admitSome();
    });

  return {
    open(keyHash) {
      const taken: Taken = { keyHash, bytes: 0 };
      return {
        take(bytes) {
          if (!fits(taken, bytes)) return wait(taken, bytes);
          add(taken, bytes);
          return undefined;
        },
        close() {
          for (const waiter of waiting) if (waiter.taken === taken) waiter.giveUp();
          add(taken, -taken.bytes);
          if (exempt === taken) exempt = undefined;
          admitSome();
        },
      };
    },
  };
}
