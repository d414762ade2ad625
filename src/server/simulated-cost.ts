import { LARGEST_COST } from '../graph/estimate.ts';
import type { NotedCall } from '../upstream/imagined-upstream.ts';
import type { RouteClass } from '../upstream/share.ts';

/** The calls of one route that an operation makes. */
export interface RouteCost {
  /** Template. */
  readonly path: string;
  readonly routeClass: RouteClass;
  readonly atLeast: number;
  readonly atMost: number;
}

/** The calls an operation makes, if all of them succeed and nobody else makes one of them at the same time. */
export interface Cost {
  readonly atLeast: number;
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
    doubtSingles() {
      certain = new Map([...(certain ?? [])].filter(([, { single }]) => single === null));
    },
    countCertain: () => toDifferent().size,
    toCost(isWhole) {
      const routes = new Map<string, { readonly routeClass: RouteClass; atLeast: number; atMost: number }>();
      const count = (key: 'atLeast' | 'atMost', { route: { template, routeClass } }: NotedCall) => {
        const route = routes.get(template) ?? { routeClass, atLeast: 0, atMost: 0 };
        routes.set(template, route);
        route[key]++;
      };
      for (const call of possible.values()) count('atMost', call);
      const different = toDifferent();
      for (const call of different.values()) count('atLeast', call);
      return {
        atMost: isWhole ? Math.min(LARGEST_COST, possible.size) : LARGEST_COST,
        atLeast: different.size,
        routes: [...routes]
          .map(([path, route]) => ({ path, ...route }))
          .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)),
      };
    },
  };
}
