import type { UpstreamFailure } from '../http/upstream-error.ts';

/** A response as operations receive it. */
export interface ReceivedResponse {
  readonly value: unknown;
  /** Size on the heap. */
  readonly bytes: number;
}

/** The result of a call: a value, or a failure that a retry would only repeat. */
export type Outcome = { readonly value: unknown } | { readonly failure: UpstreamFailure };

/** A cached response, and how current it is. */
export interface CachedResponse {
  readonly outcome: Outcome;
  /** Size on the heap. */
  readonly bytes: number;
  /** How long it is fresh, if it is a failure, in milliseconds. Absent: as briefly as failures usually are. */
  readonly failureTtlMs?: number;
  /** Milliseconds since it was last known to be current: read, or shown unchanged by a list. */
  readonly ageMs: number;
  /** It is retained for the retry of an operation that could not complete. */
  readonly isRetained: boolean;
  /** A list has shown a newer version, or a change was reported. */
  readonly isOutdated: boolean;
  /** A list that shows the object unchanged would renew it. */
  readonly isRenewable: boolean;
}
