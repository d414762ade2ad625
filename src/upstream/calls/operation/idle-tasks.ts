/**
 * When a task runs, the most urgent first:
 * - `plan`: the resolvers have requested everything they can from the loaders. Planners now choose the calls.
 * - `call`: the planners have chosen. The next call of a stream is made.
 * - `row`: the calls are made. Further rows of streamed lists start.
 */
export type IdlePriority = (typeof PRIORITIES)[number];

/**
 * Tasks of one operation that wait until no promise of the operation can settle without a response from upstream. They
 * run one at a time, the most urgent first. Each waits until all promises that the previous task triggered have
 * settled.
 */
export interface IdleTasks {
  add(priority: IdlePriority, task: () => void): void;
  /** Runs no task before this promise has settled: it brings a cached response, which other instances have at once. */
  waitFor(cached: Promise<unknown>): void;
}

const PRIORITIES = ['plan', 'call', 'row'] as const;

/** Makes the idle tasks of one operation, with no task queued. */
export function createIdleTasks(): IdleTasks {
  const tasks: Readonly<Record<IdlePriority, (() => void)[]>> = { plan: [], call: [], row: [] };
  let isScheduled = false;
  let awaited = 0;

  const schedule = () => {
    if (isScheduled || awaited > 0) return;
    isScheduled = true;
    // Node settles all promises that it can before it runs a setImmediate callback.
    setImmediate(runNext);
  };
  const runNext = () => {
    isScheduled = false;
    if (awaited > 0) return;
    const priority = PRIORITIES.find((one) => tasks[one].length > 0);
    if (priority === undefined) return;
    const task = tasks[priority].shift();
    schedule();
    task?.();
  };

  return {
    add(priority, task) {
      tasks[priority].push(task);
      schedule();
    },
    waitFor(cached) {
      awaited++;
      const settle = () => {
        awaited--;
        schedule();
      };
      cached.then(settle, settle);
    },
  };
}
