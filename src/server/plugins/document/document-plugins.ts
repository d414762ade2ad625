import type { GraphQLSchema } from 'graphql';
import type { Config } from '../../../config/config.ts';
import type { Calls } from '../../../upstream/calls/calls.ts';
import type { RequestRecord } from '../../operation/request-record.ts';
import { readPersistedDocuments } from './read-persisted-documents.ts';
import { createStoredQueries } from './stored-queries.ts';
import { useParsedDocuments } from './use-parsed-documents.ts';
import { usePersistedDocuments } from './use-persisted-documents.ts';
import { queryLimits } from './use-query-limits.ts';

/**
 * Reads the persisted documents, and makes the plugins that find documents by id, cache parsed ones, and check others.
 *
 * @throws {Error} A persisted document is invalid.
 */
export async function createDocumentPlugins(
  config: Config,
  schema: GraphQLSchema,
  recordOf: (request: Request) => RequestRecord | undefined,
  calls: Calls,
) {
  const { persistedDocuments, query } = config;
  const persisted = usePersistedDocuments({
    documents: persistedDocuments && (await readPersistedDocuments(persistedDocuments.file, schema)),
    only: persistedDocuments?.only ?? false,
    stored: createStoredQueries(query.persistedQueryBytesPerKey, query.persistedQueryBytes),
    recordOf,
    calls,
  });
  return [persisted, useParsedDocuments(query.documentCacheBytes, queryLimits(config))] as const;
}
