import type { GraphQLError } from 'graphql';
import type { Clock } from '../../upstream/clock.ts';
import { UpstreamError, type UpstreamErrorKind } from '../../upstream/http/upstream-error.ts';
import type { ErrorCode, ErrorExtensions, FinalErrorExtensions, RetryableErrorExtensions } from './error-extensions.ts';

// Something that does not exist is usually a null field. If it does become an error, the client passed a wrong
// identifier.
const codes: Readonly<Record<UpstreamErrorKind, ErrorCode>> = {
  unauthenticated: 'UNAUTHENTICATED',
  forbidden: 'FORBIDDEN',
  notFound: 'BAD_USER_INPUT',
  badInput: 'BAD_USER_INPUT',
  rateLimited: 'RATE_LIMITED',
  quotaExhausted: 'QUOTA_EXHAUSTED',
  unavailable: 'UPSTREAM_UNAVAILABLE',
  unreachable: 'UPSTREAM_UNREACHABLE',
  serverError: 'UPSTREAM_ERROR',
  timeout: 'UPSTREAM_TIMEOUT',
  busy: 'SERVER_BUSY',
  badResponse: 'UPSTREAM_BAD_RESPONSE',
  tooExpensive: 'OPERATION_TOO_EXPENSIVE',
  notCached: 'NOT_CACHED',
};

const retryableKinds: ReadonlySet<UpstreamErrorKind> = new Set([
  'rateLimited',
  'unavailable',
  'serverError',
  'timeout',
  'busy',
]);

/**
 * Translates an error of the upstream layer into what clients see. Only this function maps upstream errors to codes.
 *
 * The extensions contain a fixed list of fields; nothing else of the upstream response reaches clients.
 *
 * @param located - The error as GraphQL execution reports it, with path and locations. It is changed in place and
 *   loses its cause: a new error for each of a thousand refused fields would cost a stack trace and another search for
 *   its location.
 * @param clock - Gives the time from which `retryAfterSeconds` counts.
 * @returns The same error; null if its cause is not an upstream error.
 */
export function toGraphQLError(located: GraphQLError, clock: Clock): GraphQLError | null {
  const cause = located.originalError;
  if (!(cause instanceof UpstreamError)) return null;
  return Object.assign(located, {
    message: cause.message,
    extensions: toExtensions(cause, clock),
    originalError: undefined,
  });
}

function toExtensions(error: UpstreamError, clock: Clock): ErrorExtensions {
  const { kind, status, upstreamName, route, retryAtMs, limitedBy, calls, ceiling } = error;
  const upstream = route !== undefined && {
    upstream: {
      ...(status !== undefined && { status }),
      ...(upstreamName !== undefined && { name: upstreamName }),
      method: 'GET' as const,
      route,
    },
  };
  if (retryableKinds.has(kind)) {
    const nowMs = clock.nowMs();
    // Rounded up: a retry that comes a moment early would be refused again.
    const retryAfterSeconds = Math.max(0, Math.ceil(((retryAtMs ?? nowMs) - nowMs) / 1_000));
    return {
      code: codes[kind] as RetryableErrorExtensions['code'],
      retryable: true,
      retryAfterSeconds,
      retryAt: new Date(clock.epochMs() + retryAfterSeconds * 1_000).toISOString(),
      ...(limitedBy !== undefined && { limitedBy }),
      ...(ceiling !== undefined && { ceiling }),
      ...upstream,
    };
  }
  return {
    code: codes[kind] as FinalErrorExtensions['code'],
    retryable: false,
    ...upstream,
    ...(calls !== undefined && { calls }),
    ...(ceiling !== undefined && { ceiling }),
  };
}
