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

/** Decides when the rows of lists begin to be read that are delivered one by one. */
export interface StreamedRows {
  /** A list as the executor is to have it: as it is, where its field is not streamed. */
  feed<Row>(rows: readonly Row[], info: GraphQLResolveInfo): readonly Row[] | AsyncIterable<Row>;
}

/** A list whose next row is awaited. */
interface WaitingList {
  /** How deep in the answer it stands. */
  readonly depth: number;
  /** Lets so many rows begin at most. Returns how many there are. */
  grant(count: number): number;
  /** Looks again at what there is to wait for. */
  resume(): void;
}

/** What decides when rows begin. */
export interface StreamedRowsOptions {
  /** Calls of the operation without an answer beyond which no more rows begin. */
  readonly maxPendingCalls: number;
  readonly clock: Clock;
  /**
   * Is told of each list that ends early; the path of the error is that of its first row that is missing. It is not thrown into the list, because the
   * executor would then drop the rows that have begun.
   */
  readonly onUnread: (error: GraphQLError) => void;
}

type RowOperation = Pick<Operation, 'caller' | 'idleTasks' | 'fairShare' | 'meter' | 'ended' | 'waitFor' | 'refusals'>;

// A list of lists, one of those, and what its first row is read by: until then one row begins at a time, so that there is nothing else to wait for.
const FIRST_CALLS = 3;
// Whatever it is that hangs, it is not to hold up what else there is.
const FIRST_ROW_TIMEOUT_MS = 1_000;
// So many calls that wait for their turn are enough for a slot to be used as soon as it comes back.
const MAX_WAITING = 4;

/** All rows begin at once. */
export const unscheduledRows: StreamedRows = { feed: (rows) => rows };

/**
 * Begins as many rows of an operation as there is room for calls that have no answer yet, and further ones as answers come: a row that waits to
 * begin costs nothing, one that has begun costs promises, a place in the queue, and a look at it whenever a part has come. Rows begin together where
 * they can, because they are planned together; lists inside of rows come before further rows, and of equal ones the first.
 *
 * When the operation ends before all rows have begun, each list ends there, and one error says so.
 */
export function createStreamedRows(
  operation: RowOperation,
  { maxPendingCalls, clock, onUnread }: StreamedRowsOptions,
): StreamedRows {
  const { meter, ended } = operation;
  const { pendingCalls: unanswered, wait } = meter;
  const waiting = new Set<WaitingList>();
  let isSettling = false;
  let startsOneByOne = true;
  let cancelTimeout: (() => void) | undefined;

  /** Returns whether rows have begun. */
  const startRows = (): boolean => {
    const freeSlots =
      startsOneByOne && unanswered.settled < FIRST_CALLS
        ? 1 - unanswered.count
        : Math.min(maxPendingCalls - unanswered.count, MAX_WAITING - wait.count);
    let left = freeSlots;
    for (const list of [...waiting].sort((a, b) => b.depth - a.depth)) {
      if (left <= 0) break;
      left -= list.grant(left);
    }
    return left < freeSlots;
  };

  /** Waits until what has begun or been answered has asked for its calls. */
  const settle = () => {
    if (isSettling) return;
    isSettling = true;
    operation.idleTasks.add('row', () => {
      isSettling = false;
      if (startRows()) settle();
    });
  };

  unanswered.onProgress = () => {
    if (waiting.size > 0) settle();
  };
  operation.waitFor({
    slotAtMs: () => (waiting.size > 0 ? Number.POSITIVE_INFINITY : 0),
    end() {
      cancelTimeout?.();
      for (const list of [...waiting]) list.resume();
    },
  });

  const waitForFreeSlot = (list: WaitingList) => {
    waiting.add(list);
    cancelTimeout ??= clock.schedule(clock.nowMs() + FIRST_ROW_TIMEOUT_MS, () => {
      startsOneByOne = false;
      if (startRows()) settle();
    });
    if (!isSettling && startRows()) settle();
  };

  // Which calls they need is not known; most that rows need are of the general class.
  const predictSlotAtMs = () => operation.caller.keyBudget.current.expectedSlotAtMs('general', operation.fairShare, '');

  const scheduling: RowScheduling = {
    ended,
    waitForFreeSlot,
    stopWaiting: (list) => void waiting.delete(list),
    onEndedEarly(info, path) {
      const { error } = operation.refusals.of(undefined, predictSlotAtMs);
      onUnread(locatedError(error, info.fieldNodes, path));
    },
  };

  return {
    feed(rows, info) {
      const [node] = info.fieldNodes;
      const stream = node && getDirectiveValues(streamDirective, node, info.variableValues);
      return stream && stream['if'] !== false
        ? scheduleRows(rows, Number(stream['initialCount']), info, scheduling)
        : rows;
    },
  };
}

/** What a paced list needs of those that are paced with it. */
interface RowScheduling {
  readonly ended: AbortSignal;
  /** Has the list be granted rows once there is room. */
  waitForFreeSlot(list: WaitingList): void;
  stopWaiting(list: WaitingList): void;
  /** The deadline has come before the row at this path began. */
  onEndedEarly(info: GraphQLResolveInfo, path: readonly (string | number)[]): void;
}

/** Gives the rows of a list as the executor asks for them, but none before it may begin. */
function scheduleRows<Row>(
  rows: readonly Row[],
  initialCount: number,
  info: GraphQLResolveInfo,
  { ended, waitForFreeSlot, stopWaiting, onEndedEarly }: RowScheduling,
): AsyncIterable<Row> {
  const path = responsePathAsArray(info.path);
  let next = 0;
  let mayBegin = initialCount;
  let isOver = false;
  let resume = () => {};
  const list: WaitingList = {
    depth: path.length,
    grant(count) {
      const granted = Math.min(count, rows.length - next);
      mayBegin = next + granted;
      resume();
      return granted;
    },
    resume: () => resume(),
  };
  const isWaiting = () => next >= mayBegin && next < rows.length && !isOver && !ended.aborted;
  const untilResumed = () =>
    new Promise<void>((resolve) => {
      resume = () => {
        stopWaiting(list);
        resolve();
      };
      waitForFreeSlot(list);
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
        if (next < mayBegin) return { done: false, value: rows[next++] as Row };
        if (ended.reason === 'deadline') onEndedEarly(info, [...path, next]);
        return end();
      },
      return: () => Promise.resolve(end()),
    }),
  };
}
