import type { ServerResponse } from 'node:http';
import type { FetchAPI } from 'graphql-yoga';
import { negotiate } from './media-types.ts';

/** How the server refuses a request that it does not execute. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly code: 'BAD_REQUEST' | 'FORBIDDEN' | 'UNAUTHENTICATED' | 'INTERNAL_SERVER_ERROR';
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why requests were refused before their body was read, where the status does not say it. */
export type RefusalReasons = WeakMap<Request, 'accessToken' | 'host' | 'crossSite' | 'bodySize'>;

/** The types of GraphQL responses that are not delivered in parts. The first is for clients that accept any type. */
export const responseTypes = ['application/json', 'application/graphql-response+json'] as const;

/**
 * Makes the response to a request that is refused before its execution: a well-formed GraphQL response, in GraphQL's
 * own content type if the client prefers it (GraphQL over HTTP, section 6.4).
 */
export function toRefusalResponse(request: Request, { Response }: FetchAPI, refusal: Refusal): Response {
  const type = negotiate(request.headers.get('accept'), responseTypes) ?? responseTypes[0];
  return new Response(toRefusalBody(refusal), {
    status: refusal.status,
    headers: { 'content-type': `${type}; charset=utf-8`, ...refusal.headers },
  });
}

/** Sends a refusal of a request that Yoga never gets, and closes the connection. */
export function sendRefusal(response: ServerResponse, refusal: Refusal): void {
  response
    .writeHead(refusal.status, { 'content-type': `${responseTypes[0]}; charset=utf-8`, connection: 'close' })
    .end(toRefusalBody(refusal));
}

/** The body of a refusal: a GraphQL response with one error. */
export function toRefusalBody({ message, code }: Omit<Refusal, 'headers'>): string {
  return JSON.stringify({ errors: [{ message, extensions: { code, retryable: false } }] });
}
