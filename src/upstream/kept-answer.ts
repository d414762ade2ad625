import type { UpstreamFailure } from './upstream-error.ts';

/** What a call was answered with: a value, or a refusal that would be the same again. */
export type Outcome = { readonly value: unknown } | { readonly failure: UpstreamFailure };

/** An answer that is kept, and what is known of its truth. */
export interface KeptAnswer {
  readonly outcome: Outcome;
  /** Milliseconds since it was last known to be true: read, or shown unchanged by a list. */
  readonly ageMs: number;
  /** A list has shown a newer version. */
  readonly isOutdated: boolean;
  /** A list that shows it unchanged would renew it. */
  readonly isRenewable: boolean;
}
