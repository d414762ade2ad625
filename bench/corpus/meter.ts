import type { GraphQLSchema } from 'graphql';
import { type JsonRecord, toRecord, toRecords } from './json.ts';
import { findNullLists } from './null-lists.ts';
import type { GraphQLResponse, SendQuery } from './served-folder.ts';

/** Sends the queries about one file, and sums up their results. */
export interface Meter {
  /** @returns The object under the query's only root field. */
  query(query: string, variables?: object): Promise<JsonRecord>;
  /** @returns All `data`. */
  queryAll(query: string): Promise<JsonRecord>;
  /**
   * Reads one page after the other. If the server refuses a page as too large, it halves the page size from then on.
   *
   * @param query - Has the variables `first` and `after` besides the given ones.
   * @param field - The field of the page in the object under the query's only root field.
   * @returns All nodes.
   */
  queryPages(query: string, field: string, variables: object): Promise<readonly JsonRecord[]>;
  /** Entries of `errors` of all results. */
  readonly errors: readonly string[];
  /** Coordinates of lists that were null, each once. */
  readonly nullLists: ReadonlySet<string>;
  readonly queries: number;
  /** Size of the smallest requested page; undefined if none was requested. */
  readonly pageSize: number | undefined;
  /** Of all responses. */
  readonly bytes: number;
  /** Time from sending each query until its response was parsed. */
  readonly elapsedMs: number;
}

const LARGEST_PAGE = 100;

/** Creates a meter without any results. */
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
