import { useEffect, useMemo, useState } from 'react';
import { type AnyVariables, type TypedDocumentNode, useQuery } from 'urql';
import type { QueryContext } from './client';
import { findFirstRetry, type Problem, toProblems } from './problems';

/** A query, and how far it has come. */
export interface Operation<Data> {
  /** The latest data. It stays while the query is repeated, and if that fails. */
  readonly data: Data | undefined;
  readonly problems: readonly Problem[];
  /** Whether data is on its way: the response, or further parts of it. */
  readonly isRunning: boolean;
  /** Whether the last part of a response has arrived. */
  readonly isComplete: boolean;
  /** When the page repeats the query by itself, on the clock of `performance.now()`. */
  readonly retryAtMs: number | undefined;
  /** The calls to Postman that the response took. undefined until its last part is there. */
  readonly calls: number | undefined;
  /** Runs the query, or repeats it. */
  readonly run: () => void;
  /** Ends the query, with its calls to Postman, or the countdown to a retry. */
  readonly cancel: () => void;
}

const WAIT_SECONDS = 3;

/**
 * Runs a query, and repeats it when a retry can help, until nothing is missing.
 *
 * The server caches the responses it got, so a retry continues: it costs only the missing calls. Give the component
 * that calls this a `key` of its variables, or it shows the data of the former ones until the first response.
 *
 * @param options - `waitsForRun`: whether the query is not sent before `run` is called. `isStream`: whether the query
 * waits as long as the server allows, because its rows arrive meanwhile. Default: three seconds.
 */
export function useOperation<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { waitsForRun = false, isStream = false }: { readonly waitsForRun?: boolean; readonly isStream?: boolean } = {},
): Operation<Data> {
  const [isPaused, setIsPaused] = useState(waitsForRun);
  const context = useMemo((): QueryContext => ({ waitSeconds: isStream ? undefined : WAIT_SECONDS }), [isStream]);
  const [{ data, error, extensions, fetching, stale, hasNext }, execute] = useQuery({
    query,
    variables,
    context,
    pause: isPaused,
    requestPolicy: 'network-only',
  });
  const isRunning = !isPaused && (fetching || stale || hasNext);

  const problems = useMemo(() => toProblems(error, extensions), [error, extensions]);
  const [retryAtMs, setRetryAtMs] = useState<number>();
  useEffect(() => {
    const seconds = findFirstRetry(problems);
    if (isRunning || isPaused || seconds === undefined) return undefined;
    // Counted from the response, so it is right even if the clock of this machine is not. `retryAt` is the same moment.
    setRetryAtMs(performance.now() + seconds * 1_000);
    const timer = setTimeout(() => execute(), seconds * 1_000);
    return () => {
      clearTimeout(timer);
      setRetryAtMs(undefined);
    };
  }, [problems, isRunning, isPaused, execute]);

  // urql drops the data of a query that is repeated and gets no response.
  const [latest, setLatest] = useState({ received: data, shown: data });
  if (data && data !== latest.received) {
    setLatest({ received: data, shown: problems.length > 0 ? withFormer(data, latest.shown) : data });
  }

  const upstream = extensions?.['upstream'] as { readonly calls: number } | undefined;
  return {
    data: latest.shown,
    problems,
    isRunning,
    isComplete: !isRunning && !isPaused && data !== undefined,
    retryAtMs,
    calls: isRunning ? undefined : upstream?.calls,
    run: () => (isPaused ? setIsPaused(false) : execute()),
    cancel: () => setIsPaused(true),
  };
}

/** Returns the data, with the former value of each root field that is null now. */
function withFormer<Data>(data: Data, former: Data | undefined): Data {
  const fields = Object.entries(data as Record<string, unknown>);
  const formerFields = former as Record<string, unknown> | undefined;
  return Object.fromEntries(fields.map(([name, value]) => [name, value ?? formerFields?.[name] ?? null])) as Data;
}

/**
 * Returns the rows of a streamed list. A repeated stream begins with an empty list: until a row has arrived again, its
 * former value stays.
 */
export function useRows<Row>(arrived: readonly Row[], { isComplete }: Operation<unknown>): readonly Row[] {
  const [rows, setRows] = useState(arrived);
  const next = isComplete ? arrived : [...arrived, ...rows.slice(arrived.length)];
  if (next.length !== rows.length || next.some((row, index) => row !== rows[index])) setRows(next);
  return next;
}
