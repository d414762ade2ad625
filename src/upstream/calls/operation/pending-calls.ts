/** Counts the calls that an operation waits for, sent or queued. */
export interface PendingCalls {
  readonly count: number;
  /** Calls that have ended, with a response or an error. */
  readonly settled: number;
  /** Counts a call as pending until its promise settles. */
  during<Value>(response: Promise<Value>): Promise<Value>;
  /** Called whenever a call settles or stops waiting for a slot. Assign a function; default: does nothing. */
  onProgress: () => void;
}

/** Makes the counter of one operation, at zero. */
export function createPendingCalls(): PendingCalls {
  const pendingCalls = {
    count: 0,
    settled: 0,
    during<Value>(response: Promise<Value>): Promise<Value> {
      pendingCalls.count++;
      const settle = () => {
        pendingCalls.count--;
        pendingCalls.settled++;
        pendingCalls.onProgress();
      };
      // `finally` would make four promises.
      void response.then(settle, settle);
      return response;
    },
    onProgress() {},
  };
  return pendingCalls;
}
