/** Work that pauses now and then, so that whoever runs it can do something else between its steps. */
export type Steps<Result> = Generator<undefined, Result>;

/** Takes all steps at once. */
export function runAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
