/** Reads the monotonic clock: milliseconds, of which only differences mean anything. */
export function monotonicMs(): number {
  return performance.now();
}

/** Reads the wall clock: epoch milliseconds, for what answers say of times. */
export function epochMs(): number {
  return Date.now();
}
