import { GraphQLError } from 'graphql';
import type { RetryableErrorExtensions } from '../graph/error-extensions.ts';
import type { FullBound } from './open-streams.ts';

// Streams end at any time; whoever comes back every few seconds costs next to nothing.
const RETRY_SECONDS = 10;
const REFUSALS = {
  key: {
    status: 429,
    message: 'The API key has as many operations with @defer or @stream open as it may.',
  },
  process: {
    status: 503,
    message: 'The server has as many operations with @defer or @stream open as it can hold.',
  },
} as const satisfies Record<FullBound, object>;

/**
 * Makes the refusal of an operation whose answer comes in parts, when too many of them are open.
 *
 * @param nowMs - Epoch milliseconds.
 */
export function toStreamRefusal(fullBound: FullBound, nowMs: number): GraphQLError {
  const { status, message } = REFUSALS[fullBound];
  const extensions: RetryableErrorExtensions = {
    code: 'RATE_LIMITED',
    retryable: true,
    retryAfterSeconds: RETRY_SECONDS,
    retryAt: new Date(nowMs + RETRY_SECONDS * 1_000).toISOString(),
    limitedBy: 'facade',
  };
  return new GraphQLError(`${message} Ask again at the time given, or without them.`, {
    extensions: { ...extensions, http: { status } },
  });
}
