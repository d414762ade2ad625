/** Long work in small steps: it yields now and then, so that the caller can do other work in between. */
export type Steps<Result> = Generator<undefined, Result>;

/** Runs all steps without a pause. */
export function runAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
