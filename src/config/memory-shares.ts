/** What may be held of each kind of thing that grows with what clients ask and upstream answers, in bytes. */
export type MemoryShares = Readonly<ReturnType<typeof toMemoryShares>>;

// V8's young generation, which its limit contains: 192 MiB in Node 24, 48 in Node 20. What is kept for longer is not there.
const YOUNG_BYTES = 192 * 1_048_576;

/**
 * Divides the old generation of the heap: what is left, about half of it, is for the program itself, for what is being executed and for garbage.
 * An operation may hold what one tenant may: half of what all may.
 *
 * @param heapLimitBytes - Where V8 gives up: `--max-old-space-size`, or what it chooses by the memory of the machine.
 */
export function toMemoryShares(heapLimitBytes: number) {
  const oldBytes = Math.max(heapLimitBytes / 2, heapLimitBytes - YOUNG_BYTES);
  const bytesOf = (sixtyFourths: number) => Math.floor((oldBytes * sixtyFourths) / 64);
  return {
    cacheBytes: bytesOf(12),
    /** Answers that all operations have been given, and those of one. */
    heldBytes: bytesOf(12),
    heldBytesPerOperation: bytesOf(6),
    /** What is being read and parsed. */
    responseBytesInFlight: bytesOf(4),
    requestBytesInFlight: bytesOf(2),
    documentCacheBytes: bytesOf(1),
    /** Values of one answer while it is made. */
    answerBytes: bytesOf(16),
    /** Answers that have been written and not yet been taken; they are outside the heap. */
    writtenBytes: bytesOf(8),
    budgetBytes: bytesOf(2),
  };
}
