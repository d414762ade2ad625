import type { ReportedBudget } from './budget.ts';
import { type Estimate, findEstimate } from './dry-run.ts';
import type { Payload } from './payloads.ts';

/** Equal errors of a response. */
export interface Cause {
  readonly code: string;
  readonly count: number;
  readonly limitedBy?: string | undefined;
  /** When a retry can resolve one of them, in milliseconds of `Date.now()`; undefined if waiting does not help. */
  readonly retryAtMs?: number | undefined;
}

/** `extensions.upstream` of a response. */
export interface Cost {
  readonly calls: number;
  readonly cached: number;
  readonly coalesced: number;
  readonly waitedMs: number;
  readonly stale?: readonly { readonly ageSeconds: number }[];
  readonly budget?: ReportedBudget;
}

/** One execution of an operation in GraphiQL, up to now. */
export interface Run {
  readonly kind: 'query' | 'dryRun';
  readonly startedAtMs: number;
  readonly state: 'running' | 'ended' | 'stopped' | 'unanswered';
  /** When it ended; until then, undefined. */
  readonly endedAtMs?: number;
  readonly status?: number;
  readonly isInParts: boolean;
  readonly parts: number;
  /** Rows of streamed lists that have arrived. */
  readonly rows: number;
  /** Absent until the response, or its last part, has reported it. */
  readonly cost?: Cost;
  readonly causes: readonly Cause[];
  readonly estimate?: Estimate;
}

/** Makes a run that has just begun. */
export function startRun(kind: Run['kind'], nowMs: number): Run {
  return { kind, startedAtMs: nowMs, state: 'running', isInParts: false, parts: 0, rows: 0, causes: [] };
}

/** Adds a response, or a part of one, that was received at `nowMs`. */
export function withPayload(run: Run, payload: Payload, nowMs: number): Run {
  const { extensions = {}, incremental = [] } = payload;
  const errors = [...(payload.errors ?? []), ...incremental.flatMap((part) => part.errors ?? [])];
  const reported = extensions['errorsByCause'];
  const causes = Array.isArray(reported)
    ? reported.map((cause) => toCause(cause, nowMs))
    : errors.reduce((list: readonly Cause[], error) => addCause(list, toErrorCause(error, nowMs)), run.causes);
  const cost = extensions['upstream'] as Cost | undefined;
  const estimate = findEstimate(payload.data);
  return {
    ...run,
    parts: run.parts + (isEmpty(payload) ? 0 : 1),
    rows: run.rows + incremental.reduce((sum, { items }) => sum + (items?.length ?? 0), 0),
    causes,
    ...(cost && { cost }),
    ...(estimate && { estimate }),
  };
}

/** Whether waiting helps: the earliest time at which a retry can resolve an error; undefined if none can. */
export function retryAtMsOf({ causes }: Run): number | undefined {
  const times = causes.flatMap(({ retryAtMs }) => retryAtMs ?? []);
  return times.length > 0 ? Math.min(...times) : undefined;
}

/** The server sends empty parts so that proxies keep the connection open. */
function isEmpty({ data, errors, incremental, extensions }: Payload): boolean {
  return data === undefined && !errors && !incremental && !extensions;
}

function toErrorCause(error: unknown, nowMs: number): Cause {
  const extensions = (error as { extensions?: object } | null)?.extensions;
  return toCause({ ...extensions, count: 1 }, nowMs);
}

/** Takes `retryAfterSeconds` before `retryAt`, because the clocks of browser and server may differ. */
function toCause(value: unknown, nowMs: number): Cause {
  const { code, count, limitedBy, retryAfterSeconds, retryAt } = value as Readonly<Record<string, unknown>>;
  const retryAtMs =
    typeof retryAfterSeconds === 'number'
      ? nowMs + retryAfterSeconds * 1_000
      : typeof retryAt === 'string'
        ? Date.parse(retryAt)
        : undefined;
  return {
    code: typeof code === 'string' ? code : 'ERROR',
    count: typeof count === 'number' ? count : 1,
    limitedBy: typeof limitedBy === 'string' ? limitedBy : undefined,
    retryAtMs,
  };
}

function addCause(causes: readonly Cause[], added: Cause): readonly Cause[] {
  const isSame = ({ code, limitedBy, retryAtMs }: Cause) =>
    code === added.code &&
    limitedBy === added.limitedBy &&
    (retryAtMs === undefined) === (added.retryAtMs === undefined);
  const known = causes.find(isSame);
  if (!known) return [...causes, added];
  const retryAtMs = known.retryAtMs && Math.min(known.retryAtMs, added.retryAtMs ?? known.retryAtMs);
  return causes.map((cause) => (cause === known ? { ...known, retryAtMs, count: known.count + 1 } : cause));
}
