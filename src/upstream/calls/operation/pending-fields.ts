/** How many calls of an operation have been asked for and not been answered yet: those that are sent, and those that wait for their turn. */
export interface PendingCalls {
  readonly count: number;
  /** Calls that have been answered. */
  readonly settled: number;
  /** Counts a call for as long as its answer takes. */
  during<Value>(response: Promise<Value>): Promise<Value>;
  /** Is called after each answer, and after each turn that has come. */
  onProgress: () => void;
}

/** Makes the count of one operation: none yet. */
export function createPendingCalls(): PendingCalls {
  let count = 0;
  let settled = 0;
  const pendingCalls: PendingCalls = {
    get count() {
      return count;
    },
    get settled() {
      return settled;
    },
    during(response) {
      count++;
      return response.finally(() => {
        count--;
        settled++;
        pendingCalls.onProgress();
      });
    },
    onProgress() {},
  };
  return pendingCalls;
}
