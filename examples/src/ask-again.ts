import { hasPostmanExtensions, type RetryableErrorExtensions } from 'postman-graphql/errors';
import { type Answer, type AnswerError, type AskOptions, ask } from './ask.js';
import type { TypedDocumentString } from './gql/graphql.js';

/** How long to retry, and what to do while waiting. */
export interface AskAgainOptions<Result> extends AskOptions {
  /** Seconds after which it stops retrying, and fields may still be missing. Default: 120. */
  readonly patienceSeconds?: number;
  /** Called before each wait with the answer so far, and with the error whose retry is next. */
  readonly onWait?: (answer: Answer<Result>, first: RetryableErrorExtensions) => void;
}

/**
 * Asks again until no error is left that a retry can fix.
 *
 * Retries at the earliest `retryAt`, not at the last. The server caches what it has read, so each retry costs only the
 * missing calls, and an operation waits itself for slots that come before its deadline.
 *
 * @returns The last answer. Its remaining errors cannot be fixed by a retry, or not within `patienceSeconds`.
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
    // The same moment as retryAt, but correct even if the client's clock is wrong. Wait at least a second, in case a
    // server always says "now".
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
