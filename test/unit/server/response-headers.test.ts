import { GraphQLError } from 'graphql';
import { expect, it } from 'vitest';
import { parsePreferences } from '../../../src/server/http/prefer.ts';
import { setResponseHeaders } from '../../../src/server/plugins/use-response-headers.ts';
import { createRequestRecord } from '../../../src/server/operation/request-record.ts';

type Reported = readonly [code: string, seconds: number, limitedBy?: string];

/** The headers of a response with these errors, without an API key. */
function toHeaders(reported: readonly Reported[]): Headers {
  const record = createRequestRecord({
    requestId: 'request',
    startedAtMs: 0,
    clientAddress: '127.0.0.1',
    clientGone: new AbortController().signal,
    preferences: parsePreferences(null),
  });
  const errors = reported.map(
    ([code, retryAfterSeconds, limitedBy]) =>
      new GraphQLError('Later.', { extensions: { code, retryable: true, retryAfterSeconds, limitedBy } }),
  );
  record.errors.report({ errors: errors.slice(0, 1) });
  record.errors.report({ errors: errors.slice(1) });
  const headers = new Headers();
  setResponseHeaders(headers, record, 1_000);
  return headers;
}

it.each<[readonly Reported[], string | null]>([
  [[], null],
  [[['UPSTREAM_ERROR', 0]], '0'],
  [
    [
      ['UPSTREAM_ERROR', 0],
      ['UPSTREAM_ERROR', 7],
    ],
    '7',
  ],
  [
    [
      ['UPSTREAM_ERROR', 7],
      ['UPSTREAM_ERROR', 0],
    ],
    '7',
  ],
  [
    [
      ['UPSTREAM_ERROR', 3],
      ['RATE_LIMITED', 20, 'upstream'],
      ['UPSTREAM_ERROR', 5],
    ],
    '20',
  ],
  [
    [
      ['RATE_LIMITED', 20, 'facade'],
      ['RATE_LIMITED', 4, 'operation'],
      ['RATE_LIMITED', 60, 'upstream'],
    ],
    '4',
  ],
])('Retry-After of the errors %j is %s', (errors, retryAfter) => {
  expect(toHeaders(errors).get('retry-after')).toBe(retryAfter);
});
