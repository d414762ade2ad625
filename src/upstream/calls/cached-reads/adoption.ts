import type { Outcome } from '../../cache/cached-response.ts';
import type { NewResponse, ResponseCache } from '../../cache/response-cache.ts';
import type { Clock } from '../../clock.ts';
import { parseJsonInTasks } from '../../http/parse-json.ts';
import type { UpstreamFailure } from '../../http/upstream-error.ts';
import type { Call } from '../../postman/call.ts';
import type { LearnedSizes } from '../../postman/list-sizes.ts';
import type { SharedCache, SharedResponse, SharedText } from '../../shared-cache/shared-cache.ts';
import type { CacheCaller } from './cached-reads.ts';

/** What `createAdoption` needs. */
export interface AdoptionOptions {
  readonly cache: ResponseCache;
  readonly clock: Clock;
  readonly learnedSizes: LearnedSizes;
  readonly sharedCache?: Pick<SharedCache, 'find' | 'take'> | undefined;
  /** Runs work on a body of this size on the heap, so that large ones do not block others. Default: at once. */
  readonly runTask?: (<Result>(heapBytes: number, task: () => Result) => Promise<Result>) | undefined;
}

/** Creates the way of a response from the level that all instances share into the cache of this process. */
export function createAdoption(options: AdoptionOptions) {
  const { cache, clock, learnedSizes, sharedCache } = options;
  const runTask = options.runTask ?? (async <Result>(_bytes: number, task: () => Result) => task());
  const unserved = new WeakSet<Outcome>();
  const toSentAtMs = ({ sentAgeMs }: SharedResponse) => Math.floor(clock.nowMs() - sentAgeMs);

  /** Whether a shared response is another one than the cached one, and the response to a later call. */
  const isLater = ({ keyHash }: CacheCaller, target: string, shared: SharedResponse) => {
    const cached = cache.identify(keyHash, target);
    return !cached || (cached.version !== shared.version && cached.sentAtMs < toSentAtMs(shared));
  };

  const toNewResponse = (call: Call<unknown>, shared: SharedResponse, outcome: Outcome): NewResponse => {
    const { version, heapBytes: bytes, updatedAt, failureTtlMs } = shared;
    const subjects = () => call.subjects?.('value' in outcome ? outcome.value : undefined) ?? [];
    const response = { outcome, bytes, updatedAt, sentAtMs: toSentAtMs(shared), version, subjects };
    return failureTtlMs === undefined ? response : { ...response, failureTtlMs };
  };

  const adopt = (call: Call<unknown>, { keyHash }: CacheCaller, shared: SharedText, outcome: Outcome) => {
    const response = toNewResponse(call, shared, outcome);
    cache.adopt(keyHash, call.target, response, shared);
    unserved.add(outcome);
    const observed = 'value' in outcome ? call.sizes?.(outcome.value) : undefined;
    if (observed) learnedSizes.learn(keyHash, observed, response.sentAtMs);
  };

  /** Updates the cached response by what is known of the shared ones, without waiting. */
  const merge = (call: Call<unknown>, caller: CacheCaller) => {
    const shared = sharedCache?.find(caller, call.target);
    if (!shared) return;
    cache.confirm(caller.keyHash, call.target, shared.version, shared);
    if (!isLater(caller, call.target, shared) || shared.route !== call.route.template) return;
    const taken = sharedCache?.take(caller, call.target);
    if (!taken) return;
    try {
      const body: unknown = JSON.parse(taken.text);
      adopt(call, caller, taken, toOutcome(taken, body, call.parse));
    } catch {
      // Another version of this program may have accepted a body that this one does not. The call is made.
    }
  };

  /** Caches a shared response that has been read, if it is later than the cached one. */
  const load = async (call: Call<unknown>, caller: CacheCaller, shared: SharedText) => {
    cache.confirm(caller.keyHash, call.target, shared.version, shared);
    if (!isLater(caller, call.target, shared) || shared.route !== call.route.template) return;
    const { heapBytes, text } = shared;
    const body = await parseJsonInTasks(text, (task) => runTask(heapBytes, task));
    adopt(call, caller, shared, await runTask(heapBytes, () => toOutcome(shared, body, call.parse)));
  };

  return {
    isLater,
    toNewResponse,
    merge,
    load,
    /** Says, once, that the outcome of a shared response is served for the first time. */
    isFirstServed: (outcome: Outcome) => unserved.delete(outcome),
  };
}

function toOutcome({ isFailure }: SharedResponse, body: unknown, parse: Call<unknown>['parse']): Outcome {
  return isFailure ? { failure: body as UpstreamFailure } : { value: parse(body) };
}
