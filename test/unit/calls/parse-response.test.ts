import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { UnexpectedShapeError } from '../../../src/upstream/postman/resources/body.ts';
import { parseResponse } from '../../../src/upstream/calls/parse-response.ts';
import { parseThrottleHeaders } from '../../../src/upstream/http/retry-after.ts';
import { toHttpResponse } from '../../support/http-response.ts';

const route = { template: '/thing/{id}', routeClass: 'general' } as const;
// When it came makes no difference here.
const head = { throttle: parseThrottleHeaders({}, 0), receivedAtMs: 0, secret: 'key' };
const CANARY = 'canary-5f1c';

/** What an answer with this body fails with. */
const fail = (text: string, contentType: string, parse: (body: unknown) => unknown = (body) => body) =>
  parseResponse(
    toHttpResponse({ status: 200, headers: { 'content-type': contentType }, text }),
    { route, parse },
    head,
  ).then(
    () => expect.unreachable('an answer'),
    (error: unknown) => error,
  );

describe('an answer that cannot be read', () => {
  it.each([
    ['no JSON by its type', () => fail(`<p>${CANARY}</p>`, 'text/html')],
    ['no JSON', () => fail(`{"a":"${CANARY}",}`, 'application/json')],
    ['JSON that is cut off', () => fail(`{"a":"${CANARY}`, 'application/json')],
    ['one word', () => fail(CANARY, 'application/json')],
    [
      'JSON of another shape',
      () =>
        fail(`{"a":"${CANARY}"}`, 'application/json', () => {
          throw new UnexpectedShapeError('The response has no object "thing".');
        }),
    ],
  ])('(%s) is an error that quotes nothing of it, however deep one looks', async (what, answer) => {
    const error = await answer();
    const kind = what === 'JSON of another shape' ? 'badResponse' : 'serverError';
    expect(error).toMatchObject({ kind, route: '/thing/{id}', status: 200 });
    expect(inspect(error, { depth: 30, showHidden: true, getters: true })).not.toContain(CANARY);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'application/problem+json', 'Application/JSON'])(
    'is none with the type %s',
    async (contentType) => {
      const answer = toHttpResponse({ status: 200, headers: { 'content-type': contentType }, text: '{"a":1}' });
      expect(await parseResponse(answer, { route, parse: (body) => body }, head)).toEqual({ a: 1 });
    },
  );
});
