import type { ErrorExtensions } from 'postman-graphql/errors';
import type { TypedDocumentString } from './gql/graphql.js';

/** An entry of `errors`. Requests that are not executed have other extensions, so ask `hasPostmanExtensions` first. */
export interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Partial<ErrorExtensions>;
}

/** What the server answers: what it has, and an error for each field that it has not. */
export interface Answer<Result> {
  /** undefined: the request was not executed. */
  readonly data?: Result | null;
  readonly errors?: readonly AnswerError[];
  readonly extensions?: { readonly upstream?: { readonly calls: number; readonly cached: number } };
}

/** What a request says besides its document. */
export interface AskOptions {
  /** For example `X-Api-Key`, `Prefer` or `Cache-Control`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

// In a browser there is no such thing; a bundler puts the address here.
const environment: Readonly<Record<string, string | undefined>> = typeof process === 'undefined' ? {} : process.env;
const url = environment['POSTMAN_GRAPHQL_URL'] ?? 'http://127.0.0.1:4000/graphql';
const namesDocuments = environment['PERSISTED_DOCUMENTS_ONLY'] === 'true';

/**
 * Asks the server once. The type of the answer is that of the document.
 *
 * @throws {Error} Something else than the server has answered, or nothing.
 */
export async function ask<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  options: AskOptions = {},
): Promise<Answer<Result>> {
  const response = await send(document, variables, ['application/graphql-response+json'], options);
  return (await response.json()) as Answer<Result>;
}

/**
 * Sends a document, or its id where the server executes nothing else.
 *
 * @param accept - The content types that will do, the best one first.
 * @throws {Error} Something else than the server has answered, or nothing.
 */
export async function send<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  accept: readonly string[],
  { headers = {}, signal }: AskOptions,
): Promise<Response> {
  const named = namesDocuments ? { documentId: document.__meta__?.['hash'] } : { query: document.toString() };
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: accept.join() },
    body: JSON.stringify({ ...named, variables }),
    ...(signal && { signal }),
  });
  const type = response.headers.get('content-type') ?? 'no content-type';
  if (!accept.some((accepted) => type.startsWith(accepted)))
    throw new Error(`${url} answered ${response.status} with ${type}, which is no answer of a GraphQL server.`);
  return response;
}
