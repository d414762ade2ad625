import { createFairCapacity } from '../../fair-capacity.ts';

/** What one operation holds of the answers it was given: until it ends they stay in memory, cached or not. */
export interface OperationResponses {
  /** What it may hold, in bytes on the heap. */
  readonly maxBytes: number;
  /** Whether it has been refused an answer because of what it holds itself: it is given no further one. */
  isOverLimit(): boolean;
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
export interface HeldResponses {
  /**
   * Opens what one operation of a tenant holds.
   *
   * @param onOverLimit - Is told when it is refused an answer because of what it holds itself.
   */
  open(keyHash: string, onOverLimit: () => void): OperationResponses;
}

/** How much may be held, in bytes on the heap. */
export interface HeldResponsesOptions {
  /** By all operations. An answer that several of them hold is there once. */
  readonly maxBytes: number;
  readonly maxBytesPerOperation: number;
}

/** What operations of the server itself hold: an answer at a time, which is cached or forgotten. */
export const uncountedResponses: OperationResponses = {
  maxBytes: Number.POSITIVE_INFINITY,
  isOverLimit: () => false,
  take: () => undefined,
  release() {},
};

interface Held {
  readonly bytes: number;
  refCount: number;
}

// An operation that has hardly anything is not refused because of others.
const SMALL_BYTES = 32 * 1_024;

/** Makes the count of what operations hold: nothing yet. */
export function createHeldResponses({ maxBytes, maxBytesPerOperation }: HeldResponsesOptions): HeldResponses {
  const capacity = createFairCapacity(maxBytes);
  // One tenant never has more than half: what goes beyond that no waiting brings.
  const mostBytes = Math.min(maxBytesPerOperation, Math.max(SMALL_BYTES, Math.floor(maxBytes / 2)));
  const held = new Map<unknown, Held>();

  return {
    open(keyHash, onOverLimit) {
      const heldValues = new Set<unknown>();
      let heldBytes = 0;
      let isOverLimit = false;
      let isReleased = false;
      return {
        maxBytes: mostBytes,
        isOverLimit: () => isOverLimit,

        take(value, bytes) {
          // What is still executed after its end keeps nothing for long.
          if (isReleased || heldValues.has(value)) return undefined;
          if (heldBytes + bytes > mostBytes) {
            isOverLimit = true;
            onOverLimit();
            return 'operation';
          }
          const known = held.get(value);
          if (known) known.refCount++;
          else {
            if (heldBytes + bytes > SMALL_BYTES && !capacity.fits(keyHash, bytes)) return 'server';
            held.set(value, { bytes, refCount: 1 });
            capacity.add(keyHash, bytes);
          }
          heldValues.add(value);
          heldBytes += bytes;
          return undefined;
        },

        release() {
          isReleased = true;
          for (const value of heldValues) {
            const one = held.get(value);
            if (!one || --one.refCount > 0) continue;
            held.delete(value);
            capacity.add(keyHash, -one.bytes);
          }
          heldValues.clear();
        },
      };
    },
  };
}
