/**
 * The changes that were reported to this process. A subject is a text that names what has changed, such as the uid of an
 * object; responses say which subjects they show. So a change needs no search for the responses that it affects, and
 * responses to calls in flight, or from elsewhere, are affected, too.
 */
export interface ChangeMarks {
  /**
   * Marks subjects as changed.
   *
   * @param atMs - When they had changed at the latest (monotonic ms).
   */
  mark(subjects: Iterable<string>, atMs: number): void;
  /** Whether one of these subjects may have changed after this time (monotonic ms). */
  isChangedSince(subjects: Iterable<string>, sinceMs: number): boolean;
  /** A number that changes whenever `isChangedSince` may return something else. */
  version(): number;
}

/** How many subjects are marked at most. Beyond, the oldest marks become one: everything had changed at their time. */
export const MAX_MARKS = 20_000;

/** Creates the marks of a process: nothing has changed. */
export function createChangeMarks(): ChangeMarks {
  // The mark that was set last is the last.
  const changedAtMs = new Map<string, number>();
  let allChangedAtMs = Number.NEGATIVE_INFINITY;
  let version = 0;

  const markOne = (subject: string, atMs: number) => {
    const knownAtMs = changedAtMs.get(subject);
    if (knownAtMs !== undefined && knownAtMs >= atMs) return;
    changedAtMs.delete(subject);
    changedAtMs.set(subject, atMs);
    version++;
    if (changedAtMs.size <= MAX_MARKS) return;
    const [oldest] = changedAtMs;
    if (!oldest) return;
    changedAtMs.delete(oldest[0]);
    allChangedAtMs = Math.max(allChangedAtMs, oldest[1]);
  };

  return {
    version: () => version,
    mark(subjects, atMs) {
      for (const subject of subjects) markOne(subject, atMs);
    },
    isChangedSince(subjects, sinceMs) {
      if (allChangedAtMs >= sinceMs) return true;
      if (changedAtMs.size === 0) return false;
      for (const subject of subjects) {
        const atMs = changedAtMs.get(subject);
        if (atMs !== undefined && atMs >= sinceMs) return true;
      }
      return false;
    },
  };
}
