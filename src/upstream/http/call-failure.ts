import { UpstreamError } from './upstream-error.ts';

/** A call without an answer. */
export interface FailedCall {
  /** The route's template. */
  readonly route: string;
  /** What was thrown. */
  readonly cause: unknown;
  /** There was a connection on which it was sent: it may have reached upstream. */
  readonly isSent: boolean;
  /** Its time was over. */
  readonly isTimedOut: boolean;
  /** What its time was, in milliseconds. */
  readonly timeoutMs: number;
  /** When it may be tried again. */
  readonly retryAtMs: number;
}

// Node's list of X.509 errors (https://nodejs.org/api/tls.html#x509-certificate-error-codes); all others of TLS begin with one of the prefixes.
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
    ECONNREFUSED: 'it was refused',
    ECONNRESET: 'it was reset before it could be used',
    EAI_AGAIN: 'the name of its host (DNS) could not be looked up now',
    ETIMEDOUT: 'it was not made in time',
    UND_ERR_CONNECT_TIMEOUT: 'it was not made in time',
    EHOSTUNREACH: 'there is no way to its host',
    ENETUNREACH: 'there is no way to its network',
  }),
);

/**
 * Makes the error of a call that got no answer, by what has become of its connection.
 *
 * @returns `unreachable` where somebody has to change something (a certificate, a name, TLS itself); `unavailable` where there was no connection, or it
 *   broke; `timeout`. The message names the cause, and no address.
 */
export function toCallFailure({ route, cause, isSent, isTimedOut, timeoutMs, retryAtMs }: FailedCall): UpstreamError {
  const details = { route, retryAtMs, cause };
  if (isSent) {
    return isTimedOut
      ? new UpstreamError('timeout', `Postman did not answer within ${timeoutMs} ms.`, details)
      : new UpstreamError('unavailable', 'The connection to Postman broke before the answer was complete.', details);
  }
  const code = codeOf(cause);
  const isTls = CERTIFICATE_CODES.has(code) || TLS_CODE.test(code);
  if (isTls || code === 'ENOTFOUND') {
    const problem = isTls
      ? `TLS: what answers at its address has no certificate that is accepted, or speaks no TLS (${code})`
      : `DNS: the name of its host is not known (${code})`;
    return new UpstreamError(
      'unreachable',
      `No connection to Postman can be made. ${problem}. Waiting does not mend it.`,
      {
        route,
        cause,
        isConnectFailure: true,
      },
    );
  }
  return new UpstreamError(
    'unavailable',
    `No connection to Postman was made: ${CONNECT_FAILURES.get(code) ?? 'it failed'}.`,
    {
      ...details,
      isConnectFailure: true,
    },
  );
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}
