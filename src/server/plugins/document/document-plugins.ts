import type { GraphQLSchema } from 'graphql';
import type { Config } from '../../../config/config.ts';
import type { Calls } from '../../../upstream/calls/calls.ts';
import type { RequestRecord } from '../../operation/request-record.ts';
import { readPersistedDocuments } from './read-persisted-documents.ts';
import { createStoredQueries } from './stored-queries.ts';
import { usePersistedDocuments } from './use-persisted-documents.ts';

/**
 * Reads the persisted documents, and makes the plugin that finds documents by id.
 *
 * @throws {Error} A persisted document is invalid.
 */
export async function createDocumentPlugin(
  { persistedDocuments, query }: Config,
  schema: GraphQLSchema,
  recordOf: (request: Request) => RequestRecord | undefined,
  calls: Calls,
) {
  return usePersistedDocuments({
    documents: persistedDocuments && (await readPersistedDocuments(persistedDocuments.file, schema)),
    only: persistedDocuments?.only ?? false,
    stored: createStoredQueries(query.persistedQueryBytesPerKey, query.persistedQueryBytes),
    recordOf,
    calls,
  });
}
