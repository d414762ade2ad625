import type { Clock } from '../../upstream/clock.ts';
import { type RequestRecord, toCost, type UpstreamCost } from './request-record.ts';

/** The budget of the API key when the response was made. */
export interface ReportedBudget {
  /** Calls that can be sent now, as `RateLimit.remaining`. */
  readonly remaining: number;
  /** When the whole window is free again if nothing more is sent (RFC 3339, UTC); null before Postman's first response. */
  readonly resetAt: string | null;
}

/** The value of `extensions.upstream`. */
export type UpstreamExtension = UpstreamCost & { readonly budget?: ReportedBudget };

// Refusals of calls that no retry solves. Those that a retry solves have a time.
const FINAL_REFUSALS = ['OPERATION_TOO_EXPENSIVE', 'QUOTA_EXHAUSTED'];

/**
 * Makes `extensions.upstream` of a response, or of the last part of one. It has the budget if the operation made a
 * call, waited for one or was refused one. Without it, the responses from the cache alone are always the same bytes.
 *
 * @param isExecuted - False: the operation was refused as a whole, before it requested a call.
 */
export function toUpstreamExtension(
  record: RequestRecord,
  sandbox: boolean,
  clock: Clock,
  isExecuted = true,
): UpstreamExtension {
  const cost = toCost(record, sandbox);
  const { caller, errors } = record;
  const isRefused =
    isExecuted && (errors.retryAfterSeconds !== undefined || FINAL_REFUSALS.some((code) => errors.codes.has(code)));
  const concernsBudget = cost.calls > 0 || cost.coalesced > 0 || cost.waitedMs > 0 || isRefused;
  if (!caller || !concernsBudget) return cost;
  const { remaining, hasResponse, restoredInMs } = caller.keyBudget.view.snapshot();
  const resetAt = hasResponse ? new Date(clock.epochMs() + restoredInMs).toISOString() : null;
  return { ...cost, budget: { remaining, resetAt } };
}
