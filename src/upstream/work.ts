/** The work of one scenario of a simulation, counted in steps of about a microsecond of CPU. */
export interface Work {
  /** No more of it is to be done. */
  readonly isOver: boolean;
  /** How many steps have been done. */
  readonly steps: number;
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  /** Says that so many steps are done now. It is over once they are more than it may take. */
  add(steps: number): void;
  /** Ends it, whatever is left to do. */
  end(): void;
}

/** @param maxSteps - How many it may take. */
export function createWork(maxSteps: number): Work {
  let done = 0;
  let isOver = false;
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = () => {
      isOver = true;
      resolve();
    };
  });
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
  };
}
