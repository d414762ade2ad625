import type { IncomingMessage, ServerResponse } from 'node:http';

/** The state of the server that health probes report. */
export interface ServerState {
  /** Whether it has begun to stop. */
  readonly isStopping: () => boolean;
  /** Whether the circuit breaker of all calls, or that of calls with the server's key, is open. */
  readonly isCircuitOpen: () => boolean;
}

/**
 * Makes the handler of health probes. It runs before all checks, because probes send neither a token nor a known
 * `Host`.
 *
 * `/healthz` (and `/health`) shows that the event loop runs. `/readyz` shows that requests are accepted: 503 once the
 * server stops. Neither fails because Postman is down: cached data is served, and another instance has the same
 * Postman.
 *
 * The handler also responds to `/favicon.ico`, which browsers request, with 204.
 *
 * @returns A function that returns true if it has responded to the request.
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
