import type { GraphQLError } from 'graphql';
import type { ErrorCause, ErrorExtensions } from '../../graph/errors/error-extensions.ts';

interface Cause {
  extensions: ErrorExtensions;
  count: number;
  readonly firstPath: GraphQLError['path'];
  readonly paths: NonNullable<GraphQLError['path']>[];
  /** Of their JSON. */
  pathsLength: number;
  morePaths: number;
}

// With the error itself, the cause of a thousand equal refusals then takes less than 2 KB. The first path is listed however long it is.
const MAX_PATHS_LENGTH = 640;

/**
 * Makes the collection of the errors of one answer. Errors are of one cause when they say the same, but for where and when: equal messages and
 * extensions. Errors of requests that are not executed (parsing, validation) say of themselves all there is to say, and are left alone.
 *
 * @param areGrouped - Its client asked for errors by cause alone.
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
    // One that does not fit ends the list: those that are left out are the last.
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
     * Takes in the errors of an answer, or of one of its parts.
     *
     * @param errors - Have been masked. Those of one cause are given the same extensions, with the earliest `retryAt` of them that is still ahead.
     * @returns Those that are to be told: all of them, or where errors are asked for by cause the first of each cause in the whole answer.
     */
    report(errors: readonly GraphQLError[]): readonly GraphQLError[] {
      const reported: GraphQLError[] = [];
      const here = new Map<Cause, GraphQLError[]>();
      for (const error of errors) {
        const { extensions } = error;
        if (!isOfCause(extensions)) {
          reported.push(error);
          continue;
        }
        const cause = note(error, extensions);
        if (!areGrouped || cause.count === 1) reported.push(error);
        const equal = here.get(cause);
        // Of an earlier part, whose time has gone by: what counts is the newest.
        if (!equal || isEarlier(extensions, cause.extensions)) cause.extensions = extensions;
        if (equal) equal.push(error);
        else here.set(cause, [error]);
      }
      for (const [{ extensions }, equal] of here) {
        if (extensions.retryable) for (const error of equal) Object.assign(error, { extensions });
      }
      return reported;
    },

    /** Forgets all of them: another answer is given. */
    clear: () => causes.clear(),

    /**
     * What `extensions.errorsByCause` says of the errors so far, in the order in which their causes came up; undefined where there are none.
     *
     * @param nowMs - Epoch milliseconds of a later part, from which `retryAfterSeconds` counts there.
     */
    list(nowMs?: number): readonly ErrorCause[] | undefined {
      if (causes.size === 0) return undefined;
      return [...causes.values()].map(({ extensions, count, firstPath, paths, morePaths }) => {
        // For Yoga, which takes it out of errors alone.
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

/** Where an error stands, when it can be tried again, and under which id it is logged tells nothing of its cause. */
function keyOf(message: string, extensions: ErrorExtensions): string {
  const rest = { retryAfterSeconds: undefined, retryAt: undefined, errorId: undefined, http: undefined };
  return JSON.stringify([message, { ...extensions, ...rest }]);
}

/** Whether the time of one is the better one to name: the earlier, but not one that has passed, because by the other both can be had. */
function isEarlier(one: ErrorExtensions, other: ErrorExtensions): boolean {
  if (!one.retryable || !other.retryable || one.retryAfterSeconds === 0) return false;
  return other.retryAfterSeconds === 0 || one.retryAt < other.retryAt;
}

function secondsUntil(retryAt: string, nowMs: number): number {
  return Math.max(0, Math.ceil((Date.parse(retryAt) - nowMs) / 1_000));
}
