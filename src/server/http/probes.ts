import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LimiterMode } from '../shared-slots.ts';

/** What health probes report of the parts that call Postman. */
export interface ProbedState {
  /** Whether the circuit breaker of all calls, or that of calls with the server's key, is open. */
  readonly isCircuitOpen: () => boolean;
  readonly state: { readonly limiterMode: () => LimiterMode };
}

/**
 * Makes the handler of health probes. It runs before all checks, because probes send neither a token nor a known
 * `Host`.
 *
 * `/healthz` (and `/health`) shows that the event loop runs. `/readyz` shows that requests are accepted: 503 once the
 * server stops. Neither fails because Postman or Redis is down: cached data is served, and another instance has the same
 * Postman and Redis. The body of `/readyz` reports their state; `redis` is absent without `REDIS_URL`.
 *
 * The handler also responds to `/favicon.ico`, which browsers request, with 204.
 *
 * @param isStopping - Whether the server has begun to stop.
 * @returns A function that returns true if it has responded to the request.
 */
export function createProbes(isStopping: () => boolean, { isCircuitOpen, state }: ProbedState) {
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
        return respond(200, {
          status: 'ready',
          circuitBreaker: isCircuitOpen() ? 'open' : 'closed',
          ...toRedisState(state.limiterMode()),
        });
      case '/favicon.ico':
        return respond(204);
      default:
        return false;
    }
  };
}

function toRedisState(mode: LimiterMode): { readonly redis?: 'up' | 'down' } {
  return mode === 'process' ? {} : { redis: mode === 'shared' ? 'up' : 'down' };
}
