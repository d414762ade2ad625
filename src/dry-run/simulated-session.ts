import type { Route } from '../upstream/postman/call.ts';
import type { Calls } from '../upstream/calls/calls.ts';
import { createIdleTasks, type IdleTasks } from '../upstream/calls/operation/idle-tasks.ts';
import type { Outcome } from '../upstream/cache/cached-response.ts';
import type { Operation } from '../upstream/calls/operation/operation.ts';
import { childLists, type ListName } from '../upstream/postman/levels.ts';
import { listedBy, listWith, type PostmanCall } from '../upstream/postman/postman-call.ts';
import type { PostmanSession } from '../upstream/calls/postman-session.ts';
import { toNotCached } from '../upstream/calls/local-errors.ts';
import { toError, UpstreamError } from '../upstream/http/upstream-error.ts';
import { createScenarioWorld, type Scenario, type ScenarioWorld } from './scenario-world.ts';
import { createResponseOrder } from './simulated-execution.ts';
import type { ParsedTarget, SimulatedIds } from './simulated-ids.ts';
import { countItems, type Work } from './simulation-work.ts';

/** A call that would have been made. */
export interface RecordedCall {
  readonly route: Route;
  /** The list with objects of the type that the call reads singly; undefined if there is no such list. */
  readonly hasOneOf: ListName | undefined;
  /** Key of the object that the call reads. Equal for both ways to read a collection. null: the call reads a list. */
  readonly single: string | null;
  /** Id or uid of the object that the call reads, or whose list it reads. */
  readonly id: string | undefined;
  /** Whether the call names a simulated object, such as a list of a simulated workspace. */
  readonly isSimulated: boolean;
}

/** Calls by target. */
export type RecordedCalls = ReadonlyMap<string, RecordedCall>;

/** A session whose calls are recorded instead of made. */
export interface SimulatedSession {
  readonly session: PostmanSession;
  readonly recorded: RecordedCalls;
  readonly world: ScenarioWorld;
  /** Whether it has used a cached response. */
  readonly usedCache: () => boolean;
}

/** Input of {@link createSimulatedSession}. */
export interface SimulatedSessionOptions {
  readonly scenario: Scenario;
  readonly ids: SimulatedIds;
  /** Access to the cached responses. */
  readonly calls: Pick<
    Calls,
    'cachedOutcome' | 'isCached' | 'load' | 'cachedLists' | 'loadLists' | 'lastOutcome' | 'isRenewable'
  >;
  /** Identifies the API key, and which cached responses the client accepts. */
  readonly operation: Operation;
  /** Limit of recorded calls. The next one ends the work. */
  readonly maxRecorded: number;
  /** Once it is over, calls get no response. An error that upstream cannot have caused fails it. */
  readonly work: Work;
}

// Steps to plan a call, to record it and to respond to it.
const CALL_STEPS = 15;

/** Creates the session of one run. Calls get cached responses, or else responses of the scenario's world. */
export function createSimulatedSession(options: SimulatedSessionOptions): SimulatedSession {
  const { scenario, ids, calls, operation, maxRecorded, work } = options;
  const idleTasks = createIdleTasks();
  const recorded = new Map<string, RecordedCall>();
  const nextResponse = createResponseOrder(scenario.respondToFirst, idleTasks, work);
  const world = createScenarioWorld(scenario, ids, work);
  const shown = { targets: new Set<string>(), lists: new Set<ListName>() };
  const cache = createCacheView(options);
  let usedCache = false;

  /** Fails the work at once on an error that upstream cannot have caused: loaders and resolvers could hide it. */
  const toThrown = (error: unknown) => {
    if (!(error instanceof UpstreamError)) work.fail(error);
    return error;
  };
  const isCached = (call: PostmanCall<unknown, null>): boolean => {
    try {
      return readCache(call) !== undefined || cache.isKnown(call);
    } catch (error) {
      throw toThrown(error);
    }
  };

  /** Returns the response that the scenario finds in the cache; undefined if the call would be made. */
  const readCache = (call: PostmanCall<unknown, null>): Outcome | undefined => {
    const { route, target } = call;
    const parsed = ids.parse(target);
    if (parsed.isCached) return cache.simulated(call);
    const cached = cache.fresh(call, parsed);
    if (!cached) {
      // A list can show that an expired response is still current. In a simulation every list shows that.
      const list = scenario.listed && listWith(route);
      const isShown = shown.targets.has(target) || (list && shown.lists.has(list));
      return isShown && calls.isRenewable(call, operation) ? (cache.last(call) ?? simulateIn(world, call)) : undefined;
    }
    usedCache = true;
    if ('failure' in cached) return cached;
    const value = withoutContents(call, cached.value);
    if (!scenario.ignoresCachedLists) return { value };
    return listedBy(route) ? simulateIn(world, call) : { value: withoutLists(value) };
  };

  const record = ({ route, target }: PostmanCall<unknown, null>) => {
    const { id, isSimulated } = ids.parse(target);
    const single = listedBy(route) ? null : `${route.template} ${id ?? ''}`;
    recorded.set(target, { route, single, hasOneOf: listWith(route), id, isSimulated });
  };

  const respond = async (call: PostmanCall<unknown, null>): Promise<Outcome> => {
    const { route, target } = call;
    const loading = cache.load(call, idleTasks);
    if (loading) await loading;
    const cached = readCache(call);
    if (cached) {
      if ('value' in cached) cache.note(cached.value);
      if ('value' in cached && cached.value !== null) call.contents?.(cached.value).forEach(world.name);
      return cached;
    }
    if (operation.directives.onlyIfCached) throw toNotCached(route);
    if (!recorded.has(target) && recorded.size >= maxRecorded) {
      work.end();
      return new Promise(() => {});
    }
    work.add(CALL_STEPS);
    record(call);
    const list = listedBy(route);
    await nextResponse(list !== undefined);
    const outcome = cache.last(call) ?? simulateIn(world, call);
    if (scenario.account && 'value' in outcome) {
      // Most objects in a list are unchanged.
      for (const [shownTarget] of call.listedUpdates?.(outcome.value) ?? []) shown.targets.add(shownTarget);
    }
    if (list) shown.lists.add(list);
    return outcome;
  };

  return {
    recorded,
    world,
    usedCache: () => usedCache,
    session: {
      async get<T, Missing extends null>(call: PostmanCall<T, Missing>): Promise<T | Missing> {
        try {
          const outcome = await respond(call);
          if ('value' in outcome) return outcome.value as T | Missing;
          if (outcome.failure.kind === 'notFound' && call.whenMissing !== undefined) return call.whenMissing;
          throw toError(outcome.failure);
        } catch (error) {
          throw toThrown(error);
        }
      },
      isCached,
      isRenewable: (call) => !isCached(call) && calls.isRenewable(call, operation),
      cachedLists: () => (scenario.ignoresCachedLists ? [] : calls.cachedLists(operation)),
      loadLists: () => (scenario.ignoresCachedLists ? undefined : cache.loadLists(idleTasks)),
      release() {},
      idleTasks,
    },
  };
}

