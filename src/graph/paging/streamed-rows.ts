import {
  getDirectiveValues,
  type GraphQLError,
  type GraphQLResolveInfo,
  locatedError,
  responsePathAsArray,
} from 'graphql';
import type { Clock } from '../../upstream/clock.ts';
import type { Operation } from '../../upstream/calls/operation/operation.ts';
import { streamDirective } from './incremental-directives.ts';
import type { StopSignal } from '../../upstream/stop.ts';

/** Decides when the server starts to read each row of streamed lists. */
export interface StreamedRows {
  /** Returns the rows in the form the executor should consume: unchanged if the field is not streamed. */
  feed<Row>(rows: readonly Row[], info: GraphQLResolveInfo): readonly Row[] | AsyncIterable<Row>;
  /** Whether the field being resolved is streamed. */
  isStreamed(info: GraphQLResolveInfo): boolean;
  /** Whether any list of the operation is streamed. */
  readonly streamsAny: boolean;
}

/** A streamed list whose next row must wait before it starts. */
interface WaitingList {
  /** Depth of the list in the result. */
  readonly depth: number;
  /** Allows at most `count` more rows to start. Returns how many will. */
  grant(count: number): number;
  /** Makes the list check again whether it must wait. */
  resume(): void;
}

/** Options that decide when rows start. */
export interface StreamedRowsOptions {
  /** No more rows start while the operation has this many pending calls. */
  readonly maxPendingCalls: number;
  readonly clock: Clock;
  /**
   * Called for each list that the deadline cuts short; the path of the error is that of the first missing row. The
   * list does not throw the error, because the executor would then drop the rows that have started.
   */
  readonly onUnread: (error: GraphQLError) => void;
  /** Called with the number of rows of each list, before the first of them. */
  readonly onRows?: (path: readonly (string | number)[], count: number) => void;
}

type RowOperation = Pick<Operation, 'caller' | 'idleTasks' | 'fairShare' | 'meter' | 'ended' | 'waitFor' | 'refusals'>;

// The calls that lead to the first row: for a list of lists, for one of its lists, and for the row itself. Until this
// many calls have settled, one row starts at a time, so that no other call delays the first row.
const FIRST_CALLS = 3;
// After this time more rows start, so that one hanging call cannot block the stream.
const FIRST_ROW_TIMEOUT_MS = 1_000;
// With this many queued calls, every slot of the budget is used as soon as it is free.
const MAX_QUEUED_CALLS = 4;

/** Starts all rows at once. */
export const unscheduledRows: StreamedRows = { feed: (rows) => rows, isStreamed: () => false, streamsAny: false };

/**
 * Starts rows of streamed lists as long as few calls of the operation are pending, and further rows as calls settle.
 * A row that has not started costs nothing; one that has started costs promises, a position in the queue, and a check
 * whenever a part arrives. Rows start together where they can, because calls made together are planned together.
 * Lists inside rows come before further rows; among lists of the same depth, the first one has priority.
 *
 * If the operation ends before all rows have started, each list ends there. If its deadline ended it, `onUnread` is
 * called once per list.
 */
