import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../../config/config.ts';
import { isAllowedHost, isLoopbackAddress } from '../../config/addresses.ts';
import { isBearer } from '../http/bearer.ts';

/** What the metrics port serves. */
export interface MetricsContent {
  /** Content type of `metrics`. */
  readonly contentType: string;
  /** Writes all metrics. */
  readonly metrics: () => Promise<string>;
  /** Lists the keys that use most. */
  readonly keys: () => Promise<object>;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const toText = (status: number, text: string, headers: Reply['headers'] = {}): Reply => ({
  status,
  type: 'text/plain; charset=utf-8',
  text: `${text}\n`,
  headers,
});

/**
 * Makes the handler of the metrics port: `/metrics` for everyone who reaches the port, since its figures are those of
 * all clients together. `/metrics/keys` shows single keys: it needs the access token, or, if there is none, a client
 * on this machine.
 *
 * Requests that come while the same content is being made get the same content, so many scrapes cost one.
 */
export function createMetricsHandler(
  { metrics: listen, access }: Pick<Config, 'metrics' | 'access'>,
  { contentType, metrics, keys }: MetricsContent,
) {
  const checksHost = isLoopbackAddress(listen?.host ?? '');
  const readMetrics = shared(async () => ({ status: 200, type: contentType, text: await metrics() }));
  const readKeys = shared(async () => ({
    status: 200,
    type: 'application/json; charset=utf-8',
    text: `${JSON.stringify({ keys: await keys() })}\n`,
  }));

  const reply = ({ method, url = '', headers, socket }: IncomingMessage): Reply | Promise<Reply> => {
    // A web page whose own name resolves to loopback must not read this (DNS rebinding).
    if (checksHost && !isAllowedHost(headers.host, access.allowedHosts))
      return toText(
        403,
        'This port is on loopback and does not accept this Host. To accept it, add it to ALLOWED_HOSTS.',
      );
    if (method !== 'GET' && method !== 'HEAD') return toText(405, 'Use GET.', { allow: 'GET, HEAD' });
    switch (url.split('?', 1)[0]) {
      case '/metrics':
        return readMetrics();
      case '/metrics/keys':
        if (access.tokens.length === 0 && !isLoopbackAddress(toIpv4(socket.remoteAddress)))
          return toText(403, 'Without ACCESS_TOKEN, only clients on this machine may read this.');
        if (access.tokens.length > 0 && !isBearer(headers.authorization, access.tokens))
          return toText(401, 'Send the access token: Authorization: Bearer <token>.', { 'www-authenticate': 'Bearer' });
        return readKeys();
      default:
        return toText(404, 'There are /metrics and /metrics/keys.');
    }
  };

  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const { status, type, text, headers } = await reply(request);
    response.writeHead(status, {
      ...headers,
      'cache-control': 'no-store',
      'content-type': type,
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  };

  return (request: IncomingMessage, response: ServerResponse): void => {
    respond(request, response).catch(() => {
      // Only a part of the library can fail here. The port must not end the process.
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  };
}

/** On a socket for both families, the address of an IPv4 client has a prefix. */
const toIpv4 = (address = '') => address.replace(/^::ffff:/i, '');

/** Shares a promise between calls that come before it settles. */
function shared<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let pending: Promise<Value> | undefined;
  return () => {
    pending ??= make().finally(() => {
      pending = undefined;
    });
    return pending;
  };
}
