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
import { createScenarioWorld, type Scenario, type WorldQuestion } from './scenario-world.ts';
import type { ParsedTarget, SimulatedIds } from './simulated-ids.ts';
import type { Work } from './simulation-work.ts';

/** A call that would have been made. */
export interface RecordedCall {
  readonly route: Route;
  /** The list that has such a thing as was asked for singly; undefined: no list has. */
  readonly hasOneOf: ListName | undefined;
  /** What was asked for singly. Equal for both ways to read a collection. null: the call asks for a list. */
  readonly single: string | null;
  /** The identifier of what was asked for singly. */
  readonly id: string | undefined;
  /** Only the simulation knows what is asked for: a list of a simulated workspace, say. */
  readonly isSimulated: boolean;
}

/** Calls by target. */
export type RecordedCalls = ReadonlyMap<string, RecordedCall>;

/** A session whose calls are recorded instead of made. */
export interface SimulatedSession {
  readonly session: PostmanSession;
  readonly recorded: RecordedCalls;
  /** What its answers have rested on. */
  readonly questions: ReadonlySet<WorldQuestion>;
  /** Whether the cache answered anything. */
  readonly usedCache: () => boolean;
}

/** What a simulated session is made with. */
export interface SimulatedSessionOptions {
  readonly scenario: Scenario;
  readonly ids: SimulatedIds;
  /** What is cached. */
  readonly calls: Pick<Calls, 'cachedOutcome' | 'lastOutcome' | 'isRenewable'>;
  /** Whose cache it is, and what it wants of that. */
  readonly operation: Operation;
  /** The work is over when one call more would be recorded. */
  readonly maxRecorded: number;
  /** Nothing is answered any more when it is over. It fails with every error that upstream cannot have caused. */
  readonly work: Work;
}

// To plan a call, record it and answer it.
const CALL_STEPS = 15;

/** Makes the session of one run: the cache answers its calls, and the world of a scenario where nothing is cached. */
export function createSimulatedSession(options: SimulatedSessionOptions): SimulatedSession {
  const { scenario, ids, calls, operation, maxRecorded, work } = options;
  const idleTasks = createIdleTasks();
  const recorded = new Map<string, RecordedCall>();
  const nextResponse = createResponseOrder(scenario.respondToFirst, idleTasks, work);
  const world = createScenarioWorld(scenario, ids, work);
  const shown = { targets: new Set<string>(), lists: new Set<ListName>() };
  const cache = createCacheView(options);
  let usedCache = false;

  const simulate = (call: PostmanCall<unknown, null>): Outcome => ({
    value: call.simulate(world.viewFor(call.target)),
  });

  /** Loaders and resolvers can hide an error that upstream cannot have caused. */
  const toThrown = (error: unknown) => {
    if (!(error instanceof UpstreamError)) work.fail(error);
    return error;
  };
  const isCached = (call: PostmanCall<unknown, null>): boolean => {
    try {
      return readCache(call) !== undefined;
    } catch (error) {
      throw toThrown(error);
    }
  };

  /** The answer of the cache, as far as the scenario takes note of it; undefined where the call would be made. */
  const readCache = (call: PostmanCall<unknown, null>): Outcome | undefined => {
    const { route, target } = call;
    const parsed = ids.parse(target);
    if (parsed.isCached) return cache.simulated(call);
    const cached = cache.fresh(call, parsed);
    if (!cached) {
      // A list can show that an answer which is too old is still true: here each does.
      const list = scenario.listed && listWith(route);
      const isShown = shown.targets.has(target) || (list && shown.lists.has(list));
      return isShown && calls.isRenewable(call, operation) ? (cache.last(call) ?? simulate(call)) : undefined;
    }
    usedCache = true;
    if ('failure' in cached) return cached;
    const value = withoutContents(call, cached.value);
    if (!scenario.ignoresCachedLists) return { value };
    return listedBy(route) ? simulate(call) : { value: withoutLists(value) };
  };

  const record = ({ route, target }: PostmanCall<unknown, null>) => {
    const { id, isSimulated } = ids.parse(target);
    const single = listedBy(route) ? null : `${route.template} ${id ?? ''}`;
    recorded.set(target, { route, single, hasOneOf: listWith(route), id, isSimulated });
  };

  const respond = async (call: PostmanCall<unknown, null>): Promise<Outcome> => {
    const { route, target } = call;
    const cached = readCache(call);
    if (cached) {
      if ('value' in cached) cache.note(cached.value);
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
    const outcome = cache.last(call) ?? simulate(call);
    if (scenario.account && 'value' in outcome) {
      // Most things in a list are unchanged.
      for (const [showsTarget] of call.listedUpdates?.(outcome.value) ?? []) shown.targets.add(showsTarget);
    }
    if (list) shown.lists.add(list);
    return outcome;
  };

  return {
    recorded,
    questions: world.questions,
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
      idleTasks,
    },
  };
}

