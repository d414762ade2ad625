import type { Call, Route } from './call.ts';
import type { Calls } from './calls.ts';
import type { Asked, Imagination } from './imagination.ts';
import { createImaginedAnswers, type Scenario } from './imagined-answers.ts';
import type { Outcome } from './kept-answer.ts';
import type { IdleTasks } from './idle-tasks.ts';
import type { Operation } from './operation.ts';
import type { CollectionDetail } from './postman/collections.ts';
import type { EnvironmentDetail } from './postman/environments.ts';
import type { Ref } from './postman/ref.ts';
import type { WorkspaceDetail } from './postman/workspaces.ts';
import { toNotCached } from './refusals.ts';
import { toError, type UpstreamError, type UpstreamFailure } from './upstream-error.ts';
import type { Work } from './work.ts';

/** A call that would have been made. */
export interface NotedCall {
  readonly route: Route;
  /** What was asked for singly; null for a list. Equal for both ways to read a collection. */
  readonly single: string | null;
  /** What is asked for is known by imagination alone: a list of an imagined workspace, say. */
  readonly isImagined: boolean;
}

/** Calls that are noted instead of made. */
export interface ImaginedCalls extends Pick<Calls, 'make' | 'kept' | 'isRenewable'> {
  /** By target. */
  readonly noted: ReadonlyMap<string, NotedCall>;
  /** Whether anything was answered from what is kept. */
  readonly usesKept: () => boolean;
}

/** What calls are imagined with. */
export interface ImaginedCallsOptions {
  readonly scenario: Scenario;
  readonly imagination: Imagination;
  /** Knows what is kept; nothing else is asked of it. */
  readonly calls: Pick<Calls, 'kept' | 'lastOutcome' | 'isRenewable'>;
  /** Is over when one call more would be noted. */
  readonly maxNoted: number;
  /** Nothing is answered any more when it is over. */
  readonly work: Work;
}

// To plan a call, note it and answer it.
const CALL_STEPS = 15;

/**
 * Makes calls that never leave the process: what is kept answers them, and a scenario where nothing is. Each imagined answer comes in a turn
 * of the event loop of its own, as real ones do, so that what is kept always comes before what is not.
 */
