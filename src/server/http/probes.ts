import type { IncomingMessage, ServerResponse } from 'node:http';

/** What probes are told of the server. */
export interface ServerState {
  /** Whether it has been told to stop. */
  readonly isStopping: () => boolean;
  /** Whether the circuit breaker of upstream is open: of everybody's calls, or of those with the server's own key. */
  readonly isCircuitOpen: () => boolean;
}

/**
 * Makes what answers the probes of those who run the server, before anything else is looked at: neither a token nor a `Host` is asked for,
 * because probes send none.
 *
 * `/healthz` (and `/health`) says that the event loop turns. `/readyz` says that requests are taken: 503 once the server stops. That Postman is down is
 * no reason for either: what is cached is served, and another instance has the same Postman.
 *
 * @returns Whether the request was one of these; then it has been answered. An icon, which browsers ask for, is none.
 */
export function createProbes({ isStopping, isCircuitOpen }: ServerState) {
  return ({ method, url = '' }: IncomingMessage, response: ServerResponse): boolean => {
    if (method !== 'GET') return false;
    const respond = (status: number, body?: object) => {
      const text = body && `${JSON.stringify(body)}\n`;
      response.writeHead(status, {
        'cache-control': 'no-store',
        ...(text && { 'content-type': 'application/json; charset=utf-8', 'content-length': text.length }),
      });
      response.end(text);
      return true;
    };
    switch (url.split('?', 1)[0]) {
      case '/healthz':
      case '/health':
        return respond(200, { status: 'ok' });
      case '/readyz':
        if (isStopping()) return respond(503, { status: 'stopping' });
        return respond(200, { status: 'ready', circuitBreaker: isCircuitOpen() ? 'open' : 'closed' });
      case '/favicon.ico':
        return respond(204);
      default:
        return false;
    }
  };
}
