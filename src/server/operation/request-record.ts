import { type GraphQLError, type ResponsePath, responsePathAsArray } from 'graphql';
import type { OperationPlan } from '../../dry-run/plan-operation.ts';
import type { Calls } from '../../upstream/calls/calls.ts';
import type { Operation } from '../../upstream/calls/operation/operation.ts';
import { createReportedErrors, type ReportedErrors } from '../result/reported-errors.ts';
import type { Preferences } from '../http/prefer.ts';
import type { RequestCaller } from '../request-caller.ts';

/** What every answer says about its cost: `extensions.upstream`. */
export type UpstreamCost = Readonly<ReturnType<typeof toCost>>;

/** A part of an answer that is past the time for which it counts as fresh. */
export interface StalePart {
  /** As in `errors`: the object, list or value all of which comes from the cached answer, but for what has an entry of its own. */
  readonly path: readonly (string | number)[];
  /** Whole seconds since it was last known to be true. */
  readonly ageSeconds: number;
}

/** What the plugins share of one request while it is served. */
export interface RequestRecord {
  /** Monotonic milliseconds. */
  readonly startedAtMs: number;
  /** As `createClientAddressOf` tells it. */
  readonly clientAddress: string;
  readonly preferences: Preferences;
  /** Aborts when its client does not wait for the end of the answer. */
  readonly clientGone: AbortSignal;
  /** Ends the execution as a whole; its reason is the error that is answered. */
  readonly stopExecution: AbortController;
  readonly errors: ReportedErrors;
  /** Of lists that ended before all their rows were read: the last part reports them. */
  readonly unread: GraphQLError[];
  /** Parts of the answer that are stale, by their path as text. */
  readonly stale: Map<string, StalePart>;
  /** What `endRequest` calls, once. */
  readonly cleanups: (() => void)[];
  caller: RequestCaller | null;
  /** Absent without a key, and until the execution begins. */
  operation?: Operation;
  operationName?: string;
  /** Brings the deadline of the operation forward to now. */
  expire?: () => void;
  estimate?: OperationPlan['estimate'];
  /** Its answer is delivered in parts. */
  isIncremental: boolean;
  /** Where in the answer stands what takes long to write. */
  large: readonly ResponsePath[];
}

/** The records of the requests that Yoga has begun to read. */
export type RequestRecords = WeakMap<Request, RequestRecord>;

// A list of ten times as many would be larger than most answers.
const MAX_STALE_PARTS = 1_000;

/** Begins the record of a request. */
export function createRequestRecord(
  known: Pick<RequestRecord, 'startedAtMs' | 'clientGone' | 'clientAddress' | 'preferences'>,
): RequestRecord {
  return {
    ...known,
    caller: null,
    stopExecution: new AbortController(),
    isIncremental: false,
    large: [],
    errors: createReportedErrors(known.preferences.areErrorsGrouped),
    unread: [],
    stale: new Map(),
    cleanups: [],
  };
}

/** Closes what was opened for a request. It may be called more than once. */
export function endRequest({ cleanups }: RequestRecord): void {
  for (const cleanup of cleanups.splice(0)) cleanup();
}

/** Whose share of the process a request takes: that of its key, or of its client's address without one. */
export function fairShareOf({ operation, clientAddress }: RequestRecord, calls: Calls): string {
  return operation ? calls.fairShareOf(operation) : clientAddress;
}

/** Notes where in the answer a value goes, if it comes from a cached answer that is stale. */
export function noteStalePath(
  { operation, stale }: RequestRecord,
  value: unknown,
  path: ResponsePath | undefined,
): void {
  if (!operation || !path || typeof value !== 'object' || value === null) return;
  const ageMs = operation.meter.ages.staleMs(value);
  if (ageMs === undefined || stale.size >= MAX_STALE_PARTS) return;
  const responsePath = responsePathAsArray(path);
  const key = JSON.stringify(responsePath);
  const ageSeconds = Math.floor(ageMs / 1_000);
  if ((stale.get(key)?.ageSeconds ?? -1) < ageSeconds) stale.set(key, { path: responsePath, ageSeconds });
}

/** What the request has cost so far. */
export function toCost({ operation, stale }: RequestRecord, sandbox: boolean) {
  return {
    /** GETs sent to Postman for this operation. */
    calls: operation?.meter.cost.calls ?? 0,
    /** Answers that were cached. */
    cached: operation?.meter.cost.cached ?? 0,
    /** Answers of calls that another operation already had under way. */
    coalesced: operation?.meter.cost.coalesced ?? 0,
    /** How long at least one call waited in the queue of its key. */
    waitedMs: operation?.meter.wait.totalMs() ?? 0,
    ...(stale.size > 0 && { stale: [...stale.values()] }),
    /** Whether the embedded sandbox answers instead of Postman. */
    sandbox,
  };
}
