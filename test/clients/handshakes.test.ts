import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { persistedExchange } from '@urql/exchange-persisted';
import { parse, print } from 'graphql';
import { Environment, fetchQuery, Network, RecordSource, Store } from 'relay-runtime';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { hasPostmanExtensions } from '../../src/graph/errors/error-extensions.ts';
import { itFills } from '../support/client-table.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { compileRelayProject, type RelayProject } from './relay-project.ts';

const ME = 'query Me { me { username } }';
const PAGE = `query Page($first: Int, $after: String) {
  collections(first: $first, after: $after) { nodes { id name } edges { cursor node { id } } pageInfo { hasNextPage endCursor } }
}`;
const NAMES = ['Rides API', 'Stations API', 'Pricing (GraphQL)', 'Fleet telemetry (draft)'];
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** The requests that a client sends, as method and what they have instead of a text. */
interface Recorded {
  readonly sent: string[];
  readonly fetch: typeof fetch;
}

function recordFetch(): Recorded {
  const sent: string[] = [];
  return {
    sent,
    async fetch(input, init) {
      const { url: address } = new Request(input);
      const url = new URL(address);
      const given =
        typeof init?.body === 'string' ? (JSON.parse(init.body) as object) : Object.fromEntries(url.searchParams);
      sent.push(`${init?.method ?? 'GET'} ${'query' in given ? 'text' : 'id'}`);
      return fetch(input, init);
    },
  };
}

let folder: string;
let facade: Facade;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'handshakes-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => facade.close());

/** Starts a server that has these documents by id. */
async function startWith(documents: object, env: Record<string, string> = {}): Promise<void> {
  const file = join(folder, 'documents.json');
  writeFileSync(file, JSON.stringify(documents));
  facade = await startFacade({ PERSISTED_DOCUMENTS: file, ...env });
}

const toManifest = (body: string) => ({
  format: 'apollo-persisted-query-manifest',
  version: 1,
  operations: [{ id: hashOf(body), name: 'Me', type: 'query', body }],
});
/** Repeats a query at the time that its error names, until it has no error that a retry solves. */
async function askUntilServed(ask: () => Promise<readonly unknown[]>): Promise<number> {
  for (let retries = 0; ; retries++) {
    const [error] = await ask();
    if (error === undefined) return retries;
    if (!hasPostmanExtensions(error) || !error.extensions.retryable) throw new TypeError('Nothing says when to retry');
    facade.skip(error.extensions.retryAfterSeconds * 1_000);
  }
}

/** Uses up a budget of one call a minute. Nothing can wait that long. */
async function startSmall(): Promise<void> {
  facade = await startFacade({
    ...{ RATE_LIMIT: '1', RATE_LIMIT_WINDOW_MS: '60000', BURST_LIMIT: '0', RESERVED_CALLS: '0' },
    OPERATION_TIMEOUT_MS: '10000',
  });
  expect((await facade.query('{ environments { nodes { uid } } }')).errors).toEqual([]);
}

