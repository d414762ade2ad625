import { runAtOnce, type Steps } from '../upstream/steps.ts';

/** The turns of one piece of work, an operation say, on the event loop. */
export interface TimeSlices {
  /** Whether this process has not looked for anything else to do for a slice, whichever work has kept it. */
  isUsedUp(): boolean;
  /** Resolves when it is this work's turn again; never, once the work has been ended. */
  next(): Promise<void>;
  /** Takes all steps: at once where they fit into what is left of the slice, else with a pause after each slice. */
  run<Result>(steps: Steps<Result>): Result | Promise<Result>;
}

/** For work that has a bound of its own: it is done at once. */
export const unsliced: TimeSlices = { isUsedUp: () => false, next: () => Promise.resolve(), run: runAtOnce };

/** Shares the event loop between long pieces of work, and with everything else. */
export interface SliceScheduler {
  /**
   * Begins a piece of work.
   *
   * @param ended - Aborts when nobody waits for the work any more: what waits for its turn then waits for ever.
   */
  open(ended?: AbortSignal): TimeSlices;
}

const SLICE_MS = 10;

/** What of one piece of work waits for its turn. */
interface Work {
  readonly waiting: (() => void)[];
  /** How many of them have been woken. */
  woken: number;
  readonly ended: AbortSignal | undefined;
}

/**
 * Makes the scheduler of a process: in each round of the event loop long work has one slice, and the works that wait have theirs in turn.
 * What fits into a slice pays for reading the time.
 *
 * @param nowMs - A monotonic clock.
 */
export function createSliceScheduler(nowMs: () => number = () => performance.now()): SliceScheduler {
  const works: Work[] = [];
  let startedMs: number | undefined;

  const isUsedUp = () => {
    const now = nowMs();
    if (startedMs === undefined) {
      startedMs = now;
      // The first comes before the loop looks for anything else, the second after.
      setImmediate(() => setImmediate(beginRound));
    }
    return now - startedMs >= SLICE_MS;
  };

  const beginRound = () => {
    const first = works.shift();
    if (first) works.push(first);
    startedMs = first && nowMs();
    if (!first) return;
    setImmediate(beginRound);
    wakeNext();
  };

  const wakeNext = () => {
    const [work] = works;
    if (!work) return;
    const wake = work.ended?.aborted ? undefined : work.waiting[work.woken];
    if (!wake) {
      works.shift();
      work.waiting.length = 0;
      work.woken = 0;
      wakeNext();
      return;
    }
    work.woken += 1;
    wake();
    // Once all has been done that follows from it without waiting for anything.
    queueMicrotask(() =>
      process.nextTick(() => {
        if (!isUsedUp()) wakeNext();
      }),
    );
  };

  const goOn = async <Result>(steps: Steps<Result>, next: () => Promise<void>): Promise<Result> => {
    for (;;) {
      await next();
      do {
        const { done, value } = steps.next();
        if (done === true) return value;
      } while (!isUsedUp());
    }
  };

  return {
    open(ended) {
      const work: Work = { waiting: [], woken: 0, ended };
      const next = () =>
        new Promise<void>((resolve) => {
          if (ended?.aborted) return;
          if (startedMs === undefined) isUsedUp();
          if (work.waiting.length === 0) works.push(work);
          work.waiting.push(resolve);
        });
      return {
        isUsedUp,
        next,
        run(steps) {
          do {
            const { done, value } = steps.next();
            if (done === true) return value;
          } while (!isUsedUp());
          return goOn(steps, next);
        },
      };
    },
  };
}
