import { type GraphQLError, type OperationTypeNode, type ResponsePath, responsePathAsArray } from 'graphql';
import type { OperationPlan } from '../../dry-run/plan-operation.ts';
import type { Calls } from '../../upstream/calls/calls.ts';
import type { Operation } from '../../upstream/calls/operation/operation.ts';
import { Stop, type StopSignal } from '../../upstream/stop.ts';
import type { PartTransport } from '../incremental/negotiate-parts.ts';
import type { PartPlan } from '../incremental/part-plan.ts';
import { createReportedErrors, type ReportedErrors } from '../result/reported-errors.ts';
import type { Preferences } from '../http/prefer.ts';
import type { RequestCaller } from '../request-caller.ts';
import type { OperationTrace } from './operation-trace.ts';

/** The cost that every response reports in `extensions.upstream`. */
export type UpstreamCost = Readonly<ReturnType<typeof toCost>>;

/** A part of a response that comes from a stale cached response. */
export interface StalePart {
  /** As in `errors`. Everything below it comes from that cached response, except parts that are listed themselves. */
  readonly path: readonly (string | number)[];
  /** Whole seconds since the cached response was last known to be current. */
  readonly ageSeconds: number;
}

/** How a response is delivered in parts. */
export interface PartDelivery {
  readonly transport: PartTransport;
  /** Only for the format `incrementalSpec=v0.2`. */
  readonly plan: PartPlan | undefined;
  /** The number of rows of streamed lists, by the JSON of their path, until the list is announced. */
  readonly rowCounts: Map<string, number>;
}

/** The state of one request that the plugins share. */
export interface RequestRecord {
  /** Monotonic milliseconds. */
  readonly startedAtMs: number;
  /** As a response header and the log have it. */
  readonly requestId: string;
  /** As a `ClientAddressOf` returns it. */
  readonly clientAddress: string;
  readonly preferences: Preferences;
  /** Absent: operations are not traced. */
  readonly trace?: OperationTrace | undefined;
  /** Aborts when the client disconnects before the end of the response. */
  readonly clientGone: StopSignal;
  /** Ends the whole execution. Its reason is the error that is reported. */
  readonly stopExecution: Stop;
  readonly errors: ReportedErrors;
  /** Errors of lists and searches that ended early, but have data. The response, or its last part, reports them. */
  readonly incomplete: GraphQLError[];
  /** Stale parts of the response, by the JSON of their path. */
  readonly stale: Map<string, StalePart>;
  /** Functions that `endRequest` calls, each once. */
  readonly cleanups: (() => void)[];
  caller: RequestCaller | null;
  /** The name that the client gives itself. */
  clientName?: string;
  /** Id of the persisted document that is executed. */
  documentId?: string;
  /** The body has been read, and contains a GraphQL request. */
  isRead: boolean;
  /** Absent without an API key, and until the execution begins. */
  operation?: Operation;
  operationName?: string;
  /** Absent until the execution begins. */
  operationType?: OperationTypeNode;
  /** The result has a root field that is not null. */
  hasData: boolean;
  /** Sets the deadline of the operation to now. */
  expire?: () => void;
  estimate?: OperationPlan['estimate'];
  /** The response is delivered in parts. */
  isIncremental: boolean;
  /**
   * Equal requests are executed, too: the result says what holds at this moment only (what is left of the budget, or
   * what an operation would cost), or the request stores its query.
   */
  mustExecute: boolean;
  /** How; absent unless it is. */
  parts?: PartDelivery;
  /** Paths of the values in the result that take long to write as JSON. */
  large: readonly ResponsePath[];
}

/** Finds the record that belongs to an object. */
export interface RecordStore<K extends object> {
  get(key: K): RequestRecord | undefined;
  set(key: K, record: RequestRecord): void;
}

/** The records of all requests whose body Yoga has begun to read. */
export type RequestRecords = RecordStore<Request>;

/** The records by the operations that upstream knows, for its observers. */
export type OperationRecords = RecordStore<object>;

/**
 * Creates an empty store of records. Each record is a property of its key.
 *
 * In a WeakMap, V8 retains all values until the next major collection, with everything that they refer to: minor
 * collections treat the values of an old map as reachable.
 */
export function createRecordStore<K extends object>(): RecordStore<K> {
  const property = Symbol('record');
  return {
    get: (key) => (key as { readonly [property]?: RequestRecord })[property],
    set(key, record) {
      (key as { [property]?: RequestRecord })[property] = record;
    },
  };
}

// A list of ten times as many would be larger than most responses.
const MAX_STALE_PARTS = 1_000;

/** Makes the record of a request. */
export function createRequestRecord(
  known: Pick<RequestRecord, 'startedAtMs' | 'requestId' | 'trace' | 'clientGone' | 'clientAddress' | 'preferences'>,
): RequestRecord {
  return {
    caller: null,
    isRead: false,
    hasData: false,
    stopExecution: new Stop(),
    isIncremental: false,
    mustExecute: false,
    large: [],
    errors: createReportedErrors(known.preferences.areErrorsGrouped, known.requestId),
    incomplete: [],
    stale: new Map(),
    cleanups: [],
    ...known,
  };
}

// Enough to tell the keys of a server apart, and too little to look a key up anywhere else.
const LOGGED_HASH_LENGTH = 8;

/** The part of a key hash that the log shows. */
export function toLoggedHash(keyHash: string): string {
  return keyHash.slice(0, LOGGED_HASH_LENGTH);
}

/** What log lines have in common with the operation that caused them. The log omits what is undefined. */
export function toRequestIds({ requestId, trace, caller }: RequestRecord) {
  return {
    requestId,
    traceId: trace?.traceId,
    keyHash: caller ? toLoggedHash(caller.keyHash) : undefined,
  };
}

/** Runs the cleanups of a request. It may be called more than once. */
export function endRequest({ cleanups }: RequestRecord): void {
  for (const cleanup of cleanups.splice(0)) cleanup();
}

/** The fair share that a request counts towards: that of its API key, or of its client's address without one. */
export function fairShareOf({ operation, clientAddress }: RequestRecord, calls: Calls): string {
  return operation ? calls.fairShareOf(operation) : clientAddress;
}

/** Records the path of a value in the response if the value comes from a stale cached response. */
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

/** Reports what the request has cost so far. */
export function toCost({ operation, stale }: RequestRecord, sandbox: boolean) {
  return {
    /** GETs sent to Postman for this operation. */
    calls: operation?.meter.cost.calls ?? 0,
    /** Reads served from the cache. */
    cached: operation?.meter.cost.cached ?? 0,
    /** Reads served by a call that another operation already had in flight. */
    coalesced: operation?.meter.cost.coalesced ?? 0,
    /** The time during which at least one call waited in the queue of its key. */
    waitedMs: operation?.meter.wait.totalMs() ?? 0,
    ...(stale.size > 0 && { stale: [...stale.values()] }),
    /** Whether the embedded sandbox is served instead of Postman. */
    sandbox,
  };
}
