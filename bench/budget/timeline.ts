/** Simulated time. Events run in order of time, and at equal times in the order in which they were scheduled. */
export interface Timeline {
  /** Milliseconds, always a multiple of 1/1024, so that sums and differences of times are exact. */
  nowMs(): number;
  /** Schedules an event outside the program under test. It must not settle promises: nothing is awaited after it. */
  at(atMs: number, run: () => void): void;
  /**
   * Schedules an event that reaches the program under test. All its consequences complete before the next event.
   *
   * @returns A function that cancels it.
   */
  act(atMs: number, run: () => void): () => void;
  sleep(ms: number): Promise<void>;
  /** Runs all events. */
  run(): Promise<void>;
  /** Number of events so far. */
  readonly events: number;
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly isAct: boolean;
  run: (() => void) | undefined;
}

const TICKS_PER_MS = 1_024;

/** Creates a timeline that starts at an odd time, like the monotonic clock of a machine that has been up for long. */
export function createTimeline(): Timeline {
  let nowMs = 5_000_000;
  let events = 0;
  let order = 0;
  // A binary heap. A cancelled event stays in it as a no-op until its time.
  const heap: Event[] = [];

  const isBefore = (a: Event, b: Event) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

  const push = (event: Event) => {
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (!parent || !isBefore(event, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  };

  const pop = (): Event | undefined => {
    const top = heap[0];
    const last = heap.pop();
    if (!last || last === top) return top;
    let index = 0;
    for (;;) {
      const leftIndex = index * 2 + 1;
      const left = heap[leftIndex];
      const right = heap[leftIndex + 1];
      const child = left && right && isBefore(right, left) ? right : left;
      if (!child || !isBefore(child, last)) break;
      heap[index] = child;
      index = child === left ? leftIndex : leftIndex + 1;
    }
    heap[index] = last;
    return top;
  };

  const add = (atMs: number, isAct: boolean, run: () => void): Event => {
    // Round up: a timer must not fire early.
    const event = { atMs: Math.max(nowMs, Math.ceil(atMs * TICKS_PER_MS) / TICKS_PER_MS), order: order++, isAct, run };
    push(event);
    return event;
  };

  const act = (atMs: number, run: () => void) => {
    const event: Event = add(atMs, true, run);
    return () => {
      event.run = undefined;
    };
  };

  /** Runs events up to and including the first that may have asynchronous consequences. */
  const runUntilAct = (): boolean => {
    for (let event = pop(); event; event = pop()) {
      const { run } = event;
      if (!run) continue;
      nowMs = event.atMs;
      events++;
      run();
      if (event.isAct) return true;
    }
    return false;
  };

  return {
    nowMs: () => nowMs,
    at(atMs, run) {
      add(atMs, false, run);
    },
    act,
    sleep: (ms) => new Promise((resolve) => void act(nowMs + ms, resolve)),
    run: () =>
      new Promise((resolve, reject) => {
        // One turn of the event loop per event: between two turns all microtasks run, including those they add.
        const runNext = () => {
          try {
            if (runUntilAct()) setImmediate(runNext);
            else resolve();
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        };
        setImmediate(runNext);
      }),
    get events() {
      return events;
    },
  };
}
