/**
 * Part of the result module, which masks errors, groups them, and writes results as JSON. This file exports
 * `createReportedErrors`, which counts the errors of one response and selects those that the client gets. The module
 * works on the results of any operation: it may not import plugins, `operation/` or `http/`.
 */
import type { ExecutionResult, GraphQLError } from 'graphql';
import { type ResultPart, errorsOf } from '../incremental/incremental.ts';
import { createErrorsByCause } from './errors-by-cause.ts';

const MAX_ERROR_IDS = 10;

/** The errors of one response. */
export type ReportedErrors = ReturnType<typeof createReportedErrors>;

/**
 * Counts the errors of one response, selects those that its client gets, and makes each say whether it is `retryable`.
 *
 * @param areGrouped - The client requested only the first error of each cause.
 * @param requestId - Added to errors that have an `errorId`, for people who search the log.
 */
export function createReportedErrors(areGrouped: boolean, requestId: string) {
  const byCause = createErrorsByCause(areGrouped);
  const codes = new Map<string, number>();
  const errorIds: string[] = [];
  let hasFacadeRefusal = false;

  /**
   * If the budget refused calls, `Retry-After` is the earliest of their times: a retry then caches what it can. After
   * the latest time, the first responses would be outdated. Otherwise it is the latest time, because
   * Postman would refuse an earlier retry.
   */
  const noteRetryAfter = (seconds: number, limitedBy: unknown) => {
    const known = reportedErrors.retryAfterSeconds ?? seconds;
    if (limitedBy === 'facade' || limitedBy === 'operation') {
      reportedErrors.retryAfterSeconds = hasFacadeRefusal ? Math.min(seconds, known) : seconds;
      hasFacadeRefusal = true;
    } else if (!hasFacadeRefusal) reportedErrors.retryAfterSeconds = Math.max(seconds, known);
  };

  const countAndSelect = (errors: readonly GraphQLError[]): readonly GraphQLError[] => {
    for (const { extensions } of errors) {
      const errorId = extensions?.['errorId'];
      if (typeof errorId !== 'string') continue;
      Object.assign(extensions, { requestId });
      if (errorIds.length < MAX_ERROR_IDS) errorIds.push(errorId);
    }
    const reported = byCause.report(errors);
    for (const { extensions } of errors) {
      // Only errors of GraphQL and Yoga about the request lack it. Added here, because such errors are not grouped.
      if (extensions && !('retryable' in extensions)) Object.assign(extensions, { retryable: false });
      const code = extensions?.['code'];
      const name = typeof code === 'string' ? code : 'none';
      codes.set(name, (codes.get(name) ?? 0) + 1);
      const seconds = extensions?.['retryAfterSeconds'];
      if (typeof seconds === 'number') noteRetryAfter(seconds, extensions?.['limitedBy']);
    }
    return reported;
  };

  const reportedErrors = {
    byCause,
    /** Number of errors by code. */
    codes: codes as ReadonlyMap<string, number>,
    /** `errorId`s of the first errors that have one. */
    errorIds: errorIds as readonly string[],
    /** The value of `Retry-After`; undefined if no error has a time for a retry. */
    retryAfterSeconds: undefined as number | undefined,
    /**
     * Selects the errors of a result that is not delivered in parts, and adds `extensions.errorsByCause` if it has
     * any.
     */
    report<Result extends ExecutionResult>(result: Result): Result {
      if (!result.errors) return result;
      const reported = countAndSelect(result.errors);
      const errorsByCause = byCause.list();
      return {
        ...result,
        // As JSON, because Yoga would copy each GraphQLError. It needs the errors themselves, which contain the HTTP
        // status, only if the request was not executed.
        errors: 'data' in result ? reported.map((error) => error.toJSON()) : reported,
        ...(errorsByCause && { extensions: { ...result.extensions, errorsByCause } }),
      };
    },
    /** The same for a part of an incremental response, but without `errorsByCause`, which only the last part has. */
    reportPart(part: ResultPart): ResultPart {
      const reported = new Set(countAndSelect(errorsOf(part)));
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
  return reportedErrors;
}
