/** Upstream's two rate classes: `burst` routes count against both windows, all others against the general one alone. */
export type RouteClass = 'general' | 'burst';

/** One operation's standing in the fair queue. Made by `Budget.newShare`, one per operation. */
export interface Share {
  /** Virtual time of its newest call of each class. */
  readonly lastTag: Record<RouteClass, number>;
  /** Calls sent so far. */
  sentCalls: number;
  /** Slots it could have taken, had it not had to leave them to others, since its newest call was sent. */
  yieldedSlots: number;
}
