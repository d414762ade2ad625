/** How many calls of an operation have been asked for and not been answered yet: those that are sent, and those that wait for their turn. */
export interface Unanswered {
  readonly count: number;
  /** Calls that have been answered. */
  readonly answered: number;
  /** Counts a call for as long as its answer takes. */
  during<Answer>(answer: Promise<Answer>): Promise<Answer>;
  /** Is called after each answer, and after each turn that has come. */
  onProgress: () => void;
}

/** Makes the count of one operation: none yet. */
export function createUnanswered(): Unanswered {
  let count = 0;
  let answered = 0;
  const unanswered: Unanswered = {
    get count() {
      return count;
    },
    get answered() {
      return answered;
    },
    during(answer) {
      count++;
      return answer.finally(() => {
        count--;
        answered++;
        unanswered.onProgress();
      });
    },
    onProgress() {},
  };
  return unanswered;
}
