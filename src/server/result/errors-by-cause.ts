import type { GraphQLError } from 'graphql';
import type { ErrorCause, ErrorExtensions } from '../../graph/errors/error-extensions.ts';

interface Cause {
  extensions: ErrorExtensions;
  count: number;
  readonly firstPath: GraphQLError['path'];
  readonly paths: NonNullable<GraphQLError['path']>[];
  /** Length of the JSON of all `paths`. */
  pathsLength: number;
  morePaths: number;
}

// With it, the entry of a thousand equal refusals takes less than 2 KB, error included. The first path is always
// listed.
const MAX_PATHS_LENGTH = 640;

/**
 * Groups the errors of one response by cause. Errors have the same cause if their messages and extensions are equal,
 * whatever their paths and the extensions that `keyOf` leaves out. Errors of requests that are not executed (parsing,
 * validation) are not grouped.
 *
 * @param areGrouped - The client requested only the first error of each cause.
 */
export function createErrorsByCause(areGrouped: boolean) {
  const causes = new Map<string, Cause>();

  const note = (error: GraphQLError, extensions: ErrorExtensions): Cause => {
    const key = keyOf(error.message, extensions);
    const { path } = error;
    const cause = causes.get(key) ?? {
      extensions,
      count: 0,
      firstPath: path,
      paths: [],
      pathsLength: 0,
      morePaths: 0,
    };
    causes.set(key, cause);
    cause.count++;
    if (!areGrouped || !path) return cause;
    // The first path that does not fit ends the list, so that the listed paths are the first ones.
    if (cause.morePaths === 0) {
      cause.pathsLength += JSON.stringify(path).length;
      if (cause.paths.length === 0 || cause.pathsLength <= MAX_PATHS_LENGTH) {
        cause.paths.push(path);
        return cause;
      }
    }
    cause.morePaths++;
    return cause;
  };

  return {
    /**
     * Adds the errors of a response, or of one of its parts.
     *
     * @param errors - Masked errors. Those of one cause get the same extensions, with their earliest future `retryAt`.
     * @returns The errors to report: all of them or, if `areGrouped`, the first of each cause in the whole response.
     */
    report(errors: readonly GraphQLError[]): readonly GraphQLError[] {
      const reported: GraphQLError[] = [];
      const errorsByCause = new Map<Cause, GraphQLError[]>();
      for (const error of errors) {
        const { extensions } = error;
        if (!isOfCause(extensions)) {
          reported.push(error);
          continue;
        }
        const cause = note(error, extensions);
        if (!areGrouped || cause.count === 1) reported.push(error);
        const errorsOfCause = errorsByCause.get(cause);
        // Extensions of an earlier part may be outdated, so the first error of this part replaces them.
        if (!errorsOfCause || isEarlier(extensions, cause.extensions)) cause.extensions = extensions;
        if (errorsOfCause) errorsOfCause.push(error);
        else errorsByCause.set(cause, [error]);
      }
      for (const [{ extensions }, errorsOfCause] of errorsByCause) {
        if (extensions.retryable) for (const error of errorsOfCause) Object.assign(error, { extensions });
      }
      return reported;
    },

    /** Removes all errors, because another response replaces this one. */
    clear: () => causes.clear(),

    /**
     * Makes `extensions.errorsByCause` of the errors so far, in the order of their first errors.
     *
     * @param nowMs - Epoch milliseconds from which `retryAfterSeconds` is counted anew, for a later part.
     * @returns undefined if there are no errors.
     */
    list(nowMs?: number): readonly ErrorCause[] | undefined {
      if (causes.size === 0) return undefined;
      return [...causes.values()].map(({ extensions, count, firstPath, paths, morePaths }) => {
        // Yoga removes `http` from errors only.
        const { http: _, ...rest } = extensions as ErrorExtensions & { readonly http?: unknown };
        return {
          ...rest,
          ...(rest.retryable && nowMs !== undefined && { retryAfterSeconds: secondsUntil(rest.retryAt, nowMs) }),
          count,
          ...(firstPath && { firstPath }),
          ...(areGrouped && { paths, morePaths }),
        };
      });
    },
  };
}

function isOfCause(extensions: object): extensions is ErrorExtensions {
  return 'code' in extensions && 'retryable' in extensions;
}

/** Identifies a cause: message and extensions, without the time of a retry, the id in the log, and the HTTP status. */
function keyOf(message: string, extensions: ErrorExtensions): string {
  const rest = { retryAfterSeconds: undefined, retryAt: undefined, errorId: undefined, http: undefined };
  return JSON.stringify([message, { ...extensions, ...rest }]);
}

/** Whether the retry time of one is better to report: the earlier one, unless it has passed. */
function isEarlier(one: ErrorExtensions, other: ErrorExtensions): boolean {
  if (!one.retryable || !other.retryable || one.retryAfterSeconds === 0) return false;
  return other.retryAfterSeconds === 0 || one.retryAt < other.retryAt;
}

function secondsUntil(retryAt: string, nowMs: number): number {
  return Math.max(0, Math.ceil((Date.parse(retryAt) - nowMs) / 1_000));
}
