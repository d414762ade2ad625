import { expect, it } from 'vitest';
import { toCallFailure } from '../../../src/upstream/http/call-failure.ts';

const failWith = (code: string, more: { readonly isSent?: boolean; readonly isTimedOut?: boolean } = {}) => {
  const cause = Object.assign(new Error(`${code} 203.0.113.7:443 PMAK-canary`), { code });
  const { isSent = false, isTimedOut = false } = more;
  return toCallFailure({ route: '/me', cause, isSent, isTimedOut, timeoutMs: 60_000, retryAtMs: 77 });
};

it.each(['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO', 'ENOTFOUND'])(
  'says for %s that retrying does not help, and why',
  (code) => {
    const error = failWith(code);
    expect([error.kind, error.isConnectFailure, error.retryAtMs]).toEqual(['unreachable', true, undefined]);
    expect(error.message).toMatch(code === 'ENOTFOUND' ? /DNS: .*\(ENOTFOUND\)/ : new RegExp(`TLS: .*\\(${code}\\)`));
    expect(error.message).not.toMatch(/203|canary/);
  },
);

it.each([
  ['ECONNREFUSED', 'Could not connect to Postman: the connection was refused.'],
  ['EAI_AGAIN', 'Could not connect to Postman: its host name cannot be looked up (DNS) at the moment.'],
  ['UND_ERR_CONNECT_TIMEOUT', 'Could not connect to Postman: the attempt timed out.'],
  ['toString', 'Could not connect to Postman: the attempt failed.'],
])('says for %s when to try again', (code, message) => {
  const { kind, isConnectFailure, retryAtMs, ...error } = failWith(code);
  expect([kind, isConnectFailure, retryAtMs, failWith(code).message]).toEqual(['unavailable', true, 77, message]);
  expect(error.route).toBe('/me');
});

it('reports no connect failure for a call that had a connection', () => {
  expect([failWith('ECONNRESET', { isSent: true }), failWith('', { isSent: true, isTimedOut: true })]).toMatchObject([
    { kind: 'unavailable', message: 'The connection to Postman broke before the response was complete.' },
    { kind: 'timeout', message: 'Postman did not respond within 60000 ms.' },
  ]);
  expect(failWith('ECONNRESET', { isSent: true }).isConnectFailure).toBe(undefined);
});