export function createStreamedRows(
  operation: RowOperation,
  { maxPendingCalls, clock, onUnread, onRows }: StreamedRowsOptions,
): StreamedRows {
  const { meter, ended } = operation;
  const { pendingCalls, wait } = meter;
  const waiting = new Set<WaitingList>();
  let isSettling = false;
  let startsOneByOne = true;
  let cancelTimeout: (() => void) | undefined;

  /** Returns whether rows have begun. */
  const startRows = (): boolean => {
    const mayStart =
      startsOneByOne && pendingCalls.settled < FIRST_CALLS
        ? 1 - pendingCalls.count
        : Math.min(maxPendingCalls - pendingCalls.count, MAX_QUEUED_CALLS - wait.count);
    let left = mayStart;
    for (const list of [...waiting].sort((a, b) => b.depth - a.depth)) {
      if (left <= 0) break;
      left -= list.grant(left);
    }
    return left < mayStart;
  };

  /** Waits until started rows and settled calls have requested their next calls, then starts more rows. */
  const settle = () => {
    if (isSettling) return;
    isSettling = true;
    operation.idleTasks.add('row', () => {
      isSettling = false;
      if (startRows()) settle();
    });
  };

  pendingCalls.onProgress = () => {
    if (waiting.size > 0) settle();
  };
  operation.waitFor({
    slotAtMs: () => (waiting.size > 0 ? Number.POSITIVE_INFINITY : 0),
    end() {
      cancelTimeout?.();
      for (const list of [...waiting]) list.resume();
    },
  });

  const waitToStart = (list: WaitingList) => {
    waiting.add(list);
    cancelTimeout ??= clock.schedule(clock.nowMs() + FIRST_ROW_TIMEOUT_MS, () => {
      startsOneByOne = false;
      if (startRows()) settle();
    });
    if (!isSettling && startRows()) settle();
  };

  // The calls that the rows will need are not known; most calls of rows are of the general class.
  const predictSlotAtMs = () => operation.caller.keyBudget.current.expectedSlotAtMs('general', operation.fairShare, '');

  const scheduling: RowScheduling = {
    ended,
    waitToStart,
    stopWaiting: (list) => void waiting.delete(list),
    onEndedEarly(info, path) {
      const { error } = operation.refusals.of(undefined, predictSlotAtMs);
      onUnread(locatedError(error, info.fieldNodes, path));
    },
  };

  return {
    feed(rows, info) {
      const stream = toStream(info);
      if (!stream) return rows;
      onRows?.(responsePathAsArray(info.path), rows.length);
      return scheduleRows(rows, Number(stream['initialCount']), info, scheduling);
    },
    isStreamed: (info) => toStream(info) !== undefined,
    streamsAny: true,
  };
}

/** Returns the arguments of the `@stream` that applies to the field being resolved; undefined if none does. */
function toStream({ fieldNodes: [node], variableValues }: GraphQLResolveInfo) {
  const stream = node && getDirectiveValues(streamDirective, node, variableValues);
  return stream && stream['if'] !== false ? stream : undefined;
}

/** The schedule that the streamed lists of an operation share. */
interface RowScheduling {
  readonly ended: StopSignal;
  /** Queues the list until rows of it may start. */
  waitToStart(list: WaitingList): void;
  stopWaiting(list: WaitingList): void;
  /** Called when the deadline has passed before the row at this path started. */
  onEndedEarly(info: GraphQLResolveInfo, path: readonly (string | number)[]): void;
}

/** Yields the rows of a list as the executor requests them, each once it may start. */
function scheduleRows<Row>(
  rows: readonly Row[],
  initialCount: number,
  info: GraphQLResolveInfo,
  { ended, waitToStart, stopWaiting, onEndedEarly }: RowScheduling,
): AsyncIterable<Row> {
  const path = responsePathAsArray(info.path);
  let next = 0;
  // Rows before this position may start.
  let startableEnd = initialCount;
  let isOver = false;
  let resume = () => {};
  const list: WaitingList = {
    depth: path.length,
    grant(count) {
      const granted = Math.min(count, rows.length - next);
      startableEnd = next + granted;
      resume();
      return granted;
    },
    resume: () => resume(),
  };
  const isWaiting = () => next >= startableEnd && next < rows.length && !isOver && !ended.aborted;
  const untilResumed = () =>
    new Promise<void>((resolve) => {
      resume = () => {
        stopWaiting(list);
        resolve();
      };
      waitToStart(list);
    });
  const end = (): IteratorReturnResult<undefined> => {
    isOver = true;
    resume();
    return { done: true, value: undefined };
  };
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        while (isWaiting()) await untilResumed();
        if (isOver || next >= rows.length) return end();
        if (next < startableEnd) return { done: false, value: rows[next++] as Row };
        if (ended.reason === 'deadline') onEndedEarly(info, [...path, next]);
        return end();
      },
      return: () => Promise.resolve(end()),
    }),
  };
}