/** What a scenario sees of the cache. */
function createCacheView({ scenario, ids, calls, operation, work }: SimulatedSessionOptions) {
  const { account, hasCursorItems } = scenario;
  const cursorIds = new Set(hasCursorItems && ids.cursors.map(({ id }) => id));
  const full = createScenarioWorld({ exists: true, respondToFirst: 'oldest' }, ids, work);
  const empty = createScenarioWorld({ exists: false, respondToFirst: 'oldest' }, ids, work);

  /** Counts the items of an answer, and notes what it names: that exists, so that a list of everything has it. */
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

  return {
    note,

    /** What a call is answered with about things that are simulated as cached: that they exist, and have nothing. */
    simulated(call: PostmanCall<unknown, null>): Outcome {
      const { route, target } = call;
      return { value: withoutLists(call.simulate((listedBy(route) ? empty : full).viewFor(target))) };
    },

    /** What is cached of a call, and new enough. */
    fresh(call: PostmanCall<unknown, null>, { id, isSimulated }: ParsedTarget): Outcome | undefined {
      // What really stands at a place need not be cached.
      return isSimulated || cursorIds.has(id ?? '') ? undefined : calls.cachedOutcome(call, operation);
    },

    /** What a call was answered with before, however long ago; undefined where the scenario takes no note of that. */
    last(call: PostmanCall<unknown, null>): Outcome | undefined {
      if (!account || ids.parse(call.target).isSimulated) return undefined;
      const last = calls.lastOutcome(call, operation);
      if (!last || 'failure' in last) return last;
      note(last.value);
      return { value: withoutContents(call, last.value) };
    },
  };
}

/** Makes the function that resolves when a call is answered: one at a time, so that each answer has led to everything it can before the next. */
function createResponseOrder(first: Scenario['respondToFirst'], idleTasks: IdleTasks, work: Work) {
  const lists: (() => void)[] = [];
  const others: (() => void)[] = [];
  let isResponding = false;
  const respondNext = () => {
    if (isResponding) return;
    isResponding = true;
    // In line with the planners, so that two answers can be planned together, as upstream's can that come at once.
    idleTasks.add('plan', () => {
      isResponding = false;
      if (work.isOver) return;
      const respond = first === 'newest' ? others.pop() : (lists.shift() ?? others.shift());
      if (!respond) return;
      respond();
      respondNext();
    });
  };
  return (isList: boolean) =>
    new Promise<void>((respond) => {
      (isList && first === 'lists' ? lists : others).push(respond);
      respondNext();
    });
}

/** The items of an answer that is a list, or has some. */
function countItems(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((count, part) => count + (Array.isArray(part) ? part.length : 0), 0);
}

function withoutContents(call: PostmanCall<unknown, null>, value: unknown): unknown {
  return call.withoutContents && value !== null ? call.withoutContents(value) : value;
}

/** An answer about one thing, with its lists empty. */
function withoutLists(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, Array.isArray(part) ? [] : part]));
}
