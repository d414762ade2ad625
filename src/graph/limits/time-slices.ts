import { monotonicMs } from '../../upstream/clock.ts';
import { runAtOnce, type Steps } from '../../upstream/steps.ts';
import type { StopSignal } from '../../upstream/stop.ts';

/** The time slices of one piece of work, for example an operation, on the event loop. */
export interface TimeSlices {
  /** Whether the process has been away from the event loop for a whole slice, whatever it worked on. */
  isUsedUp(): boolean;
  /** Resolves when this work gets its next slice; never, once the work has been ended. */
  next(): Promise<void>;
  /** Runs all steps: synchronously if they fit into the rest of the slice, otherwise with a pause after each slice. */
  run<Result>(steps: Steps<Result>): Result | Promise<Result>;
  /** Resolves after one round of the event loop. Use it after work that could not be divided. */
  pause(): Promise<void>;
}

/** Does not divide the work. For work that has a bound of its own. */
export const unsliced: TimeSlices = {
  isUsedUp: () => false,
  next: () => Promise.resolve(),
  run: runAtOnce,
  pause: () => Promise.resolve(),
};

/** Divides the time of the event loop between long pieces of work and everything else. */
export interface SliceScheduler {
  /**
   * Starts a piece of work.
   *
   * @param fairShare - Identifies the client or the object that the work is for. The next long piece of work is one of
   *   another fair share, if there is one.
   * @param ended - Aborts when nobody waits for the work any more. Its pending `next()` then never resolves.
   * @param lets - `go`: the work frees memory as it proceeds, so it always comes before long work, which takes memory.
   */
  open(fairShare: string, ended?: StopSignal, lets?: 'go'): TimeSlices;
}

// The first callback can run before the event loop polls for other events; the second always runs after.
const afterOneRound = (run: () => void) => void setImmediate(() => setImmediate(run));

const SLICE_MS = 10;
// Work that has had this many slices is long. Only one long piece runs at a time: each holds its partial result.
const SHORT_SLICES = 2;
// While short work waits, the long piece gets one slice in this many rounds.
const ROUNDS_PER_LONG_SLICE = 4;
// The next long piece starts once the current one has had nothing to do for this many rounds.
const MAX_IDLE_ROUNDS = 8;

/** A piece of work, with the callbacks that wait for its next slice. */
interface SlicedWork {
  readonly waiting: (() => void)[];
  /** How many of the callbacks have been called. */
  woken: number;
  readonly ended: StopSignal | undefined;
  readonly fairShare: string;
  readonly lets: 'go' | undefined;
  /** How many slices it has had. */
  slices: number;
}

/**
 * Makes the scheduler of a process. In each round of the event loop one piece of work gets a slice of 10 ms. Pieces
 * that have had few slices come first and alternate. Of the long ones, one runs to its end before the next starts,
 * because the results of all of them would not fit into memory together; the next is one of another fair share, if
 * there is one. Work that fits into a slice costs nothing but reading the clock.
 *
 * @param nowMs - A monotonic clock.
 */
export function createSliceScheduler(nowMs: () => number = monotonicMs): SliceScheduler {
  // Pieces of work that wait for a slice.
  const waitingWork: SlicedWork[] = [];
  let startedMs: number | undefined;
  let rounds = 0;
  // The piece of work that has the slice.
  let current: SlicedWork | undefined;
  // The long piece of work that started last, and the round of its last slice.
  let long: SlicedWork | undefined;
  let longRound = 0;

  const isUsedUp = () => {
    const now = nowMs();
    if (startedMs === undefined) {
      startedMs = now;
      afterOneRound(beginRound);
    }
    return now - startedMs >= SLICE_MS;
  };

  /** Returns the long piece to run next: the started one, else the first whose fair share is not that of the last. */
  const chooseLong = (): SlicedWork | undefined => {
    if (long && waitingWork.includes(long)) return long;
    // The started one waits for something that may be ready in a moment.
    if (long && !long.ended?.aborted && rounds - longRound < MAX_IDLE_ROUNDS) return undefined;
    const longOnes = waitingWork.filter((work) => !isShort(work));
    const last = long?.fairShare;
    return longOnes.find(({ fairShare }) => fairShare !== last) ?? longOnes[0];
  };

  const choose = () => {
    const short = waitingWork.find(isShort);
    current = (short && rounds % ROUNDS_PER_LONG_SLICE !== 0 ? short : chooseLong()) ?? short;
    if (!current || isShort(current)) return;
    long = current;
    longRound = rounds;
  };

  const remove = (work: SlicedWork) => {
    const position = waitingWork.indexOf(work);
    if (position !== -1) waitingWork.splice(position, 1);
  };

  const beginRound = () => {
    rounds++;
    choose();
    startedMs = waitingWork.length > 0 ? nowMs() : undefined;
    if (startedMs === undefined) return;
    setImmediate(beginRound);
    if (!current) return;
    current.slices++;
    // For its next slice it queues behind the others.
    remove(current);
    waitingWork.push(current);
    wakeNext();
  };

  const wakeNext = () => {
    if (!current) return;
    const wake = current.ended?.aborted ? undefined : current.waiting[current.woken];
    if (!wake) {
      remove(current);
      current.waiting.length = 0;
      current.woken = 0;
      choose();
      wakeNext();
      return;
    }
    current.woken += 1;
    wake();
    // Wait until the promise callbacks that follow from this call have run.
    queueMicrotask(() =>
      process.nextTick(() => {
        if (!isUsedUp()) wakeNext();
      }),
    );
  };

  return {
    open(fairShare, ended, lets) {
      const work: SlicedWork = { waiting: [], woken: 0, ended, fairShare, lets, slices: 0 };
      const next = () =>
        new Promise<void>((resolve) => {
          if (ended?.aborted) return;
          if (startedMs === undefined) isUsedUp();
          if (work.waiting.length === 0) waitingWork.push(work);
          work.waiting.push(resolve);
        });
      return {
        isUsedUp,
        next,
        pause: () => new Promise(afterOneRound),
        run(steps) {
          const end = takeSteps(steps, isUsedUp);
          return end ? end.value : continueSteps(steps, isUsedUp, next);
        },
      };
    },
  };
}

const isShort = ({ lets, slices }: SlicedWork) => lets === 'go' || slices < SHORT_SLICES;

async function continueSteps<Result>(
  steps: Steps<Result>,
  isUsedUp: () => boolean,
  next: () => Promise<void>,
): Promise<Result> {
  for (;;) {
    await next();
    const end = takeSteps(steps, isUsedUp);
    if (end) return end.value;
  }
}

/** Runs steps for the rest of the slice. Returns the final result if the steps end within it. */
function takeSteps<Result>(steps: Steps<Result>, isUsedUp: () => boolean): IteratorReturnResult<Result> | undefined {
  do {
    const step = steps.next();
    if (step.done === true) return step;
  } while (!isUsedUp());
  return undefined;
}