describe('Apollo Client', () => {
  const { fetch: _, ...none } = { fetch: undefined };
  const apollo = (link: ApolloClient.Options['link'], cache = new InMemoryCache()) =>
    new ApolloClient({ cache, link, ...none });
  const linkTo = ({ fetch: given }: Recorded, options: object = {}) =>
    new HttpLink({ uri: facade.url, fetch: given, ...options });
  const sha256 = hashOf;

  itFills('Apollo Client 4', 'sha256Hash', 'sends the hashes of a manifest, and no text', async () => {
    // The client adds __typename, as its manifest generator does.
    const query = gql('query Me { me { username __typename } }');
    await startWith(toManifest(print(query)));
    const recorded = recordFetch();
    const client = apollo(new PersistedQueryLink({ sha256 }).concat(linkTo(recorded)));
    expect((await client.query({ query })).data).toMatchObject({ me: { username: 'ines-aldana' } });
    expect(recorded.sent).toEqual(['POST id']);
  });

  itFills('Apollo Client 4', 'stored queries', 'sends the text once, and then its hash by GET', async () => {
    facade = await startFacade({ PERSISTED_QUERIES_MAX_BYTES_PER_KEY: '65536' });
    const recorded = recordFetch();
    const create = () =>
      apollo(new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(linkTo(recorded)));
    for (const client of [create(), create()]) {
      expect((await client.query({ query: gql(ME) })).data).toMatchObject({ me: { username: 'ines-aldana' } });
    }
    expect(recorded.sent).toEqual(['GET id', 'POST text', 'GET id']);
  });

  itFills('Apollo Client 4', 'stored queries', 'sends only texts to a server that stores none', async () => {
    facade = await startFacade();
    const recorded = recordFetch();
    const client = apollo(new PersistedQueryLink({ sha256 }).concat(linkTo(recorded)));
    for (const query of [gql(ME), gql('query Id { me { id } }')])
      expect((await client.query({ query })).data).toBeDefined();
    expect(recorded.sent).toEqual(['POST id', 'POST text', 'POST text']);
  });

  itFills('Apollo Client 4', 'GET', 'sends queries by GET', async () => {
    facade = await startFacade();
    const recorded = recordFetch();
    const client = apollo(linkTo(recorded, { useGETForQueries: true }));
    expect((await client.query({ query: gql(ME) })).data).toMatchObject({ me: { username: 'ines-aldana' } });
    expect(recorded.sent).toEqual(['GET text']);
  });

  itFills('Apollo Client 4', 'paging', 'shows the pages of a list as one', async () => {
    facade = await startFacade();
    const cache = new InMemoryCache({ typePolicies: { Query: { fields: { collections: relayStylePagination() } } } });
    const client = apollo(linkTo(recordFetch()), cache);
    const query = gql(PAGE);
    const first = (await client.query({ query, variables: { first: 2 } })).data as {
      collections: { pageInfo: { endCursor: string } };
    };
    const { endCursor } = first.collections.pageInfo;
    await client.query({ query, variables: { first: 2, after: endCursor }, fetchPolicy: 'network-only' });
    const { collections } = client.readQuery({ query, variables: { first: 4 } }) as {
      collections: { edges: readonly unknown[] };
    };
    expect(collections.edges).toHaveLength(4);
  });

  itFills('Apollo Client 4', 'guard, waiting', 'is served at the time of the error', async () => {
    await startSmall();
    const client = apollo(linkTo(recordFetch()));
    const retries = await askUntilServed(async () => {
      const { error } = await client.query({ query: gql(ME), fetchPolicy: 'network-only', errorPolicy: 'all' });
      return CombinedGraphQLErrors.is(error) ? error.errors : [];
    });
    expect(retries).toBe(1);
  });
});

describe('urql', () => {
  const keys = { CollectionConnection: () => null, CollectionConnectionEdge: () => null };
  const urql = (recorded: Recorded, exchanges = [fetchExchange], options: object = {}) =>
    new Client({ url: facade.url, exchanges, fetch: recorded.fetch, ...options });

  itFills('urql with graphcache', 'sha256Hash', 'sends the hashes of a manifest, and no text', async () => {
    await startWith(toManifest(print(parse(ME))));
    const recorded = recordFetch();
    const persisted = persistedExchange({
      preferGetForPersistedQueries: false,
      generateHash: async (text) => hashOf(text),
    });
    const { data } = await urql(recorded, [persisted, fetchExchange]).query(ME, {}).toPromise();
    expect(data).toEqual({ me: { username: 'ines-aldana' } });
    expect(recorded.sent).toEqual(['POST id']);
  });

  itFills('urql with graphcache', 'stored queries', 'sends the text once, and then its hash by GET', async () => {
    facade = await startFacade({ PERSISTED_QUERIES_MAX_BYTES_PER_KEY: '65536' });
    const recorded = recordFetch();
    for (let index = 0; index < 2; index++) {
      const persisted = persistedExchange({ generateHash: async (text) => hashOf(text) });
      const { data } = await urql(recorded, [persisted, fetchExchange]).query(ME, {}).toPromise();
      expect(data).toEqual({ me: { username: 'ines-aldana' } });
    }
    expect([recorded.sent[0], recorded.sent.at(-1)]).toEqual(['GET id', 'GET id']);
    expect(recorded.sent).toHaveLength(3);
  });

  itFills('urql with graphcache', 'GET', 'sends short queries by GET', async () => {
    facade = await startFacade();
    const recorded = recordFetch();
    expect((await urql(recorded).query(ME, {}).toPromise()).data).toEqual({ me: { username: 'ines-aldana' } });
    expect(recorded.sent).toEqual(['GET text']);
  });

  itFills('urql with graphcache', 'paging', 'shows the pages of a list as one', async () => {
    facade = await startFacade();
    const cache = cacheExchange({ keys, resolvers: { Query: { collections: relayPagination() } } });
    const client = urql(recordFetch(), [cache, fetchExchange]);
    const first = await client.query(PAGE, { first: 2 }).toPromise();
    const after = (first.data as { collections: { pageInfo: { endCursor: string } } }).collections.pageInfo.endCursor;
    const both = await client.query(PAGE, { first: 2, after }).toPromise();
    const { collections } = both.data as { collections: { nodes: readonly { name: string }[] } };
    expect(collections.nodes.map(({ name }) => name)).toEqual(NAMES);
  });

  itFills('urql with graphcache', 'guard, waiting', 'is served at the time of the error', async () => {
    await startSmall();
    const client = urql(recordFetch());
    const retries = await askUntilServed(async () => {
      const { error } = await client.query(ME, {}, { requestPolicy: 'network-only' }).toPromise();
      return error?.graphQLErrors ?? [];
    });
    expect(retries).toBe(1);
  });
});

