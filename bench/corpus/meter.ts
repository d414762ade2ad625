import type { GraphQLSchema } from 'graphql';
import { type JsonRecord, toRecord, toRecords } from './json.ts';
import { findNullLists } from './null-lists.ts';
import type { GraphQLResponse, SendQuery } from './served-folder.ts';

/** Asks the queries about one file, and adds up what came of them. */
export interface Meter {
  /** @returns The object under the one field that the query has. */
  query(query: string, variables?: object): Promise<JsonRecord>;
  /** @returns All `data`. */
  queryAll(query: string): Promise<JsonRecord>;
  /**
   * Asks for one page after the other. Where the server finds a page too large to answer, it does as the server says: it asks for
   * half as much, from then on.
   *
   * @param query - Has the variables `first` and `after` besides those that are given.
   * @param field - Where the page is in the object under the one field that the query has.
   * @returns All nodes.
   */
  queryPages(query: string, field: string, variables: object): Promise<readonly JsonRecord[]>;
  /** Entries of `errors`, of all answers. */
  readonly errors: readonly string[];
  /** Coordinates of what was null although lists are not, each once. */
  readonly nullLists: ReadonlySet<string>;
  readonly queries: number;
  /** Nodes of the smallest page that was asked for; undefined when none was. */
  readonly pageSize: number | undefined;
  /** Of all answers. */
  readonly bytes: number;
  /** From the sending of each query until its answer was parsed. */
  readonly elapsedMs: number;
}

const LARGEST_PAGE = 100;

/** Makes a meter on which nothing has been asked. */
export function createMeter(schema: GraphQLSchema, sendQuery: SendQuery): Meter {
  const errors: string[] = [];
  const nullLists = new Set<string>();
  const sums = { queries: 0, bytes: 0, elapsedMs: 0 };
  let pageSize: number | undefined;

  async function send(query: string, variables?: object): Promise<GraphQLResponse> {
    const startedMs = performance.now();
    const response = await sendQuery(query, variables);
    sums.elapsedMs += performance.now() - startedMs;
    sums.queries += 1;
    sums.bytes += response.bytes;
    return response;
  }

  function toData({ data, errors: found }: GraphQLResponse): JsonRecord {
    errors.push(...found.map(({ message, path = [] }) => `${path.join('.')}: ${message}`));
    for (const coordinate of findNullLists(schema, data)) nullLists.add(coordinate);
    return data;
  }

  return {
    async query(query, variables) {
      return firstOf(toData(await send(query, variables)));
    },
    async queryAll(query) {
      return toData(await send(query));
    },
    async queryPages(query, field, variables) {
      const nodes: JsonRecord[] = [];
      let first = LARGEST_PAGE;
      let after: unknown = null;
      do {
        const response = await send(query, { ...variables, first, after });
        if (first > 1 && response.errors.some(({ extensions }) => extensions?.code === 'OPERATION_TOO_EXPENSIVE')) {
          first = Math.floor(first / 2);
          continue;
        }
        const page = toRecord(firstOf(toData(response))[field]);
        nodes.push(...toRecords(page.nodes));
        const { hasNextPage, endCursor } = toRecord(page.pageInfo);
        after = hasNextPage === true ? endCursor : undefined;
        pageSize = Math.min(first, pageSize ?? first);
      } while (after !== undefined);
      return nodes;
    },
    errors,
    nullLists,
    get queries() {
      return sums.queries;
    },
    get pageSize() {
      return pageSize;
    },
    get bytes() {
      return sums.bytes;
    },
    get elapsedMs() {
      return sums.elapsedMs;
    },
  };
}

function firstOf(data: JsonRecord): JsonRecord {
  return toRecord(Object.values(data)[0]);
}
