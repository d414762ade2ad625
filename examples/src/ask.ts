import type { ErrorExtensions } from 'postman-graphql/errors';
import type { TypedDocumentString } from './gql/graphql.js';

/** An entry of `errors`. Requests that are not executed have other extensions: check `hasPostmanExtensions` first. */
export interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Partial<ErrorExtensions>;
}

/** A GraphQL response: the data, and an error for each field that could not be read. */
export interface Answer<Result> {
  /** undefined: the request was not executed. */
  readonly data?: Result | null;
  readonly errors?: readonly AnswerError[];
  readonly extensions?: { readonly upstream?: { readonly calls: number; readonly cached: number } };
}

/** Options of a request. */
export interface AskOptions {
  /** For example `X-Api-Key`, `Prefer` or `Cache-Control`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

// A browser has no `process`; a bundler inserts the address here.
const environment: Readonly<Record<string, string | undefined>> = typeof process === 'undefined' ? {} : process.env;
const url = environment['POSTMAN_GRAPHQL_URL'] ?? 'http://127.0.0.1:4000/graphql';
const namesDocuments = environment['PERSISTED_DOCUMENTS_ONLY'] === 'true';

/**
 * Sends one operation. The document determines the type of the answer.
 *
 * @throws {Error} If the response is not from the GraphQL server, or if there is none.
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
 * Sends a document, or only its id if the server executes only persisted documents.
 *
 * @param accept - The accepted content types, in order of preference.
 * @throws {Error} If the response is not from the GraphQL server, or if there is none.
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
    throw new Error(`${url} responded ${response.status} with ${type}, which is not a GraphQL response.`);
  return response;
}
