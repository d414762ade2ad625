import { readFile } from 'node:fs/promises';
import { usePersistedOperations } from '@graphql-yoga/plugin-persisted-operations';
import { type GraphQLSchema, parse, specifiedRules, validate } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { isJsonObject } from '../../../upstream/collection-format/syntax/json.ts';
import { serverRules } from './use-query-limits.ts';

/** GraphQL documents by the id that clients send instead of them. */
export type PersistedDocuments = ReadonlyMap<string, string>;

/**
 * Reads the persisted documents, and validates each against the schema at startup, because clients cannot correct them.
 *
 * @param file - A JSON object of texts by id, as GraphQL Code Generator's client preset writes it.
 * @throws {Error} Its message names the file, and the first document that cannot be executed.
 */
export async function readPersistedDocuments(file: string, schema: GraphQLSchema): Promise<PersistedDocuments> {
  const json = await readJson(file);
  if (!isJsonObject(json))
    throw new TypeError(`${file} (PERSISTED_DOCUMENTS) is not a JSON object of documents by id.`);
  const documents = new Map<string, string>();
  for (const [id, text] of Object.entries(json)) {
    const problem = typeof text === 'string' ? findProblem(text, schema) : 'is not text';
    if (problem !== undefined) throw new TypeError(`${file} (PERSISTED_DOCUMENTS): the document "${id}" ${problem}.`);
    documents.set(id, String(text));
  }
  return documents;
}

/**
 * Makes the plugin that replaces the id of a document by the document. The id is in `documentId` or, as Apollo sends
 * it, in `extensions.persistedQuery.sha256Hash`.
 *
 * @param only - Execute only persisted documents.
 * @param onDocument - Called with the id when a request names a persisted document.
 */
export function usePersistedDocuments(
  documents: PersistedDocuments,
  only: boolean,
  onDocument: (request: Request, id: string) => void,
): Plugin {
  const toRefusal = (message: string, code: string, status: number) => ({
    message,
    extensions: { code, retryable: false, http: { status } },
  });
  return usePersistedOperations({
    allowArbitraryOperations: !only,
    extractPersistedOperationId: idOf,
    getPersistedOperation(id, request) {
      const document = documents.get(id);
      if (document !== undefined) onDocument(request, id);
      return document ?? null;
    },
    customErrors: {
      notFound: toRefusal('There is no persisted document with this id.', 'PERSISTED_DOCUMENT_NOT_FOUND', 404),
      keyNotFound: toRefusal('The request has neither a query nor the id of a persisted document.', 'BAD_REQUEST', 400),
      persistedQueryOnly: toRefusal(
        'This server executes only persisted documents.',
        'PERSISTED_DOCUMENT_REQUIRED',
        403,
      ),
    },
  });
}

/** Request parameters in addition to those of GraphQL over HTTP. */
export const persistedDocumentParams = ['documentId'];

function idOf(params: GraphQLParams): string | null {
  const { documentId } = params as { readonly documentId?: unknown };
  if (typeof documentId === 'string') return documentId;
  const persisted: unknown = params.extensions?.['persistedQuery'];
  const hash = isJsonObject(persisted) ? persisted['sha256Hash'] : undefined;
  return typeof hash === 'string' ? hash : null;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new TypeError(`${file} (PERSISTED_DOCUMENTS) cannot be read: ${toMessage(error)}`, { cause: error });
  }
}

const toMessage = (error: unknown) => (error instanceof Error ? error.message : String(error));

function findProblem(text: string, schema: GraphQLSchema): string | undefined {
  try {
    const [error] = validate(schema, parse(text), [...specifiedRules, ...serverRules]);
    return error && `does not fit the schema: ${error.message}`;
  } catch (error) {
    return `cannot be read: ${toMessage(error)}`;
  }
}
