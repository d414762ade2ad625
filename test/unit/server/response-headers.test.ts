import { GraphQLError } from 'graphql';
import { expect, it } from 'vitest';
import { parsePreferences } from '../../../src/server/http/prefer.ts';
import { setResponseHeaders } from '../../../src/server/plugins/use-response-headers.ts';
import { createRequestRecord } from '../../../src/server/operation/request-record.ts';

type Told = readonly [code: string, seconds: number, limitedBy?: string];

/** What an answer without a key says, with these errors. */
function toHeaders(told: readonly Told[]): Headers {
  const record = createRequestRecord({
    startedAtMs: 0,
    clientAddress: '127.0.0.1',
    clientGone: new AbortController().signal,
    preferences: parsePreferences(null),
  });
  const errors = told.map(
    ([code, retryAfterSeconds, limitedBy]) =>
      new GraphQLError('Later.', { extensions: { code, retryable: true, retryAfterSeconds, limitedBy } }),
  );
  record.errors.report({ errors: errors.slice(0, 1) });
  record.errors.report({ errors: errors.slice(1) });
  const headers = new Headers();
  setResponseHeaders(headers, record, 1_000);
  return headers;
}

it.each<[readonly Told[], string | null]>([
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
])('Retry-After of the errors %j is %s', (told, retryAfter) => {
  expect(toHeaders(told).get('retry-after')).toBe(retryAfter);
});
