import type { RouteClass } from '../../postman/route-class.ts';

/** State of one operation in the fair queue. */
export interface FairShare {
  /** Virtual time of its newest call, by class. */
  readonly lastVirtualTime: Record<RouteClass, number>;
  /** Calls requested so far. */
  requestedCalls: number;
}

/** Creates the state of an operation without calls. */
export function createFairShare(): FairShare {
  return { lastVirtualTime: { general: 0, burst: 0 }, requestedCalls: 0 };
}
