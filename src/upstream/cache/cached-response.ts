import type { UpstreamFailure } from '../http/upstream-error.ts';

/** An answer as it is given to operations. */
export interface ReceivedResponse {
  readonly value: unknown;
  /** What it takes on the heap. */
  readonly bytes: number;
}

/** What a call was answered with: a value, or a refusal that would be the same again. */
export type Outcome = { readonly value: unknown } | { readonly failure: UpstreamFailure };

/** An answer that is kept, and what is known of its truth. */
export interface CachedResponse {
  readonly outcome: Outcome;
  /** What it takes on the heap. */
  readonly bytes: number;
  /** Milliseconds since it was last known to be true: read, or shown unchanged by a list. */
  readonly ageMs: number;
  /** An operation that was refused something was given it, and is about to come back for the rest. */
  readonly isRetained: boolean;
  /** A list has shown a newer version. */
  readonly isOutdated: boolean;
  /** A list that shows it unchanged would renew it. */
  readonly isRenewable: boolean;
}
