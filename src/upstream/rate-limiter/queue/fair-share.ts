import type { RouteClass } from '../../postman/route-class.ts';

/** One operation's standing in the fair queue. */
export interface FairShare {
  /** Virtual time of its newest call of each class. */
  readonly lastVirtualTime: Record<RouteClass, number>;
  /** Calls it has asked for so far. */
  requestedCalls: number;
}

/** Makes the standing of an operation that has not asked for a call yet. */
export function createFairShare(): FairShare {
  return { lastVirtualTime: { general: 0, burst: 0 }, requestedCalls: 0 };
}
