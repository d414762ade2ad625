import { UpstreamError } from './upstream-error.ts';

/** A call that got no complete response. */
export interface FailedCall {
  /** The route's template. */
  readonly route: string;
  /** The error that was caught. */
  readonly cause: unknown;
  /** The call had a connection, so it may have reached Postman. */
  readonly isSent: boolean;
  /** The call was aborted because `timeoutMs` had passed. */
  readonly isTimedOut: boolean;
  readonly timeoutMs: number;
  /** When the call may be tried again (monotonic ms). */
  readonly retryAtMs: number;
}

// Node's X.509 error codes, https://nodejs.org/api/tls.html#x509-certificate-error-codes, except those that TLS_CODE
// covers by their prefix.
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'AKID_ISSUER_SERIAL_MISMATCH',
  'AKID_SKID_MISMATCH',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'SUBJECT_ISSUER_MISMATCH',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const TLS_CODE = /^(?:CERT_|CRL_|ERR_SSL_|ERR_TLS_|EPROTO$)/;

const CONNECT_FAILURES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ECONNREFUSED: 'the connection was refused',
    ECONNRESET: 'the connection was reset before it could be used',
    EAI_AGAIN: 'its host name cannot be looked up (DNS) at the moment',
    ETIMEDOUT: 'the attempt timed out',
    UND_ERR_CONNECT_TIMEOUT: 'the attempt timed out',
    EHOSTUNREACH: 'there is no route to its host',
    ENETUNREACH: 'there is no route to its network',
  }),
);

/**
 * Creates the error for a call that got no complete response.
 *
 * @returns `timeout` if a sent call ran out of time; `unavailable` if its connection broke, or none could be made;
 *   `unreachable` if only a change can help (a certificate, a host name, TLS itself). The message names the cause, but
 *   no address.
 */
export function toCallFailure({ route, cause, isSent, isTimedOut, timeoutMs, retryAtMs }: FailedCall): UpstreamError {
  const details = { route, retryAtMs, cause };
  if (isSent) {
    return isTimedOut
      ? new UpstreamError('timeout', `Postman did not respond within ${timeoutMs} ms.`, details)
      : new UpstreamError('unavailable', 'The connection to Postman broke before the response was complete.', details);
  }
  const code = codeOf(cause);
  const isTls = CERTIFICATE_CODES.has(code) || TLS_CODE.test(code);
  if (isTls || code === 'ENOTFOUND') {
    const problem = isTls
      ? `TLS: the server at its address has no accepted certificate, or does not speak TLS (${code})`
      : `DNS: its host name is not known (${code})`;
    return new UpstreamError('unreachable', `Cannot connect to Postman. ${problem}. Retrying does not help.`, {
      route,
      cause,
      isConnectFailure: true,
    });
  }
  return new UpstreamError(
    'unavailable',
    `Could not connect to Postman: ${CONNECT_FAILURES.get(code) ?? 'the attempt failed'}.`,
    {
      ...details,
      isConnectFailure: true,
    },
  );
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}