describe('Relay', () => {
  let project: RelayProject;
  beforeAll(async () => {
    project = await compileRelayProject();
  });
  const send = async (body: object) => {
    const response = await fetch(facade.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as { data: never; errors?: readonly unknown[] };
  };
  /** A network that sends what its documentation shows: `doc_id` for persisted documents, `query` for others. */
  const createEnvironment = (ids: ReadonlyMap<string, string>) =>
    new Environment({
      network: Network.create(({ text }, variables) => {
        const id = ids.get(text ?? '');
        return send({ ...(id === undefined ? { query: text } : { doc_id: id }), variables }) as never;
      }),
      store: new Store(new RecordSource()),
    });

  itFills('Relay', 'doc_id', 'sends the ids of documents that its compiler has persisted', async () => {
    const text = project.query.params.text ?? '';
    const id = createHash('md5').update(text).digest('hex');
    await startWith({ [id]: text }, { PERSISTED_DOCUMENTS_ONLY: 'true' });
    const environment = createEnvironment(new Map([[text, id]]));
    const data = (await fetchQuery(environment, project.query, {}).toPromise()) as { collections: object };
    expect(data.collections).toBeDefined();
  });

  itFills('Relay', 'guard, waiting', 'is served at the time of the error', async () => {
    await startSmall();
    const retries = await askUntilServed(async () => (await send({ query: ME })).errors ?? []);
    expect(retries).toBe(1);
  });
});

describe('fetch', () => {
  const headers = { 'content-type': 'application/json' };
  const post = async (body: object) =>
    (await (await fetch(facade.url, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as {
      data: never;
      errors?: readonly unknown[];
    };
  const apolloHash = (text: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: hashOf(text) } } });
  const me = { me: { username: 'ines-aldana' } };

  itFills('fetch', 'documentId', 'sends an id', async () => {
    await startWith({ me: ME });
    expect((await post({ documentId: 'me' })).data).toEqual(me);
  });
  itFills('fetch', 'doc_id', 'sends an id', async () => {
    await startWith({ me: ME });
    expect((await post({ doc_id: 'me' })).data).toEqual(me);
  });
  itFills('fetch', 'sha256Hash', 'sends a hash', async () => {
    await startWith(toManifest(ME));
    expect((await post(apolloHash(ME))).data).toEqual(me);
  });
  itFills('fetch', 'stored queries', 'sends the text once, and then its hash', async () => {
    facade = await startFacade({ PERSISTED_QUERIES_MAX_BYTES_PER_KEY: '65536' });
    expect((await post({ query: ME, ...apolloHash(ME) })).data).toEqual(me);
    expect((await post(apolloHash(ME))).data).toEqual(me);
  });
  itFills('fetch', 'GET', 'sends a query by GET', async () => {
    facade = await startFacade();
    const response = await fetch(`${facade.url}?query=${encodeURIComponent(ME)}`);
    expect(((await response.json()) as { data: unknown }).data).toEqual(me);
  });
  itFills('fetch', 'paging', 'reads the pages of a list', async () => {
    facade = await startFacade();
    const names: string[] = [];
    let after: string | null = null;
    while (names.length < 4) {
      const { data } = await post({ query: PAGE, variables: { first: 2, after } });
      const { collections } = data as { collections: { nodes: { name: string }[]; pageInfo: { endCursor: string } } };
      names.push(...collections.nodes.map(({ name }) => name));
      after = collections.pageInfo.endCursor;
    }
    expect(names).toEqual(NAMES);
  });
  itFills('fetch', 'guard, waiting', 'is served at the time of the error', async () => {
    await startSmall();
    expect(await askUntilServed(async () => (await post({ query: ME })).errors ?? [])).toBe(1);
  });
});
