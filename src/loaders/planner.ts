import DataLoader from 'dataloader';
import type { IdleTasks } from '../upstream/calls/operation/idle-tasks.ts';
import type { Listed } from './listed.ts';

/**
 * Creates a loader that sees all requests of one tick before it decides which calls serve them.
 *
 * DataLoader settles a batch as a whole. A batch here only *starts* calls, so each request settles with its own call.
 *
 * @param plan - Gets the different requests of one tick and returns a promise for each, in the same order.
 * @param keyOf - Returns equal text for equal requests.
 * @param schedule - Runs the plan at the end of a tick. Default: DataLoader's, after all microtasks.
 */
export function createPlanner<Request extends object | string, Result>(
  plan: (requests: readonly Request[]) => readonly Promise<Result>[],
  keyOf: (request: Request) => string,
  schedule?: (plan: () => void) => void,
): PlannedLoader<Request, Result> {
  const create = () =>
    new DataLoader<Request, { readonly result: Promise<Result> }>(
      (requests) => {
        // A used DataLoader would hold on to all of its requests.
        loader = undefined;
        const results = plan(requests);
        // The caller handles a failure. Until it does, the failure must not count as unhandled.
        for (const result of results) result.catch(() => undefined);
        return Promise.resolve(results.map((result) => ({ result })));
      },
      { cache: false, ...(schedule && { batchScheduleFn: schedule }) },
    );
  // Collects the requests of the current tick.
  let loader: ReturnType<typeof create> | undefined;
  // Replaces DataLoader's cache, which would hold three objects for each response.
  const results = new Map<string, Promise<Result>>();
  const requestedAgain = new Set<string>();
  const load = (request: Request) => {
    const key = keyOf(request);
    const known = results.get(key);
    if (known) {
      requestedAgain.add(key);
      return known;
    }
    loader ??= create();
    const result = loader.load(request).then((started) => started.result);
    results.set(key, result);
    return result;
  };
  const forget = (request: Request) => {
    const key = keyOf(request);
    return !requestedAgain.has(key) && results.delete(key);
  };
  return Object.assign(load, { forget });
}

/**
 * Creates a loader of objects that lists may show. It plans after the lists requested in the same tick have started.
 * Requests that a running list may serve are planned when the lists have shown their objects, or have ended.
 *
 * @param listed - The lists that are being read.
 * @param mayBeListed - Returns the uids of the requests that a list may serve.
 * @param plan - Plans requests together. Returns the function that serves each of them.
 * @param keyOf - Returns equal text for equal requests.
 */
export function createPlannerAfterLists<Request extends { readonly uid: string }, Result>(
  idleTasks: IdleTasks,
  listed: Pick<Listed<unknown>, 'isExpecting' | 'expected'>,
  mayBeListed: (requests: readonly Request[]) => ReadonlySet<string>,
  plan: (requests: readonly Request[]) => (request: Request) => Promise<Result>,
  keyOf: (request: Request) => string,
): PlannedLoader<Request, Result> {
  const planAll = (requests: readonly Request[]): readonly Promise<Result>[] => {
    const uids = listed.isExpecting() ? mayBeListed(requests) : new Set<string>();
    const serveNow = plan(requests.filter(({ uid }) => !uids.has(uid)));
    if (uids.size === 0) return requests.map(serveNow);
    const whenListed = listed.expected([...uids]).then(() => plan(requests.filter(({ uid }) => uids.has(uid))));
    return requests.map((request) =>
      uids.has(request.uid) ? whenListed.then((serve) => serve(request)) : serveNow(request),
    );
  };
  return createPlanner(planAll, keyOf, (run) => idleTasks.add('plan', run));
}

/** A loader made by {@link createPlanner}. */
export interface PlannedLoader<Request, Result> {
  (request: Request): Promise<Result>;
  /** Drops the result of a request that was made once, so that it can be garbage collected. Returns whether it did. */
  forget(request: Request): boolean;
}

/** Groups values by key, in the order in which each key first appears. */
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
