import type { ChangeMarks } from './change-marks.ts';

/** A response as far as changes are concerned. */
export interface ChangeableResponse {
  /** When its call was sent (monotonic ms). */
  readonly sentAtMs: number;
  /** What it shows: subjects that can be marked as changed. Absent: nothing. */
  readonly subjects?: (() => Iterable<string>) | undefined;
}

/** What is known about changes of one cached response. */
export interface ChangeState {
  /** A subject of the response has changed since its call was sent. */
  hasChanged: boolean;
  /** Up to which version of the marks this is known. */
  checkedVersion: number;
  /** When the last call was sent that a change had made necessary (monotonic ms). */
  readonly rereadAtMs: number;
  /** The change does not count before this time (monotonic ms). */
  readonly settledUntilMs: number;
}

// While changes are reported all the time, a response is read again this often: whoever can report changes cannot have
// the budget spent faster.
const REREAD_MS = 10_000;

const never = Number.NEGATIVE_INFINITY;

/**
 * Makes the state of a response that has just come.
 *
 * The first change outdates it at once, also if it was reported while the call was in flight. Once a change has led to
 * a call, the next one counts only ten seconds after that call was sent.
 *
 * @param previous - The response that it replaces.
 */
export function createChangeState(
  response: ChangeableResponse,
  previous: (ChangeableResponse & ChangeState) | undefined,
  marks: ChangeMarks,
): ChangeState {
  const hasChanged = marks.isChangedSince(response.subjects?.() ?? [], response.sentAtMs);
  const checkedVersion = marks.version();
  if (!previous) return { hasChanged, checkedVersion, rereadAtMs: never, settledUntilMs: never };
  const isReread = checkChange(previous, marks);
  const isSoon = response.sentAtMs < previous.rereadAtMs + REREAD_MS;
  const rereadAtMs = isReread && !isSoon ? response.sentAtMs : previous.rereadAtMs;
  const settledUntilMs = hasChanged && !isSoon ? never : rereadAtMs + REREAD_MS;
  return { hasChanged, checkedVersion, rereadAtMs, settledUntilMs };
}

/** Compares a cached response with the marks, unless none has come since. Returns whether it shows what has changed. */
export function checkChange(cached: ChangeableResponse & ChangeState, marks: ChangeMarks): boolean {
  const version = marks.version();
  if (cached.checkedVersion !== version) {
    cached.checkedVersion = version;
    cached.hasChanged ||= marks.isChangedSince(cached.subjects?.() ?? [], cached.sentAtMs);
  }
  return cached.hasChanged;
}
