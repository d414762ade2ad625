/** Writes that Redis has not confirmed. No client waits for them, so their number and size are limited. */
export interface PendingWrites {
  /** Starts a write, unless too many are pending. Resolves when it has ended in any way. */
  add(bytes: number, write: () => Promise<unknown>): Promise<void>;
  /** Resolves when no write is pending. */
  settled(): Promise<void>;
}

// More than the calls that settle while Redis or the process is slow: a write that is dropped costs a call elsewhere.
const MAX_WRITES = 1_000;
const MAX_BYTES = 32 * 1_048_576;

/** Creates the set of pending writes. A write that fails is lost: the next poll shows whether Redis replies. */
export function createPendingWrites(): PendingWrites {
  const pending = new Set<Promise<void>>();
  let pendingBytes = 0;
  return {
    async add(bytes, write) {
      if (pending.size >= MAX_WRITES || pendingBytes + bytes > MAX_BYTES) return;
      pendingBytes += bytes;
      const done: Promise<void> = write()
        .then(
          () => undefined,
          () => undefined,
        )
        .finally(() => {
          pendingBytes -= bytes;
          pending.delete(done);
        });
      pending.add(done);
      await done;
    },
    async settled() {
      while (pending.size > 0) await Promise.all(pending);
    },
  };
}
