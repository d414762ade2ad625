import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type GraphQLSchema, parse, specifiedRules, validate } from 'graphql';
import { isJsonObject, type JsonObject } from '../../../upstream/collection-format/syntax/json.ts';
import { serverRules } from './use-query-limits.ts';

/** GraphQL documents that clients can request by id. */
export interface PersistedDocuments {
  /**
   * Finds the text of a document.
   *
   * @param id - Its id in the file, or the SHA-256 of its text in lower-case hex, each with or without `sha256:`.
   */
  find(id: string): string | undefined;
}

const APOLLO_FORMAT = 'apollo-persisted-query-manifest';
const HASH_PREFIX = 'sha256:';

/**
 * Reads the persisted documents, and validates each against the schema at startup, because clients cannot correct them.
 *
 * @param file - A JSON file: an object of texts by id, as GraphQL Code Generator's client preset and Relay's compiler
 *   write it, or a manifest of Apollo's `generate-persisted-query-manifest`.
 * @throws {Error} Its message names the file, and the first document that cannot be executed.
 */
export async function readPersistedDocuments(file: string, schema: GraphQLSchema): Promise<PersistedDocuments> {
  const json = await readJson(file);
  if (!isJsonObject(json))
    throw new TypeError(`${file} (PERSISTED_DOCUMENTS) is not a JSON object of documents by id.`);
  const byId = new Map<string, string>();
  const byHash = new Map<string, string>();
  for (const [id, text] of entriesOf(json, file)) {
    const problem = typeof text === 'string' ? findProblem(text, schema) : 'is not text';
    if (problem !== undefined) throw new TypeError(`${file} (PERSISTED_DOCUMENTS): the document "${id}" ${problem}.`);
    const document = String(text);
    if ((byId.get(id) ?? document) !== document) {
      throw new TypeError(`${file} (PERSISTED_DOCUMENTS): two documents have the id "${id}".`);
    }
    byId.set(id, document);
    byHash.set(toSha256(document), document);
  }
  return {
    find(id) {
      const hash = hashIn(id);
      return byId.get(id) ?? byId.get(hash) ?? byId.get(`${HASH_PREFIX}${hash}`) ?? byHash.get(hash);
    },
  };
}

/** The lower-case hex of the SHA-256 of a document's text in UTF-8, as in ids with the prefix `sha256:`. */
export function toSha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** An id without the prefix `sha256:`. */
export function hashIn(id: string): string {
  return id.startsWith(HASH_PREFIX) ? id.slice(HASH_PREFIX.length) : id;
}

function entriesOf(json: JsonObject, file: string): readonly (readonly [id: string, text: unknown])[] {
  const { format, version, operations } = json;
  // A manifest; in a map, the document of the id "format" has braces.
  if (typeof format !== 'string' || !Array.isArray(operations)) return Object.entries(json);
  if (format !== APOLLO_FORMAT || version !== 1) {
    throw new TypeError(
      `${file} (PERSISTED_DOCUMENTS) has the format "${format}", version ${JSON.stringify(version)}; ` +
        `the server reads "${APOLLO_FORMAT}", version 1, and objects of documents by id.`,
    );
  }
  return operations.map((operation: unknown, index) => {
    if (!isJsonObject(operation) || typeof operation['id'] !== 'string') {
      throw new TypeError(`${file} (PERSISTED_DOCUMENTS): the operation ${index + 1} has no id.`);
    }
    return [operation['id'], operation['body']] as const;
  });
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
