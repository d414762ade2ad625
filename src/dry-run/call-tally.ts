import { LARGEST_COST } from '../graph/planning/estimate.ts';
import type { RouteClass } from '../upstream/postman/route-class.ts';
import type { RecordedCall, RecordedCalls } from './simulated-session.ts';

/** How many calls of one route an operation makes. */
export interface RouteCost {
  /** Route template. */
  readonly path: string;
  readonly routeClass: RouteClass;
  readonly atLeast: number;
  readonly likely: number;
  readonly atMost: number;
}

/** The calls an operation makes if all of them succeed and no other operation makes one of them at the same time. */
export interface Cost {
  readonly atLeast: number;
  /** Between `atLeast` and `atMost`. */
  readonly likely: number;
  readonly atMost: number;
  /** Sorted by path. */
  readonly routes: readonly RouteCost[];
}

/** The calls that the runs of a simulation have recorded so far, combined into bounds. */
export interface Tally {
  /** Calls added by `addPossible`. */
  readonly possible: RecordedCalls;
  /** Adds calls of a run that counts for the upper bound. */
  addPossible(recorded: RecordedCalls): void;
  /** Adds calls of a run that counts for the lower bound: a call missing here is no longer certain. */
  addOptimistic(recorded: RecordedCalls): void;
  /** Sets the calls of the run on a likely account. */
  addLikely(recorded: RecordedCalls): void;
  /** Removes single reads from the certain calls. */
  dropCertainSingles(): void;
  /** Counts the certain calls. The two ways to read one collection count once. */
  countCertain(): number;
  /**
   * @param isComplete - Whether every possible call has been recorded, so that no run was cut short.
   * @param isAnotherPlan - Whether the run on a likely account may have replaced possible calls by calls of other
   *   routes.
   */
  toCost(isComplete: boolean, isAnotherPlan: boolean): Cost;
}

/** Creates the tally of one simulation. */
export function createTally(): Tally {
  const possible = new Map<string, RecordedCall>();
  let certain: RecordedCalls | undefined;
  let likely: RecordedCalls = new Map();

  // The order of responses can decide whether a collection is read with its tree, or first without: count both as one.
  const distinctCertain = () => new Map([...(certain ?? [])].map(([target, call]) => [call.single ?? target, call]));

  return {
    possible,
    addPossible(recorded) {
      for (const [target, call] of recorded) possible.set(target, call);
    },
    addOptimistic(recorded) {
      certain = certain ? new Map([...certain].filter(([target]) => recorded.has(target))) : new Map(recorded);
    },
    addLikely(recorded) {
      likely = recorded;
    },
    dropCertainSingles() {
      certain = new Map([...(certain ?? [])].filter(([, { single }]) => single === null));
    },
    countCertain: () => distinctCertain().size,
    toCost(isComplete, isAnotherPlan) {
      const possibleByRoute = countByRoute(possible.values());
      const likelyByRoute = countByRoute(likely.values());
      const certainByRoute = countByRoute(distinctCertain().values());
      // The likely account can lead to another plan, with other routes: each route then has its largest count. If a run
      // was cut short, the other runs may lack routes, too.
      const usesLikely = !isComplete || (isAnotherPlan && likely.size <= possible.size);
      const paths = usesLikely ? new Map([...likelyByRoute, ...possibleByRoute]) : possibleByRoute;
      const routes = [...paths].map(([path, { routeClass }]): RouteCost => {
        const countIn = (counts: typeof paths) => counts.get(path)?.count ?? 0;
        const atLeast = countIn(certainByRoute);
        const atMost = Math.max(countIn(possibleByRoute), usesLikely ? countIn(likelyByRoute) : 0);
        return {
          path,
          routeClass,
          atLeast,
          likely: Math.min(atMost, Math.max(atLeast, countIn(likelyByRoute))),
          atMost,
        };
      });
      return {
        atMost: isComplete ? Math.min(LARGEST_COST, possible.size) : LARGEST_COST,
        likely: Math.min(
          LARGEST_COST,
          routes.reduce((sum, route) => sum + route.likely, 0),
        ),
        atLeast: distinctCertain().size,
        routes: routes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)),
      };
    },
  };
}

function countByRoute(
  calls: Iterable<RecordedCall>,
): ReadonlyMap<string, { readonly routeClass: RouteClass; readonly count: number }> {
  const counts = new Map<string, { routeClass: RouteClass; count: number }>();
  for (const { route } of calls) {
    const known = counts.get(route.template) ?? { routeClass: route.routeClass, count: 0 };
    known.count++;
    counts.set(route.template, known);
  }
  return counts;
}
