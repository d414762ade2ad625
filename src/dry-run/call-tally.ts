import { LARGEST_COST } from '../graph/planning/estimate.ts';
import type { RouteClass } from '../upstream/postman/route-class.ts';
import type { RecordedCall, RecordedCalls } from './simulated-session.ts';

/** The calls of one route that an operation makes. */
export interface RouteCost {
  /** Template. */
  readonly path: string;
  readonly routeClass: RouteClass;
  readonly atLeast: number;
  readonly likely: number;
  readonly atMost: number;
}

/** The calls an operation makes, if all of them succeed and nobody else makes one of them at the same time. */
export interface Cost {
  readonly atLeast: number;
  /** Between them. */
  readonly likely: number;
  readonly atMost: number;
  /** By path. */
  readonly routes: readonly RouteCost[];
}

/** The calls that the scenarios of a simulation have recorded so far. */
export interface Tally {
  /** Calls recorded in any scenario. */
  readonly possible: RecordedCalls;
  /** These are possible. */
  addPossible(recorded: RecordedCalls): void;
  /** No others are certain. */
  addOptimistic(recorded: RecordedCalls): void;
  /** These are likely. */
  addLikely(recorded: RecordedCalls): void;
  /** Takes no single read for certain any more. */
  dropCertainSingles(): void;
  /** How many calls are certain. */
  countCertain(): number;
  /** @param isComplete - Every possible call has been recorded. */
  toCost(isComplete: boolean): Cost;
}

/** Makes the tally of one simulation. */
export function createTally(): Tally {
  const possible = new Map<string, RecordedCall>();
  let certain: RecordedCalls | undefined;
  let likely: RecordedCalls = new Map();

  // Whether a collection is read with its tree alone, or first without it, can hang on which answer comes first.
  const toDistinct = () => new Map([...(certain ?? [])].map(([target, call]) => [call.single ?? target, call]));

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
    countCertain: () => toDistinct().size,
    toCost(isComplete) {
      const possibleByRoute = countByRoute(possible.values());
      const likelyByRoute = countByRoute(likely.values());
      const certainByRoute = countByRoute(toDistinct().values());
      // A simulation that was cut short has not recorded everything that is possible.
      const paths = isComplete ? possibleByRoute : new Map([...likelyByRoute, ...possibleByRoute]);
      const routes = [...paths].map(([path, { routeClass }]): RouteCost => {
        const countIn = (counts: typeof paths) => counts.get(path)?.count ?? 0;
        const atLeast = countIn(certainByRoute);
        const atMost = Math.max(countIn(possibleByRoute), isComplete ? 0 : countIn(likelyByRoute));
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
        atLeast: toDistinct().size,
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
