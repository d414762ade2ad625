import { type ErrorCause, type ErrorCode, hasPostmanExtensions } from 'postman-graphql/errors';
import type { CombinedError } from 'urql';

/** Something that went wrong, once for each cause. */
export interface Problem {
  readonly message: string;
  /** undefined: the request did not reach the GraphQL server, or the server refused it before running it. */
  readonly code: ErrorCode | undefined;
  /** Number of fields that have no value because of it. */
  readonly count: number;
  /** Seconds after which a retry can help; undefined where it cannot. */
  readonly retryAfterSeconds: number | undefined;
}

/** Seconds after which the page looks again for a server that does not respond. */
const RECONNECT_SECONDS = 5;

/**
 * Lists the problems of a result.
 *
 * @param extensions - `extensions` of the response. Its `errorsByCause` has the counts, in the order of `errors`.
 */
export function toProblems(
  error: CombinedError | undefined,
  extensions: Readonly<Record<string, unknown>> | undefined,
): Problem[] {
  if (!error) return [];
  if (error.networkError) {
    const status = (error.response as Response | undefined)?.status;
    const message = `No response from the GraphQL server (${status ?? error.networkError.message}). Is it running?`;
    return [{ message, code: undefined, count: 0, retryAfterSeconds: RECONNECT_SECONDS }];
  }
  const causes = (extensions?.['errorsByCause'] ?? []) as readonly ErrorCause[];
  return error.graphQLErrors.map((entry, index) => {
    const { message } = entry;
    const count = causes[index]?.count ?? 1;
    if (!hasPostmanExtensions(entry)) return { message, code: undefined, count, retryAfterSeconds: undefined };
    const { code, ...rest } = entry.extensions;
    return { message, code, count, retryAfterSeconds: rest.retryable ? rest.retryAfterSeconds : undefined };
  });
}

/** Returns the seconds until the first retry that can help; undefined if none can. */
export function findFirstRetry(problems: readonly Problem[]): number | undefined {
  const seconds = problems.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? []);
  // At least a second, in case a server always says "now".
  return seconds.length > 0 ? Math.max(1, Math.min(...seconds)) : undefined;
}
