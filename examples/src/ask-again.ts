import { hasPostmanExtensions, type RetryableErrorExtensions } from 'postman-graphql/errors';
import { type Answer, type AnswerError, type AskOptions, ask } from './ask.js';
import type { TypedDocumentString } from './gql/graphql.js';

/** How long to go on, and what to do meanwhile. */
export interface AskAgainOptions<Result> extends AskOptions {
  /** What is not there after so many seconds is left out. Default 120. */
  readonly patienceSeconds?: number;
  /** Sees what is there, before each wait, and the error that is waited for. */
  readonly onWait?: (answer: Answer<Result>, first: RetryableErrorExtensions) => void;
}

/**
 * Asks until nothing is missing that waiting can bring.
 *
 * It comes back at the earliest `retryAt`, not at the last: what the server has read by then is kept, so that each time costs
 * only what was missing, and an operation itself waits for turns that are less than its deadline away.
 *
 * @returns The last answer. Errors that it still has cannot be mended by waiting, or not within `patienceSeconds`.
 */
export async function askAgain<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  { patienceSeconds = 120, onWait, ...options }: AskAgainOptions<Result> = {},
): Promise<Answer<Result>> {
  const givesUpAtMs = performance.now() + patienceSeconds * 1_000;
  for (;;) {
    const answer = await ask(document, variables, options);
    const first = findFirstRetry(answer.errors ?? []);
    if (!first) return answer;
    // The same moment as retryAt, and true on a device whose clock is wrong. A second at least, for a server that says "now" for ever.
    const waitMs = Math.max(1, first.retryAfterSeconds) * 1_000;
    if (performance.now() + waitMs > givesUpAtMs) return answer;
    onWait?.(answer, first);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    options.signal?.throwIfAborted();
  }
}

function findFirstRetry(errors: readonly AnswerError[]): RetryableErrorExtensions | undefined {
  let first: RetryableErrorExtensions | undefined;
  for (const error of errors) {
    if (!hasPostmanExtensions(error) || !error.extensions.retryable) continue;
    if (!first || error.extensions.retryAt < first.retryAt) first = error.extensions;
  }
  return first;
}
