import { LARGEST_COST } from '../graph/estimate.ts';
import type { NotedCall } from '../upstream/imagined-upstream.ts';
import type { RouteClass } from '../upstream/share.ts';

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

/** Calls by target. */
export type Noted = ReadonlyMap<string, NotedCall>;

/** What the scenarios of a simulation have noted so far. */
export interface Tally {
  /** Calls noted in any scenario. */
  readonly possible: Noted;
  /** These are possible. */
  addPossible(noted: Noted): void;
  /** No others are certain. */
  addOptimistic(noted: Noted): void;
  /** These are likely. */
  addLikely(noted: Noted): void;
  /** Says of no single read that it is certain. */
  doubtSingles(): void;
  /** How many calls are certain. */
  countCertain(): number;
  /** @param isWhole - Every possible call has been noted. */
  toCost(isWhole: boolean): Cost;
}

/** Makes the tally of one simulation. */
export function createTally(): Tally {
  const possible = new Map<string, NotedCall>();
  let certain: Noted | undefined;
  let likely: Noted = new Map();

  // Whether a collection is read with its tree alone, or first without it, can hang on which answer comes first.
  const toDifferent = () => new Map([...(certain ?? [])].map(([target, call]) => [call.single ?? target, call]));

  return {
    possible,
    addPossible(noted) {
      for (const [target, call] of noted) possible.set(target, call);
    },
    addOptimistic(noted) {
      certain = certain ? new Map([...certain].filter(([target]) => noted.has(target))) : new Map(noted);
    },
    addLikely(noted) {
      likely = noted;
    },
    doubtSingles() {
      certain = new Map([...(certain ?? [])].filter(([, { single }]) => single === null));
    },
    countCertain: () => toDifferent().size,
    toCost(isWhole) {
      const possibleOf = countByRoute(possible.values());
      const likelyOf = countByRoute(likely.values());
      const certainOf = countByRoute(toDifferent().values());
      // Of a simulation that was cut short, not everything is noted that is possible.
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
  calls: Iterable<NotedCall>,
): ReadonlyMap<string, { readonly routeClass: RouteClass; readonly count: number }> {
  const counts = new Map<string, { routeClass: RouteClass; count: number }>();
  for (const { route } of calls) {
    const known = counts.get(route.template) ?? { routeClass: route.routeClass, count: 0 };
    known.count++;
    counts.set(route.template, known);
  }
  return counts;
}
