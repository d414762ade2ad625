import type { IncomingMessage } from 'node:http';

/** A request, as far as the service looks at it. */
export interface ReceivedRequest {
  readonly method: string | undefined;
  readonly path: string;
  readonly pathAndQuery: string;
  readonly query: URLSearchParams;
  /** Method, path and query exactly as sent, but for the value of an `apikey` parameter. */
  readonly requestLine: string;
  /** The API key; undefined: there is none. */
  readonly sentKey: string | undefined;
  /** Where the API key stood; the header comes before the query. */
  readonly keyIn: 'header' | 'query' | 'none';
  /** Header names in lower case; the key's value is `[redacted]`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads a request but for its body. */
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