/** Creates the view that a scenario has of the cache. */
function createCacheView({ scenario, ids, calls, operation, work }: SimulatedSessionOptions) {
  const { account, hasCursorItems } = scenario;
  const cursorIds = new Set(hasCursorItems && ids.cursors.map(({ id }) => id));
  const full = createScenarioWorld({ exists: true, respondToFirst: 'oldest' }, ids, work);
  const empty = createScenarioWorld({ exists: false, respondToFirst: 'oldest' }, ids, work);

  /** Counts the items of a response as work. Adds the objects it names to the account, so that lists have them. */
  const note = (value: unknown) => {
    work.add(countItems(value));
    if (!account || typeof value !== 'object' || value === null) return;
    const parts = value as Readonly<Record<string, unknown>>;
    for (const list of childLists) {
      const refs = parts[list];
      for (const { uid } of Array.isArray(refs) ? (refs as readonly { readonly uid: string }[]) : [])
        account.add(list, uid);
    }
  };

  // The item that a cursor names may really be another one, which need not be cached.
  const isReal = ({ id, isSimulated }: ParsedTarget) => !isSimulated && !cursorIds.has(id ?? '');

  /** Whether this instance, or only another one, has a cached response that is fresh enough. */
  const isKnown = (call: PostmanCall<unknown, null>) =>
    isReal(ids.parse(call.target)) && calls.isCached(call, operation);

  return {
    note,

    isKnown,

    /** Loads a cached response that only another instance has; undefined: there is none. */
    load(call: PostmanCall<unknown, null>, idleTasks: IdleTasks): Promise<unknown> | undefined {
      const loading = isKnown(call) ? calls.load(call, operation) : undefined;
      if (loading) idleTasks.waitFor(loading);
      return loading;
    },

    /** Loads cached lists that only other instances have; undefined: there are none. */
    loadLists(idleTasks: IdleTasks): Promise<unknown> | undefined {
      const loading = calls.loadLists(operation);
      if (loading) idleTasks.waitFor(loading);
      return loading;
    },

    /** Returns the response about an object that is simulated as cached: it exists, and its lists are empty. */
    simulated(call: PostmanCall<unknown, null>): Outcome {
      const { route, target } = call;
      return { value: withoutLists(call.simulate((listedBy(route) ? empty : full).viewFor(target))) };
    },

    /** Returns the cached response of a call if it is fresh enough. */
    fresh(call: PostmanCall<unknown, null>, parsed: ParsedTarget): Outcome | undefined {
      return isReal(parsed) ? calls.cachedOutcome(call, operation) : undefined;
    },

    /** Returns the last response of a call, at any age; undefined unless the scenario has a likely account. */
    last(call: PostmanCall<unknown, null>): Outcome | undefined {
      if (!account || ids.parse(call.target).isSimulated) return undefined;
      const last = calls.lastOutcome(call, operation);
      if (!last || 'failure' in last) return last;
      note(last.value);
      return { value: withoutContents(call, last.value) };
    },
  };
}

const simulateIn = (world: ScenarioWorld, call: PostmanCall<unknown, null>): Outcome => ({
  value: call.simulate(world.viewFor(call.target)),
});

/** Returns a cached response without its large parts, which no simulation reads. */
function withoutContents(call: PostmanCall<unknown, null>, value: unknown): unknown {
  return call.withoutContents && value !== null ? call.withoutContents(value) : value;
}

/** Returns a response about one object with all its lists empty. */
function withoutLists(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, Array.isArray(part) ? [] : part]));
}
