import type { ExecutionResult, GraphQLError } from 'graphql';
import { type ResultPart, errorsOf } from '../incremental/incremental.ts';
import { createErrorsByCause } from './errors-by-cause.ts';

/** The errors of one answer, as its client gets them. */
export type ReportedErrors = ReturnType<typeof createReportedErrors>;

/**
 * Makes what counts the errors of one answer, and chooses those that its client gets.
 *
 * @param areGrouped - The client asked for the first error of each cause alone.
 */
export function createReportedErrors(areGrouped: boolean) {
  const byCause = createErrorsByCause(areGrouped);
  const codes = new Map<string, number>();
  let retryAfterSeconds: number | undefined;
  let hasFacadeRefusal = false;

  /**
   * Where the budget has refused calls it is the earliest of their times: what can be had by then is cached for what comes later, and whoever waited for
   * the last would find the first grown old. Otherwise it is the last: before then Postman would be asked in vain.
   */
  const noteRetryAfter = (seconds: number, limitedBy: unknown) => {
    const known = retryAfterSeconds ?? seconds;
    if (limitedBy === 'facade' || limitedBy === 'operation') {
      retryAfterSeconds = hasFacadeRefusal ? Math.min(seconds, known) : seconds;
      hasFacadeRefusal = true;
    } else if (!hasFacadeRefusal) retryAfterSeconds = Math.max(seconds, known);
  };

  const count = (errors: readonly GraphQLError[]): readonly GraphQLError[] => {
    const reported = byCause.report(errors);
    for (const { extensions } of errors) {
      const code = extensions?.['code'];
      const name = typeof code === 'string' ? code : 'none';
      codes.set(name, (codes.get(name) ?? 0) + 1);
      const seconds = extensions?.['retryAfterSeconds'];
      if (typeof seconds === 'number') noteRetryAfter(seconds, extensions?.['limitedBy']);
    }
    return reported;
  };

  return {
    byCause,
    /** How many errors there were of each code. */
    codes: codes as ReadonlyMap<string, number>,
    /** What `Retry-After` says; undefined where no error says when to come back. */
    get retryAfterSeconds() {
      return retryAfterSeconds;
    },
    /** Leaves in an answer that comes as a whole the errors that its client asked for, and adds `extensions.errorsByCause` where there are any. */
    report<Result extends ExecutionResult>(result: Result): Result {
      if (!result.errors) return result;
      const reported = count(result.errors);
      const errorsByCause = byCause.list();
      return {
        ...result,
        // As they are written: of each error proper Yoga makes another one. Those of requests that are not executed tell it the status.
        errors: 'data' in result ? reported.map((error) => error.toJSON()) : reported,
        ...(errorsByCause && { extensions: { ...result.extensions, errorsByCause } }),
      };
    },
    /** The same for a part of an answer, whose last part has the causes of all. */
    reportPart(part: ResultPart): ResultPart {
      const reported = new Set(count(errorsOf(part)));
      const withReportedErrors = <Part extends Pick<ResultPart, 'errors'>>({ errors, ...rest }: Part) => {
        const reportedErrors = errors?.filter((error) => reported.has(error)) ?? [];
        return { ...rest, ...(reportedErrors.length > 0 && { errors: reportedErrors }) };
      };
      return {
        ...withReportedErrors(part),
        ...(part.incremental && { incremental: part.incremental.map(withReportedErrors) }),
      };
    },
  };
}
