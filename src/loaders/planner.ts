import DataLoader from 'dataloader';

/**
 * Makes a loader that sees all requests of one tick before it decides which calls answer them.
 *
 * DataLoader settles a batch as a whole; a batch here only *starts* calls, so that each request is answered as soon as
 * its own call is, and fails only with it.
 *
 * @param plan - Gets the different requests of one tick and returns a promise for each, in the same order.
 * @param keyOf - Text that is equal for equal requests.
 */
export function createPlanner<Request extends object | string, Answer>(
  plan: (requests: readonly Request[]) => readonly Promise<Answer>[],
  keyOf: (request: Request) => string,
): (request: Request) => Promise<Answer> {
  const loader = new DataLoader<Request, { readonly answer: Promise<Answer> }, string>(
    (requests) => {
      const answers = plan(requests);
      // A failure is reported where the request waits; here it would count as unhandled until then.
      for (const answer of answers) answer.catch(() => undefined);
      return Promise.resolve(answers.map((answer) => ({ answer })));
    },
    { cacheKeyFn: keyOf },
  );
  return async (request) => (await loader.load(request)).answer;
}

/**
 * Makes a loader that makes each different call once per operation.
 *
 * @param load - Makes the call of one key.
 * @param keyOf - Text that is equal for equal keys.
 */
export function createOnce<Key extends object | string, Answer>(
  load: (key: Key) => Promise<Answer>,
  keyOf: (key: Key) => string = String,
): (key: Key) => Promise<Answer> {
  return createPlanner((keys) => keys.map(load), keyOf);
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
