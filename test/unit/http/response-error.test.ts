import { describe, expect, it } from 'vitest';
import type { ResponseHeaders } from '../../../src/upstream/http/rate-limit-headers.ts';
import { type RefusedResponse, toUpstreamError } from '../../../src/upstream/http/response-error.ts';
import { parseThrottleHeaders } from '../../../src/upstream/http/retry-after.ts';
import { UpstreamError } from '../../../src/upstream/http/upstream-error.ts';
import type { UpstreamErrorKind } from '../../../src/upstream/http/upstream-error.ts';

const NOW_MS = 1_000_000;
const EPOCH_MS = Date.UTC(2026, 0, 15, 12, 0, 0);

interface Refusal extends Partial<RefusedResponse> {
  readonly headers?: ResponseHeaders;
  readonly burst?: boolean;
}

function refuse(status: number, body: unknown = '', { headers = {}, burst, ...more }: Refusal = {}): UpstreamError {
  return toUpstreamError({
    route: { template: '/collections/{uid}', routeClass: burst ? 'burst' : 'general' },
    status,
    throttle: parseThrottleHeaders(headers, EPOCH_MS),
    body,
    receivedAtMs: NOW_MS,
    isFromIntermediary: false,
    isBroken: false,
    ...more,
  });
}

const named = (name: string, message = 'Some text.') => ({ error: { name, message } });
const problem = (type: string, title: string, detail = 'Some text.') => ({ type, title, detail });

const kinds: readonly (readonly [number, string, unknown, UpstreamErrorKind])[] = [
  [400, 'a missing parameter', named('paramMissingError'), 'badInput'],
  [400, 'an invalid parameter', named('invalidParamsError'), 'badInput'],
  [400, 'a problem', problem('https://x.example/problems/bad-request', 'Bad request'), 'badInput'],
  [400, 'a flat error', { name: 'badRequest', message: 'Bad element.' }, 'badInput'],
  [400, 'markup', '<html></html>', 'badInput'],
  [400, 'instanceNotFoundError', named('instanceNotFoundError'), 'notFound'],
  [400, 'notFoundError', named('notFoundError'), 'notFound'],
  [400, 'workspaceNotFoundError', named('workspaceNotFoundError'), 'notFound'],
  [400, 'the misspelt name', named('instanceFoundError'), 'notFound'],
  [400, 'a problem typed as a bare name', problem('instanceNotFoundError', 'Missing'), 'notFound'],
  [400, 'a problem typed as a URL', problem('https://x.example/problems/not-found', 'Missing'), 'notFound'],
  [400, 'a text that says so', named('badRequest', 'We could not find the collection'), 'notFound'],
  [400, 'a detail that says so', problem('x', 'Bad', "The environment couldn't be found"), 'notFound'],
  [401, 'a bad key', named('AuthenticationError', 'Invalid API Key'), 'unauthenticated'],
  [401, 'a missing key', named('AuthenticationError', 'API Key missing.'), 'unauthenticated'],
  [401, 'a problem', problem('unauthorized', 'Unauthorized'), 'unauthenticated'],
  [401, 'nothing', undefined, 'unauthenticated'],
  [401, 'a model', { error: { name: 'Unauthorized', message: 'No.', details: { model: 'request' } } }, 'forbidden'],
  [401, 'a text about permission', named('Unauthorized', 'You are not authorized to do this'), 'forbidden'],
  [402, 'nothing', undefined, 'forbidden'],
  [403, 'a problem', problem('https://x.example/problems/forbidden', 'Forbidden'), 'forbidden'],
  [403, 'a name', named('forbiddenError'), 'forbidden'],
  [403, 'markup', '<html></html>', 'forbidden'],
  [
    403,
    'the title of a bad key',
    problem('https://x.example/problems/forbidden', 'AuthenticationError'),
    'unauthenticated',
  ],
  [403, 'the name of a bad key', named('AuthenticationError'), 'unauthenticated'],
  [404, 'a name', named('mockNotFoundError'), 'notFound'],
  [404, 'nothing', undefined, 'notFound'],
  [405, 'nothing', undefined, 'badResponse'],
  [406, 'nothing', undefined, 'badResponse'],
  [408, 'nothing', undefined, 'timeout'],
  [409, 'a problem', problem('conflict', 'Conflict'), 'badInput'],
  [410, 'nothing', undefined, 'notFound'],
  [413, 'a problem', problem('too-large', 'Too large'), 'badInput'],
  [422, 'a problem', problem('actionNotAllowedError', 'Not here'), 'badInput'],
  [423, 'a problem', problem('locked', 'Locked'), 'badInput'],
  [429, 'the oldest form', named('rateLimitError', 'retry at 1465452702843'), 'rateLimited'],
  [429, 'the form with a code', { error: 'rateLimited', message: 'retry after 1669048687' }, 'rateLimited'],
  [429, 'a problem', problem('https://x.example/problems/too-many-requests', 'Too many requests'), 'rateLimited'],
  [
    429,
    'a problem whose detail advertises a plan',
    problem('https://x.example/problems/rate-limit-exceeded', 'Rate limit exceeded', 'Upgrade your plan.'),
    'rateLimited',
  ],
  [429, 'nothing', undefined, 'rateLimited'],
  [429, 'a spent allowance', named('serviceLimitExhausted'), 'quotaExhausted'],
  [403, 'a spent allowance', named('serviceLimitExhausted'), 'quotaExhausted'],
  [
    429,
    'a used-up plan',
    problem('https://x.example/problems/rate-limit-exceeded', 'You have used up your plan'),
    'quotaExhausted',
  ],
  [500, 'a name', named('serverError'), 'serverError'],
  [500, 'a type', { error: { type: 'x', message: 'Some text.' } }, 'serverError'],
  [500, 'the name of a spent allowance', named('serviceLimitExhausted'), 'serverError'],
  [501, 'nothing', undefined, 'serverError'],
  [502, 'markup', '<html></html>', 'unavailable'],
  [503, 'a name', named('503Error'), 'unavailable'],
  [504, 'nothing', undefined, 'unavailable'],
  [599, 'nothing', undefined, 'serverError'],
  [301, 'nothing', undefined, 'badResponse'],
  [302, 'a name', named('instanceNotFoundError'), 'badResponse'],
  [204, 'nothing', undefined, 'badResponse'],
  [418, 'a name', named('teapot'), 'badResponse'],
  [600, 'nothing', undefined, 'badResponse'],
  [NaN, 'nothing', undefined, 'badResponse'],
];

