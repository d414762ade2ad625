import { createFairCapacity } from '../../fair-capacity.ts';

/** The responses that one operation holds. They stay in memory until the operation ends, cached or not. */
export interface OperationResponses {
  /** How much it may hold, in bytes on the heap. */
  readonly maxBytes: number;
  /**
   * Whether a response was refused because the operation would exceed `maxBytes`. It then gets no further responses.
   */
  isOverLimit(): boolean;
  /**
   * Adds a response. One that the operation holds already is not counted again.
   *
   * @param bytes - Its size on the heap.
   * @returns Whose limit the response would exceed: `operation`, or `server` (the fair share of the API key);
   *   undefined: it was added.
   */
  take(value: unknown, bytes: number): 'operation' | 'server' | undefined;
  /** Stops holding one response: the operation no longer refers to it. */
  drop(value: unknown): void;
  /** Releases all responses of the operation. */
  release(): void;
}

/** The responses that all operations hold. */
export interface HeldResponses {
  /**
   * Starts counting for one operation with the key of this hash.
   *
   * @param onOverLimit - Called when the operation would exceed its own limit.
   */
  open(keyHash: string, onOverLimit: () => void): OperationResponses;
}

/** How much may be held, in bytes on the heap. */
export interface HeldResponsesOptions {
  /** By all operations together. A response that several of them hold counts once. */
  readonly maxBytes: number;
  readonly maxBytesPerOperation: number;
}

/** For background operations, which hold one response at a time: counts nothing and refuses nothing. */
export const uncountedResponses: OperationResponses = {
  maxBytes: Number.POSITIVE_INFINITY,
  isOverLimit: () => false,
  take: () => undefined,
  drop() {},
  release() {},
};

interface HeldResponse {
  readonly bytes: number;
  refCount: number;
}

// An operation that holds less than this is never refused because of others.
const SMALL_BYTES = 32 * 1_024;

/** Makes the counter of all held responses, at zero. */
export function createHeldResponses({ maxBytes, maxBytesPerOperation }: HeldResponsesOptions): HeldResponses {
  const capacity = createFairCapacity(maxBytes);
  // One key never gets more than half of the capacity, so a larger operation could never succeed.
  const limitBytes = Math.min(maxBytesPerOperation, Math.max(SMALL_BYTES, Math.floor(maxBytes / 2)));
  const heldResponses = new Map<unknown, HeldResponse>();

  return {
    open(keyHash, onOverLimit) {
      const heldValues = new Set<unknown>();
      let heldBytes = 0;
      let isOverLimit = false;
      let isReleased = false;
      const stopHolding = (value: unknown) => {
        const heldResponse = heldResponses.get(value);
        if (!heldResponse || --heldResponse.refCount > 0) return;
        heldResponses.delete(value);
        capacity.add(keyHash, -heldResponse.bytes);
      };
      return {
        maxBytes: limitBytes,
        isOverLimit: () => isOverLimit,

        take(value, bytes) {
          // Fields still running after the end of the operation soon drop what they read.
          if (isReleased || heldValues.has(value)) return undefined;
          if (heldBytes + bytes > limitBytes) {
            isOverLimit = true;
            onOverLimit();
            return 'operation';
          }
          const known = heldResponses.get(value);
          if (known) known.refCount++;
          else {
            if (heldBytes + bytes > SMALL_BYTES && !capacity.fits(keyHash, bytes)) return 'server';
            heldResponses.set(value, { bytes, refCount: 1 });
            capacity.add(keyHash, bytes);
          }
          heldValues.add(value);
          heldBytes += bytes;
          return undefined;
        },

        drop(value) {
          if (!heldValues.delete(value)) return;
          heldBytes -= heldResponses.get(value)?.bytes ?? 0;
          stopHolding(value);
        },

        release() {
          isReleased = true;
          for (const value of heldValues) stopHolding(value);
          heldValues.clear();
        },
      };
    },
  };
}
