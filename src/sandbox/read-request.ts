import type { IncomingMessage } from 'node:http';

/** The parts of a request that the service uses. */
export interface ReceivedRequest {
  readonly method: string | undefined;
  readonly path: string;
  readonly pathAndQuery: string;
  readonly query: URLSearchParams;
  /** Method, path and query as sent, with the value of an `apikey` parameter redacted. */
  readonly requestLine: string;
  /** The API key; undefined if the request has none. */
  readonly sentKey: string | undefined;
  /** Where the API key was sent. The header takes precedence over the query. */
  readonly keyIn: 'header' | 'query' | 'none';
  /** Names are in lower case. The value of `x-api-key` is `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads a request's line and headers, not its body. */
export function readRequest({ method, url: pathAndQuery = '/', headers }: IncomingMessage): ReceivedRequest {
  const [path = '', ...search] = pathAndQuery.split('?');
  const query = new URLSearchParams(search.join('?'));
  const headerKey = headers['x-api-key'];
  const isInHeader = typeof headerKey === 'string';
  const sentKey = isInHeader ? headerKey : (query.get('apikey') ?? undefined);
  return {
    method,
    path,
    pathAndQuery,
    query,
    requestLine: `${method} ${pathAndQuery.replace(/([?&]apikey=)[^&]*/i, '$1[redacted]')}`,
    sentKey,
    keyIn: sentKey === undefined ? 'none' : isInHeader ? 'header' : 'query',
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, name === 'x-api-key' ? '[redacted]' : String(value)]),
    ),
  };
}