const waits: readonly (readonly [string, number, Refusal, number | undefined])[] = [
  ['a 429 without a hint: the window', 429, {}, 60_000],
  ['a 429 without a hint on a burst route: the short window', 429, { burst: true }, 10_000],
  ['a 429 with Retry-After', 429, { headers: { 'retry-after': '7' }, burst: true }, 7000],
  ['a 429 with a reset', 429, { headers: { ratelimit: 'limit=300, remaining=0, reset=7' } }, 7000],
  ['a 429 with an epoch in its message', 429, { body: named('rateLimitError', `retry at ${EPOCH_MS + 7001}`) }, 7001],
  ['a 429 with an absurd wait: the window', 429, { headers: { 'retry-after': '1000000000' } }, 60_000],
  [
    'a used-up quota, despite its hint',
    429,
    { body: named('serviceLimitExhausted'), headers: { 'retry-after': '7' } },
    undefined,
  ],
  ['a 503 without a hint', 503, {}, 300_000],
  ['a 503 that also announces its window', 503, { headers: { ratelimit: 'limit=300, remaining=9, reset=7' } }, 300_000],
  ['a 503 with Retry-After', 503, { headers: { 'retry-after': '20' } }, 20_000],
  ['a 502', 502, {}, 10_000],
  ['a 504', 504, {}, 10_000],
  ['a 500', 500, {}, 10_000],
  ['a 500 with Retry-After', 500, { headers: { 'retry-after': '1' } }, 1000],
  ['a 408', 408, {}, 10_000],
  ['a 404', 404, { headers: { 'retry-after': '7' } }, undefined],
  ['a redirect', 301, { headers: { 'retry-after': '7' } }, undefined],
];

describe('toUpstreamError', () => {
  it.each(kinds)('maps %s with %s to its kind', (status, _, body, kind) => {
    const error = refuse(status, body);
    expect([error.kind, error.status]).toStrictEqual([kind, status]);
  });

  it('treats a 429 as a used-up quota if no calls are left in the month', () => {
    expect(refuse(429, '', { headers: { 'ratelimit-remaining-month': '0', 'retry-after': '7' } }).kind).toBe(
      'quotaExhausted',
    );
    expect(refuse(429, '', { headers: { 'ratelimit-remaining-month': '1' } }).kind).toBe('rateLimited');
  });

  it.each(waits)('says when to try again after %s', (_, status, more, waitMs) => {
    expect(refuse(status, '', more).retryAtMs).toBe(waitMs === undefined ? undefined : NOW_MS + waitMs);
  });

  it('carries the facts that are known and no others', () => {
    const error = refuse(404, named('instanceNotFoundError', 'No such collection.'));
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error.message).toBe(
      'Postman has no such object, or this API key may not see it (status 404). The response says: No such collection.',
    );
    expect(Object.fromEntries(Object.entries(error))).toStrictEqual({
      name: 'UpstreamError',
      kind: 'notFound',
      route: '/collections/{uid}',
      status: 404,
      upstreamName: 'instanceNotFoundError',
    });
  });

  it('says that Postman imposed the rate limit', () => {
    expect(Object.fromEntries(Object.entries(refuse(429)))).toStrictEqual({
      name: 'UpstreamError',
      kind: 'rateLimited',
      route: '/collections/{uid}',
      status: 429,
      retryAtMs: NOW_MS + 60_000,
      limitedBy: 'upstream',
    });
  });

  it('quotes the title if there is no message, and never quotes markup', () => {
    expect(refuse(500, { title: 'Something went wrong' }).message).toBe(
      'Postman failed to process the request (status 500). The response says: Something went wrong',
    );
    expect(refuse(502, '<html>Bad Gateway</html>').message).toBe('Postman is not available (status 502).');
  });

  it('never repeats an API key, in the message or in the name', () => {
    const body = { error: 'PMAK-abc-def', message: `Key 0123abcd is bad, so is PMAT-XYZ. ${'x'.repeat(5000)}` };
    const error = refuse(401, body, { secret: '0123abcd' });
    expect(error.upstreamName).toBe('[redacted]');
    expect(error.message).toContain('Key [redacted] is bad, so is [redacted]. xxx');
    expect(error.message.length).toBeLessThan(400);
    expect(
      refuse(401, { name: 'x'.repeat(1990) + '0123456789abcdef', message: 'm' }, { secret: '0123456789abcdef' })
        .upstreamName,
    ).toBe('x'.repeat(300));
  });

  it('stays quick on bodies of many megabytes', () => {
    const text = 'could not retry PMAK '.repeat(500_000);
    expect(refuse(400, { error: { name: text, message: text, details: text } }).kind).toBe('badInput');
    expect(refuse(429, text).kind).toBe('rateLimited');
  });
});
