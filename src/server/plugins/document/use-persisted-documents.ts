import { createGraphQLError, type Plugin } from 'graphql-yoga';
import { isJsonObject } from '../../../upstream/collection-format/syntax/json.ts';
import { type RequestParams, toBadRequest } from '../request/request-params.ts';
import { hashIn, type PersistedDocuments, toSha256 } from './read-persisted-documents.ts';
import type { Calls } from '../../../upstream/calls/calls.ts';
import type { RequestRecord } from '../../operation/request-record.ts';
import type { StoredQueries } from './stored-queries.ts';

/** What the plugin knows of the operations that it serves. */
export interface PersistedDocumentOptions {
  /** Absent: the operator has persisted no documents. */
  readonly documents: PersistedDocuments | undefined;
  /** Execute only persisted documents. */
  readonly only: boolean;
  /** Absent: the server stores no automatic persisted queries. */
  readonly stored: StoredQueries | undefined;
  readonly recordOf: (request: Request) => RequestRecord | undefined;
  readonly calls: Pick<Calls, 'fairShareOf'>;
}

/** A query to be stored once it has been executed. */
interface NewQuery {
  readonly sha256: string;
  readonly text: string;
}

/**
 * Makes the plugin that replaces the id of a document by the document: `documentId`, `doc_id` as Relay sends it, or
 * `extensions.persistedQuery.sha256Hash` as Apollo sends it. Unknown hashes of Apollo get the errors that Apollo's
 * protocol of automatic persisted queries names, so that its clients send the text instead, and the server stores that
 * text for the API key if `stored` is there.
 */
export function usePersistedDocuments(options: PersistedDocumentOptions): Plugin {
  const { documents, only, stored, recordOf, calls } = options;
  const newQueries = new WeakMap<Request, NewQuery>();

  const find = (request: Request, id: string): string | undefined => {
    const record = recordOf(request);
    const document = documents?.find(id);
    if (document === undefined) return record?.caller ? stored?.get(record.caller.keyHash, hashIn(id)) : undefined;
    if (record) record.documentId = id;
    return document;
  };

  /** Checks the text of a request. One that comes with its hash is stored later. */
  const checkText = (request: Request, text: string, sha256: string | undefined) => {
    if (only) throw toRefusal('This server executes only persisted documents.', 'PERSISTED_DOCUMENT_REQUIRED', 403);
    if (sha256 === undefined || !stored) return;
    if (toSha256(text) !== sha256) {
      throw toRefusal('provided sha does not match query', 'PERSISTED_QUERY_HASH_MISMATCH', 400);
    }
    newQueries.set(request, { sha256, text });
    const record = recordOf(request);
    if (record) record.mustExecute = true;
  };

  return {
    onParams({ request, params, setParams }) {
      const { documentId, doc_id: relayId, ...rest } = params as RequestParams;
      const sha256 = apolloHashIn(rest);
      if (rest.query !== undefined) {
        checkText(request, rest.query, sha256);
        setParams(rest);
        return;
      }
      const id = documentId ?? relayId ?? sha256;
      if (id === undefined) {
        throw toBadRequest('The request has neither a query nor the id of a persisted document.');
      }
      const query = find(request, id);
      if (query === undefined) throw toNotFound(id === sha256, options);
      setParams({ ...rest, query });
    },

    onExecute({ args: { contextValue } }) {
      const { request } = contextValue as { readonly request: Request };
      const query = newQueries.get(request);
      if (!query) return undefined;
      return {
        // A key that Postman has not accepted could be made up, so its queries would take the memory of others.
        onExecuteDone() {
          const { caller, operation } = recordOf(request) ?? {};
          const isAccepted = caller && operation && calls.fairShareOf(operation) === caller.keyHash;
          if (isAccepted) stored?.set(caller.keyHash, query.sha256, query.text);
        },
      };
    },
  };
}

/** The hash that Apollo's clients send. @throws {GraphQLError} For another version of their protocol. */
function apolloHashIn({ extensions }: RequestParams): string | undefined {
  const persisted: unknown = extensions?.['persistedQuery'];
  if (!isJsonObject(persisted)) return undefined;
  const { version, sha256Hash } = persisted;
  if (version !== undefined && version !== 1) throw toBadRequest('Unsupported persisted query version');
  return typeof sha256Hash === 'string' ? sha256Hash : undefined;
}

function toNotFound(isApolloHash: boolean, { documents, stored }: PersistedDocumentOptions) {
  if (!isApolloHash) {
    return documents || stored
      ? toRefusal('There is no persisted document with this id.', 'PERSISTED_DOCUMENT_NOT_FOUND', 404)
      : toBadRequest('This server has no persisted documents. Send the text of the document as "query".');
  }
  // Clients of Apollo compare the messages, too. Some of them read the body of a response in JSON only with status 200.
  return documents || stored
    ? toRefusal('PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND', 404, { spec: true })
    : toRefusal('PersistedQueryNotSupported', 'PERSISTED_QUERY_NOT_SUPPORTED', 400, { spec: true });
}

/** @param http - With `spec`, the status is 200 for clients that accept JSON only (GraphQL over HTTP, section 6.4.1). */
function toRefusal(message: string, code: string, status: number, http: { readonly spec?: true } = {}) {
  return createGraphQLError(message, { extensions: { code, retryable: false, http: { ...http, status } } });
}
