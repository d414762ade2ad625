import { monotonicMs } from '../../upstream/clock.ts';
import { runAtOnce, type Steps } from '../../upstream/steps.ts';

/** The turns of one piece of work, an operation say, on the event loop. */
export interface TimeSlices {
  /** Whether this process has not looked for anything else to do for a slice, whichever work has kept it. */
  isUsedUp(): boolean;
  /** Resolves when it is this work's turn again; never, once the work has been ended. */
  next(): Promise<void>;
  /** Takes all steps: at once where they fit into what is left of the slice, else with a pause after each slice. */
  run<Result>(steps: Steps<Result>): Result | Promise<Result>;
  /** Resolves when the event loop has had one round for everything else, after work that could not be divided. */
  pause(): Promise<void>;
}

/** For work that has a bound of its own: it is done at once. */
export const unsliced: TimeSlices = {
  isUsedUp: () => false,
  next: () => Promise.resolve(),
  run: runAtOnce,
  pause: () => Promise.resolve(),
};

/** Shares the event loop between long pieces of work, and with everything else. */
export interface SliceScheduler {
  /**
   * Begins a piece of work.
   *
   * @param fairShare - Whose work it is: long works of several take turns.
   * @param ended - Aborts when nobody waits for the work any more: what waits for its turn then waits for ever.
   * @param lets - `go`: the work lets go of memory as it goes on, so that it comes before works that take some, however long it is.
   */
  open(fairShare: string, ended?: AbortSignal, lets?: 'go'): TimeSlices;
}

// The first comes before the event loop looks for anything else, the second after.
const afterOneRound = (run: () => void) => void setImmediate(() => setImmediate(run));

const SLICE_MS = 10;
// Beyond that a work is long: of those one is done at a time, because each holds what it has made so far.
const SHORT_SLICES = 2;
// Among works that are short, a long one has one slice in so many.
const ROUNDS_PER_LONG_SLICE = 4;
// As many rounds a long work may have nothing to do before another one is begun.
const MAX_IDLE_ROUNDS = 8;

/** What of one piece of work waits for its turn. */
interface SlicedWork {
  readonly waiting: (() => void)[];
  /** How many of them have been woken. */
  woken: number;
  readonly ended: AbortSignal | undefined;
  readonly fairShare: string;
  readonly lets: 'go' | undefined;
  /** How many slices it has had. */
  slices: number;
}

/**
 * Makes the scheduler of a process: in each round of the event loop one work has a slice. Works that have had few slices come first, in turn; of the
 * others one is done to its end before the next one, because the results of all of them would not fit into memory together, and those
 * of another share go before a second one of the same. What fits into a slice pays for reading the time.
 *
 * @param nowMs - A monotonic clock.
 */
export function createSliceScheduler(nowMs: () => number = monotonicMs): SliceScheduler {
  // Those that wait.
  const works: SlicedWork[] = [];
  let startedMs: number | undefined;
  let rounds = 0;
  // The one that has the slice.
  let current: SlicedWork | undefined;
  // The long one that was begun last, and the round in which it had its last slice.
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

  /** The long work that is to be done: the one that was begun, else one of whoever has not had the last one. */
  const chooseLong = (): SlicedWork | undefined => {
    if (long && works.includes(long)) return long;
    // What it waits for may be done in a moment.
    if (long && !long.ended?.aborted && rounds - longRound < MAX_IDLE_ROUNDS) return undefined;
    const waiting = works.filter((work) => !isShort(work));
    const last = long?.fairShare;
    return waiting.find(({ fairShare }) => fairShare !== last) ?? waiting[0];
  };

  const choose = () => {
    const short = works.find(isShort);
    current = (short && rounds % ROUNDS_PER_LONG_SLICE !== 0 ? short : chooseLong()) ?? short;
    if (!current || isShort(current)) return;
    long = current;
    longRound = rounds;
  };

  const remove = (work: SlicedWork) => {
    const position = works.indexOf(work);
    if (position !== -1) works.splice(position, 1);
  };

  const beginRound = () => {
    rounds++;
    choose();
    startedMs = works.length > 0 ? nowMs() : undefined;
    if (startedMs === undefined) return;
    setImmediate(beginRound);
    if (!current) return;
    current.slices++;
    // Behind the others, for its next one.
    remove(current);
    works.push(current);
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
    // Once all has been done that follows from it without waiting for anything.
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
          if (work.waiting.length === 0) works.push(work);
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

/** Takes steps for the rest of the slice. Returns the end, if that is reached. */
function takeSteps<Result>(steps: Steps<Result>, isUsedUp: () => boolean): IteratorReturnResult<Result> | undefined {
  do {
    const step = steps.next();
    if (step.done === true) return step;
  } while (!isUsedUp());
  return undefined;
}
