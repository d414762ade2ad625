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

/**
 * What a dry run assumes of an account as far as nothing has been learned of it, with what each workspace holds (`leveledTypes`): between a small
 * account, of 7 workspaces with 13 collections, and that of a team, of 30 workspaces with 200 collections and 60 environments.
 */
export const ASSUMED_SIZES = {
  workspaces: 15,
  /** Of collections, those that are forks. */
  forkFraction: 1 / 10,
  /** What a filter leaves of the list of workspaces. */
  filteredFraction: 1 / 2,
} as const;

/** The largest cost that is told: it stands for any larger one, for which a budget of 60 calls a minute needs more than a quarter of an hour. */
export const LARGEST_COST = 1_000;
