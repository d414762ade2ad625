import DataLoader from 'dataloader';
import type { IdleTasks } from '../upstream/calls/operation/idle-tasks.ts';
import type { Listed } from './listed.ts';

/**
 * Makes a loader that sees all requests of one tick before it decides which calls answer them.
 *
 * DataLoader settles a batch as a whole; a batch here only *starts* calls, so that each request is answered as soon as
 * its own call is, and fails only with it.
 *
 * @param plan - Gets the different requests of one tick and returns a promise for each, in the same order.
 * @param keyOf - Text that is equal for equal requests.
 * @param schedule - Runs the plan when a tick is over. Default: as soon as nothing more can be asked for without an answer.
 */
export function createPlanner<Request extends object | string, Result>(
  plan: (requests: readonly Request[]) => readonly Promise<Result>[],
  keyOf: (request: Request) => string,
  schedule?: (plan: () => void) => void,
): (request: Request) => Promise<Result> {
  const create = () =>
    new DataLoader<Request, { readonly result: Promise<Result> }>(
      (requests) => {
        // It would hold on to all that asked.
        loader = undefined;
        const results = plan(requests);
        // A failure is reported where the request waits; here it would count as unhandled until then.
        for (const result of results) result.catch(() => undefined);
        return Promise.resolve(results.map((result) => ({ result })));
      },
      { cache: false, ...(schedule && { batchScheduleFn: schedule }) },
    );
  // Gathers the requests of one tick.
  let loader: ReturnType<typeof create> | undefined;
  // DataLoader's own would hold three objects for each answer.
  const results = new Map<string, Promise<Result>>();
  return (request) => {
    const key = keyOf(request);
    const known = results.get(key);
    if (known) return known;
    loader ??= create();
    const result = loader.load(request).then((started) => started.result);
    results.set(key, result);
    return result;
  };
}

/**
 * Makes a loader of things that lists have, too. It plans after all lists have been begun that anybody else wants in the same tick, and
 * what they may answer only when they are in, or have it.
 *
 * @param plan - Returns what answers each of its requests.
 * @param keyOf - Text that is equal for equal requests.
 */
export function createPlannerAfterLists<Request extends { readonly uid: string }, Result>(
  idleTasks: IdleTasks,
  listed: Pick<Listed<unknown>, 'isExpecting' | 'expected'>,
  mayBeListed: (requests: readonly Request[]) => ReadonlySet<string>,
  plan: (requests: readonly Request[]) => (request: Request) => Promise<Result>,
  keyOf: (request: Request) => string,
): (request: Request) => Promise<Result> {
  const planAll = (requests: readonly Request[]): readonly Promise<Result>[] => {
    const uids = listed.isExpecting() ? mayBeListed(requests) : new Set<string>();
    const planned = plan(requests.filter(({ uid }) => !uids.has(uid)));
    if (uids.size === 0) return requests.map(planned);
    const plannedLater = listed.expected([...uids]).then(() => plan(requests.filter(({ uid }) => uids.has(uid))));
    return requests.map((request) =>
      uids.has(request.uid) ? plannedLater.then((planOf) => planOf(request)) : planned(request),
    );
  };
  return createPlanner(planAll, keyOf, (run) => idleTasks.add('plan', run));
}

/** Sorts values into groups, in the order in which each group first appears. */
export function toGroups<Value, Key>(
  values: readonly Value[],
  keyOf: (value: Value) => Key,
): ReadonlyMap<Key, readonly Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}
