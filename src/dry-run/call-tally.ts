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
  doubtSingles(): void;
  /** How many calls are certain. */
  countCertain(): number;
  /** @param isWhole - Every possible call has been recorded. */
  toCost(isWhole: boolean): Cost;
}

/** Makes the tally of one simulation. */
export function createTally(): Tally {
  const possible = new Map<string, RecordedCall>();
  let certain: RecordedCalls | undefined;
  let likely: RecordedCalls = new Map();

  // Whether a collection is read with its tree alone, or first without it, can hang on which answer comes first.
  const toDifferent = () => new Map([...(certain ?? [])].map(([target, call]) => [call.single ?? target, call]));

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
    doubtSingles() {
      certain = new Map([...(certain ?? [])].filter(([, { single }]) => single === null));
    },
    countCertain: () => toDifferent().size,
    toCost(isWhole) {
      const possibleOf = countByRoute(possible.values());
      const likelyOf = countByRoute(likely.values());
      const certainOf = countByRoute(toDifferent().values());
      // A simulation that was cut short has not recorded everything that is possible.
      const paths = isWhole ? possibleOf : new Map([...likelyOf, ...possibleOf]);
      const routes = [...paths].map(([path, { routeClass }]): RouteCost => {
        const countIn = (counts: typeof paths) => counts.get(path)?.count ?? 0;
        const atLeast = countIn(certainOf);
        const atMost = Math.max(countIn(possibleOf), isWhole ? 0 : countIn(likelyOf));
        return { path, routeClass, atLeast, likely: Math.min(atMost, Math.max(atLeast, countIn(likelyOf))), atMost };
      });
      return {
        atMost: isWhole ? Math.min(LARGEST_COST, possible.size) : LARGEST_COST,
        likely: Math.min(
          LARGEST_COST,
          routes.reduce((sum, route) => sum + route.likely, 0),
        ),
        atLeast: toDifferent().size,
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
