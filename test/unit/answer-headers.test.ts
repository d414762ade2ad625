import { expect, it } from 'vitest';
import { setAnswerHeaders } from '../../src/server/answer-headers.ts';
import { createRequestRecord, noteErrors } from '../../src/server/request-record.ts';
import { GraphQLError } from 'graphql';

/** What an answer without a key says, whose errors can be had after these times. */
function toHeaders(seconds: readonly number[]): Headers {
  const record = createRequestRecord({
    startedAtMs: 0,
    clientAddress: '127.0.0.1',
    clientGone: new AbortController().signal,
    waitSeconds: undefined,
  });
  const errors = seconds.map(
    (retryAfterSeconds) => new GraphQLError('Later.', { extensions: { code: 'RATE_LIMITED', retryAfterSeconds } }),
  );
  noteErrors(record, errors.slice(0, 1));
  noteErrors(record, errors.slice(1));
  const headers = new Headers();
  setAnswerHeaders(headers, record, 1_000);
  return headers;
}

it.each([
  [[], null],
  [[0], '0'],
  [[0, 7], '7'],
  [[7, 0], '7'],
  [[3, 20, 5], '20'],
])('Retry-After of errors that are over after %j seconds is %s', (seconds, retryAfter) => {
  expect(toHeaders(seconds).get('retry-after')).toBe(retryAfter);
});
