/**
 * What an operation has finished when a task of this priority runs, the most urgent first:
 * - `plan`: its resolvers have asked the loaders for everything they can. Planners choose the calls.
 * - `call`: the planners have chosen. The next call of a stream is made.
 * - `row`: the calls are made. Further rows of streamed lists begin.
 */
export type IdlePriority = (typeof PRIORITIES)[number];

/**
 * Tasks of one operation that wait until its promises have nothing left to do without an answer from upstream. They run one at a time, the most
 * urgent first, and each waits until the one before it has had all its consequences.
 */
export interface IdleTasks {
  add(priority: IdlePriority, task: () => void): void;
}

const PRIORITIES = ['plan', 'call', 'row'] as const;

/** Makes the tasks of one operation: none yet. */
export function createIdleTasks(): IdleTasks {
  const tasks: Readonly<Record<IdlePriority, (() => void)[]>> = { plan: [], call: [], row: [] };
  let isScheduled = false;

  const schedule = () => {
    if (isScheduled) return;
    isScheduled = true;
    // Node settles all promises that it can before it runs this.
    setImmediate(runNext);
  };
  const runNext = () => {
    isScheduled = false;
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
  };
}
