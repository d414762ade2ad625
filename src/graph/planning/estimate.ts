/** The calls to one route that an operation may make. */
export interface PlannedCall {
  /** Route template. */
  readonly path: string;
  readonly atLeast: number;
  /** Between `atLeast` and `atMost`. */
  readonly likely: number;
  readonly atMost: number;
  /** Schema coordinates of the selected fields that these calls serve, sorted. */
  readonly forFields: readonly string[];
}

/** Estimated cost of an operation, in upstream calls. */
export interface Estimate {
  readonly atLeast: number;
  /** Between `atLeast` and `atMost`. */
  readonly likely: number;
  readonly atMost: number;
  /**
   * Time until the budget has served `atMost` calls, in milliseconds from now; null: the monthly quota has too few
   * calls left.
   */
  readonly servedInMs: number | null;
  /** The same for `likely` calls. */
  readonly likelyServedInMs: number | null;
  readonly plan: readonly PlannedCall[];
}

/**
 * Sizes that a dry run assumes for lists that have never been read; `leveledTypes` has those of the lists of one
 * workspace. They lie between a small account (7 workspaces with 13 collections) and that of a team (30 workspaces
 * with 200 collections and 60 environments).
 */
export const ASSUMED_SIZES = {
  workspaces: 15,
  /** Fraction of collections that are forks. */
  forkFraction: 1 / 10,
  /** Fraction of workspaces that match a filter. */
  filteredFraction: 1 / 2,
  /** Requests, or folders, of a collection. A search with a filter is assumed to read every collection. */
  itemsPerCollection: 20,
} as const;

/**
 * The largest cost that is reported; it stands for any larger one. 60 calls per minute serve it in more than a
 * quarter of an hour.
 */
export const LARGEST_COST = 1_000;
