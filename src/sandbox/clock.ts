/** Reads the monotonic clock, in milliseconds from an arbitrary start. */
export function monotonicMs(): number {
  return performance.now();
}

/** Reads the wall clock, in epoch milliseconds, for times in responses. */
export function epochMs(): number {
  return Date.now();
}
