import { createFairRoom } from '../../fair-capacity.ts';

/** What one operation holds of the answers it was given: until it ends they stay in memory, cached or not. */
export interface Holdings {
  /** What it may hold, in bytes on the heap. */
  readonly maxBytes: number;
  /** Whether it has been refused an answer because of what it holds itself: it is given no further one. */
  isOver(): boolean;
  /**
   * Takes an answer into it; one that it has already counts once.
   *
   * @returns Why it may not have it: it would hold too much (`operation`), or all operations would, or all of its tenant (`server`).
   */
  take(value: unknown, bytes: number): 'operation' | 'server' | undefined;
  /** Lets go of everything. */
  release(): void;
}

/** What all operations hold. */
export interface HeldAnswers {
  /**
   * Opens what one operation of a tenant holds.
   *
   * @param onOver - Is told when it is refused an answer because of what it holds itself.
   */
  open(tenant: string, onOver: () => void): Holdings;
}

/** How much may be held, in bytes on the heap. */
export interface HeldAnswersOptions {
  /** By all operations. An answer that several of them hold is there once. */
  readonly maxBytes: number;
  readonly maxBytesPerOperation: number;
}

/** What operations of the server itself hold: an answer at a time, which is cached or forgotten. */
export const uncountedHoldings: Holdings = {
  maxBytes: Number.POSITIVE_INFINITY,
  isOver: () => false,
  take: () => undefined,
  release() {},
};

interface Held {
  readonly bytes: number;
  holders: number;
}

// An operation that has hardly anything is not refused because of others.
const SMALL_BYTES = 32 * 1_024;

/** Makes the count of what operations hold: nothing yet. */
export function createHeldAnswers({ maxBytes, maxBytesPerOperation }: HeldAnswersOptions): HeldAnswers {
  const room = createFairRoom(maxBytes);
  // One tenant never has more than half: what goes beyond that no waiting brings.
  const mostBytes = Math.min(maxBytesPerOperation, Math.max(SMALL_BYTES, Math.floor(maxBytes / 2)));
  const held = new Map<unknown, Held>();

  return {
    open(tenant, onOver) {
      const own = new Set<unknown>();
      let ownBytes = 0;
      let isOver = false;
      let isReleased = false;
      return {
        maxBytes: mostBytes,
        isOver: () => isOver,

        take(value, bytes) {
          // What is still executed after its end keeps nothing for long.
          if (isReleased || own.has(value)) return undefined;
          if (ownBytes + bytes > mostBytes) {
            isOver = true;
            onOver();
            return 'operation';
          }
          const known = held.get(value);
          if (known) known.holders++;
          else {
            if (ownBytes + bytes > SMALL_BYTES && !room.fits(tenant, bytes)) return 'server';
            held.set(value, { bytes, holders: 1 });
            room.add(tenant, bytes);
          }
          own.add(value);
          ownBytes += bytes;
          return undefined;
        },

        release() {
          isReleased = true;
          for (const value of own) {
            const one = held.get(value);
            if (!one || --one.holders > 0) continue;
            held.delete(value);
            room.add(tenant, -one.bytes);
          }
          own.clear();
        },
      };
    },
  };
}
