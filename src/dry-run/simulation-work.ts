/** The work of one simulation run, counted in steps of about a microsecond of CPU. */
export interface Work {
  /** No more of it is to be done. */
  readonly isOver: boolean;
  /** How many steps have been done. */
  readonly steps: number;
  /** Resolves when it is over. @throws What it has failed with. */
  readonly over: Promise<void>;
  /** Counts steps that are done now. The work is over once there are more than it may take. */
  add(steps: number): void;
  /** Ends it, whatever is left to do. */
  end(): void;
  /** Ends it because of an error in this program: what it has found out so far is wrong. */
  fail(error: unknown): void;
}

/** @param maxSteps - How many it may take. */
export function createWork(maxSteps: number): Work {
  let done = 0;
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
      return done;
    },
    over,
    add(steps) {
      done += steps;
      if (done > maxSteps) end();
    },
    end,
    fail(error) {
      isOver = true;
      settle.fail(error);
    },
  };
}