export function createImaginedCalls(options: ImaginedCallsOptions): ImaginedCalls {
  const { scenario, imagination, calls, maxNoted, work } = options;
  const noted = new Map<string, NotedCall>();
  const shownLists = new Set<string>();
  const shownTargets = new Set<string>();
  const waiting = createWaiting(scenario.answersFirst);
  const answerOf = createImaginedAnswers(scenario, imagination, work);
  const bare = { answersFirst: 'oldest' } as const;
  const full = createImaginedAnswers({ ...bare, isFull: true }, imagination, work);
  const empty = createImaginedAnswers({ ...bare, isFull: false }, imagination, work);
  const placed = new Set(scenario.hasPlaces && imagination.places.map(({ id }) => id));
  let usesKept = false;
  let isAnswering = false;

  const answerLater = (idleTasks: IdleTasks) => {
    if (isAnswering) return;
    isAnswering = true;
    // In line with the planners, so that two answers can be planned together, as upstream's can that come at once.
    idleTasks.add('plan', () => {
      isAnswering = false;
      const answer = work.isOver ? undefined : waiting.next();
      if (!answer) return;
      answer();
      answerLater(idleTasks);
    });
  };
  const turn = (isList: boolean, idleTasks: IdleTasks) =>
    new Promise<void>((answer) => {
      waiting.add(isList, answer);
      answerLater(idleTasks);
    });

  const missing = new Map<string, Outcome>();
  const toMissing = (route: string): Outcome => {
    const known = missing.get(route) ?? { failure: { kind: 'notFound', message: 'Nothing is imagined here.', route } };
    missing.set(route, known);
    return known;
  };

  // An error has a stack, which takes longer to make than the rest of an answer.
  const errors = new Map<UpstreamFailure, UpstreamError>();
  const errorOf = (failure: UpstreamFailure): UpstreamError => {
    const known = errors.get(failure) ?? toError(failure);
    errors.set(failure, known);
    return known;
  };

  /** Takes note of what an answer names: it exists, so that a list of everything has it. */
  const meet = (value: unknown) => {
    for (const kind of ['collections', 'environments'] as const) {
      const refs = (value as Partial<WorkspaceDetail> | null)?.[kind];
      for (const { uid } of Array.isArray(refs) ? (refs as readonly Ref[]) : []) scenario.account?.add(kind, uid);
    }
  };

  /** What a call is likely to be answered with because it was before; undefined: nothing is kept of it, or only extremes are imagined. */
  const remember = (call: Call<unknown>, operation: Operation): Outcome | undefined => {
    if (!scenario.account || imagination.read(call.target).isImagined) return undefined;
    const last = calls.lastOutcome(call, operation);
    if (!last || 'failure' in last) return last;
    work.add(countItems(last.value));
    meet(last.value);
    return { value: withoutContents(last.value, call.route.template) };
  };

  const imagine = ({ route, target }: Call<unknown>): Outcome => {
    const value = answerOf(target, route.template);
    if (value !== null) return { value };
    return toMissing(route.template);
  };

  /** What a call says of what is imagined to be kept: that it exists, and has nothing. */
  const imagineKept = (asked: Asked, { route: { template }, target }: Call<unknown>): Outcome => {
    const answer = toSingle(asked, template) === null ? empty : full;
    return { value: withoutLists(answer(target, template), template) };
  };

  /** What is kept of a call, as far as it is to be known; undefined where the call would be made. */
  const recall = (call: Call<unknown>, operation: Operation): Outcome | undefined => {
    const { route, target } = call;
    const asked = imagination.read(target);
    if (asked.isKept) return imagineKept(asked, call);
    // What stands at a place in truth need not be kept.
    const isForgotten = asked.isImagined || placed.has(asked.id ?? '');
    const kept = isForgotten ? undefined : calls.kept(call, operation);
    if (!kept) {
      // A list can show that an answer which is too old is still true: here each does.
      const isShown = shownTargets.has(target) || (scenario.listed && shownLists.has(listRouteOf(route.template)));
      return isShown && calls.isRenewable(call, operation) ? (remember(call, operation) ?? imagine(call)) : undefined;
    }
    usesKept = true;
    if ('failure' in kept) return kept;
    if (!scenario.forgetsLists) return { value: withoutContents(kept.value, route.template) };
    if (toSingle(asked, route.template) === null) return imagine(call);
    return { value: withoutLists(withoutContents(kept.value, route.template), route.template) };
  };

  return {
    noted,
    usesKept: () => usesKept,
    kept: recall,
    isRenewable: (call, operation) => recall(call, operation) === undefined && calls.isRenewable(call, operation),
    async make<T>(call: Call<T>, operation: Operation): Promise<T> {
      const { route, target } = call;
      let outcome = recall(call, operation);
      if (outcome && 'value' in outcome) {
        work.add(countItems(outcome.value));
        if (scenario.account) meet(outcome.value);
      }
      if (!outcome) {
        if (operation.directives.onlyIfCached) throw toNotCached(route);
        if (!noted.has(target) && noted.size >= maxNoted) {
          work.end();
          return new Promise<T>(() => {});
        }
        const asked = imagination.read(target);
        const single = toSingle(asked, route.template);
        work.add(CALL_STEPS);
        noted.set(target, { route, single, isImagined: asked.isImagined });
        await turn(single === null, operation.idleTasks);
        outcome = remember(call, operation) ?? imagine(call);
        // What a list has is likely unchanged.
        if (scenario.account && 'value' in outcome) {
          for (const [shown] of call.shows?.(outcome.value as T) ?? []) shownTargets.add(shown);
        }
        shownLists.add(route.template);
      }
      if ('failure' in outcome) throw errorOf(outcome.failure);
      return outcome.value as T;
    },
  };
}

interface Waiting {
  add(isList: boolean, answer: () => void): void;
  next(): (() => void) | undefined;
}

/** The calls that are out, in the order in which they are answered. */
function createWaiting(first: Scenario['answersFirst']): Waiting {
  const lists: (() => void)[] = [];
  const others: (() => void)[] = [];
  return {
    add: (isList, answer) => void (isList && first === 'lists' ? lists : others).push(answer),
    next: () => (first === 'newest' ? others.pop() : (lists.shift() ?? others.shift())),
  };
}

const listRouteOf = (template: string) => template.slice(0, template.indexOf('/', 1));

function toSingle({ id }: Asked, template: string): string | null {
  if (template === '/me') return template;
  return id === undefined ? null : `${template} ${id}`;
}

/** Of an answer that is a list, or has some. */
function countItems(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((count, part) => count + (Array.isArray(part) ? part.length : 0), 0);
}

/** What nobody needs to know the calls. Everything is small then, and no tree has to be walked. */
function withoutContents(value: unknown, template: string): unknown {
  if (template === '/environments/{uid}') return { ...(value as EnvironmentDetail), values: [] };
  if (template !== '/collections/{uid}') return value;
  return { ...(value as CollectionDetail), description: null, document: {} } satisfies CollectionDetail;
}

function withoutLists(value: unknown, template: string): unknown {
  if (template !== '/workspaces/{id}') return value;
  return { ...(value as WorkspaceDetail), collections: [], environments: [] } satisfies WorkspaceDetail;
}
