/** The work of one simulation run, counted in steps of about a microsecond of CPU. */
export interface Work {
  /** Whether the run must stop: it has ended, failed, or used up its steps. */
  readonly isOver: boolean;
  /** Steps counted so far. */
  readonly steps: number;
  /** Resolves when the work ends; rejects with the error that it fails with. */
  readonly over: Promise<void>;
  /** Counts steps. The work ends once there are more than `maxSteps`. */
  add(steps: number): void;
  /** Ends the work, finished or not. */
  end(): void;
  /** Ends the work because of a bug in this program: its results so far are wrong. */
  fail(error: unknown): void;
}

/**
 * Creates the work of one run.
 *
 * @param maxSteps - Steps after which the work ends.
 */
export function createWork(maxSteps: number): Work {
  let counted = 0;
  let isOver = false;
  let settle: Pick<Work, 'end' | 'fail'> = { end() {}, fail() {} };
  const over = new Promise<void>((resolve, reject) => {
    settle = { end: resolve, fail: reject };
  });
  const end = () => {
    isOver = true;
    settle.end();
  };
  return {
    get isOver() {
      return isOver;
    },
    get steps() {
      return counted;
    },
    over,
    add(steps) {
      counted += steps;
      if (counted > maxSteps) end();
    },
    end,
    fail(error) {
      isOver = true;
      settle.fail(error);
    },
  };
}

/** Counts the items of a response that is a list, or has lists. */
export function countItems(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((count, part) => count + (Array.isArray(part) ? part.length : 0), 0);
}
