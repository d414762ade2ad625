import type { FetchAPI } from 'graphql-yoga';

/** How the server refuses a request that it does not execute. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly code: 'BAD_REQUEST' | 'FORBIDDEN' | 'UNAUTHENTICATED';
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why requests were refused before their body was read, where the status does not say it. */
export type RefusalReasons = WeakMap<Request, 'accessToken' | 'host' | 'crossSite'>;

const GRAPHQL_TYPE = 'application/graphql-response+json';

/**
 * Makes the response to a request that is refused before its execution: a well-formed GraphQL response, in GraphQL's
 * own content type if the client accepts it (GraphQL over HTTP, section 6.4).
 */
export function toRefusalResponse(
  request: Request,
  { Response }: FetchAPI,
  { status, message, code, headers }: Refusal,
): Response {
  const accept = request.headers.get('accept') ?? '';
  const type = accept.toLowerCase().includes(GRAPHQL_TYPE) ? GRAPHQL_TYPE : 'application/json';
  return new Response(JSON.stringify({ errors: [{ message, extensions: { code, retryable: false } }] }), {
    status,
    headers: { 'content-type': `${type}; charset=utf-8`, ...headers },
  });
}
