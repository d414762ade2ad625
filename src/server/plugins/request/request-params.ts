import { createGraphQLError, type GraphQLParams } from 'graphql-yoga';
import { parseMediaTypes } from '../../http/media-types.ts';
import { isJsonObject, type JsonObject } from '../../../upstream/collection-format/syntax/json.ts';

/**
 * The parameters of a GraphQL request. Null stands for a missing one, and so does the empty text of a parameter in a
 * URL; parameters of other names are left out.
 */
export interface RequestParams extends GraphQLParams {
  /** Id of a persisted document (GraphQL over HTTP, appendix A). */
  readonly documentId?: string;
  /** The same, as Relay's documentation names it. */
  readonly doc_id?: string;
}

/** Reads the parameters from the text of a body. */
export type ReadParams = (text: string) => RequestParams;

const textNames = ['query', 'operationName', 'documentId', 'doc_id'] as const;
const objectNames = ['variables', 'extensions'] as const;
const READ_CHARSETS = ['utf-8', 'utf8', 'us-ascii'];

/**
 * Returns how to read the body of a POST request.
 *
 * @param contentType - The header `Content-Type`.
 * @returns undefined for a type or an encoding that the server does not read.
 */
export function bodyReaderOf(contentType: string | null): ReadParams | undefined {
  const [media] = parseMediaTypes(contentType ?? '');
  // Text in another encoding would be read as other text.
  if (!READ_CHARSETS.includes(media?.parameters.get('charset')?.toLowerCase() ?? 'utf-8')) return undefined;
  switch (media?.type) {
    case 'application/json':
    case 'application/graphql+json':
      return (text) => toParams(parseJson(text, 'The request body'));
    case 'application/graphql':
      return (query) => ({ query });
    case 'application/x-www-form-urlencoded':
      return readQueryString;
    default:
      return undefined;
  }
}

/** Reads the parameters from the query of a URL, or from a form. `variables` and `extensions` are JSON. */
export const readQueryString: ReadParams = (text) => {
  const given = new URLSearchParams(text);
  const params: Record<string, unknown> = {};
  for (const name of textNames) params[name] = given.get(name) || undefined;
  for (const name of objectNames) {
    const json = given.get(name);
    if (json) params[name] = parseJson(json, `The parameter "${name}"`);
  }
  return toParams(params);
};

function parseJson(text: string, what: string): unknown {
  try {
    // Some clients send a byte order mark, which RFC 8259 allows a parser to ignore.
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
  } catch {
    throw toBadRequest(`${what} is not valid JSON.`);
  }
}

/**
 * Checks the types of the parameters. The specifications reserve all other names for later versions, which a server
 * that does not know them ignores: without `onError`, for example, errors propagate as always.
 */
function toParams(given: unknown): RequestParams {
  if (Array.isArray(given)) throw toBadRequest('Batching is not supported.');
  if (!isJsonObject(given)) throw toBadRequest('The request body is not a JSON object.');
  const known: Record<string, unknown> = {};
  for (const name of textNames) note(known, given, name, 'text', (value) => typeof value === 'string');
  for (const name of objectNames) note(known, given, name, 'an object', isJsonObject);
  return known;
}

function note(
  known: Record<string, unknown>,
  given: JsonObject,
  name: string,
  expected: string,
  fits: (value: unknown) => boolean,
): void {
  const value = Object.hasOwn(given, name) ? given[name] : undefined;
  if (value === null || value === undefined) return;
  if (!fits(value)) throw toBadRequest(`The parameter "${name}" is not ${expected}.`);
  known[name] = value;
}

/** Makes the error for a request that is not a GraphQL request. Its status is 400, whatever the client accepts. */
export function toBadRequest(message: string) {
  return createGraphQLError(message, { extensions: { code: 'BAD_REQUEST', retryable: false, http: { status: 400 } } });
}
