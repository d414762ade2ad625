import type { RouteClass } from '../../postman/route-class.ts';

/** One operation's standing in the fair queue. */
export interface Share {
  /** Virtual time of its newest call of each class. */
  readonly lastTag: Record<RouteClass, number>;
  /** Calls it has asked for so far. */
  askedCalls: number;
}

/** Makes the standing of an operation that has not asked for a call yet. */
export function createShare(): Share {
  return { lastTag: { general: 0, burst: 0 }, askedCalls: 0 };
}
