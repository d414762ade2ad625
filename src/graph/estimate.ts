/** The calls of one route that an operation can make. */
export interface PlannedCall {
  /** Route template. */
  readonly path: string;
  readonly atLeast: number;
  /** Between them. */
  readonly likely: number;
  readonly atMost: number;
  /** Schema coordinates of selected fields that such calls serve, sorted. */
  readonly forFields: readonly string[];
}

/** What an operation costs, in upstream calls. */
export interface Estimate {
  readonly atLeast: number;
  /** Between them. */
  readonly likely: number;
  readonly atMost: number;
  /** How long the budget takes to serve the most it can cost, in milliseconds from now; null: longer than this month lasts. */
  readonly servedInMs: number | null;
  /** The same for what it likely costs. */
  readonly likelyServedInMs: number | null;
  readonly plan: readonly PlannedCall[];
}

/** The largest cost that is told: it stands for any larger one, for which a budget of 60 calls a minute needs more than a quarter of an hour. */
export const LARGEST_COST = 1_000;
