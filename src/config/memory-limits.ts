/** Memory limits in bytes, one for each kind of data that grows with requests and responses. */
export type MemoryLimits = Readonly<ReturnType<typeof toMemoryLimits>>;

// V8's heap limit includes the young generation: 192 MiB in Node 24, 48 MiB in Node 20. Long-lived objects leave it.
const YOUNG_BYTES = 192 * 1_048_576;

/**
 * Divides the old generation of the heap. The limits for all requests together add up to about half of it. The rest is
 * for the result that is being executed, the program itself and garbage. One operation may hold as much as one API key:
 * half of what all operations may hold.
 *
 * @param heapLimitBytes - V8's heap limit: `--max-old-space-size`, or V8's choice by the memory of the machine.
 */
export function toMemoryLimits(heapLimitBytes: number) {
  const oldBytes = Math.max(heapLimitBytes / 2, heapLimitBytes - YOUNG_BYTES);
  const bytesOf = (sixtyFourths: number) => Math.floor((oldBytes * sixtyFourths) / 64);
  return {
    cacheBytes: bytesOf(12),
    /** Postman responses held by all operations, and by one. */
    heldBytes: bytesOf(12),
    heldBytesPerOperation: bytesOf(6),
    /** Response bodies that are being read and parsed. */
    responseBytesInFlight: bytesOf(4),
    requestBytesInFlight: bytesOf(2),
    documentCacheBytes: bytesOf(1),
    persistedQueryBytes: bytesOf(1),
    /** Values of one result while it is executed. */
    resultBytes: bytesOf(16),
    /** Results that have been written and not yet sent. They are outside the heap. */
    writtenBytes: bytesOf(8),
    budgetBytes: bytesOf(2),
  };
}
