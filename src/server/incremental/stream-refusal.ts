import { GraphQLError } from 'graphql';
import type { FullBound } from './open-streams.ts';
import { toRetryLater } from '../retry-later.ts';

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
  return new GraphQLError(`${message} Ask again at the time given, or without them.`, {
    extensions: { ...toRetryLater('RATE_LIMITED', RETRY_SECONDS, nowMs), http: { status } },
  });
}
