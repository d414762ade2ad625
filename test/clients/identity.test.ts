import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import {
  createOperationDescriptor,
  Environment,
  fetchQuery,
  getSelector,
  Network,
  type ReaderFragment,
  RecordSource,
  Store,
} from 'relay-runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { reportCells } from '../support/client-table.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createIdentityAccount, namesOf, uids } from './identity-account.ts';
import { compileRelayProject, type RelayProject } from './relay-project.ts';

let facade: Facade;
let project: RelayProject;
beforeAll(async () => {
  // Without a cache of the server, so that the calls are those that a client causes.
  facade = await startFacade({ CACHE_TTL_MS: '0' }, { account: createIdentityAccount() });
  project = await compileRelayProject();
});
afterAll(() => facade.close());
beforeEach(() => facade.postman.reset());

/** An object as a client shows it. */
interface Shown {
  readonly id: string;
  readonly name: string;
}
interface ShownRequest extends Shown {
  readonly examples: readonly Shown[];
}
interface ShownCollection extends Shown {
  readonly requests: { readonly nodes: readonly ShownRequest[] };
}
interface ShownData {
  readonly collections: { readonly nodes: readonly ShownCollection[] };
  readonly environments: { readonly nodes: readonly Shown[] };
}

const QUERY = `{
  collections { nodes { id name requests { nodes { id name examples { id name } } } } }
  environments { nodes { id name } }
}`;
const GETS = [
  'GET /collections?limit=99&offset=0',
  ...uids.map((uid) => `GET /collections/${uid}`),
  'GET /environments',
].sort();

/** Reads the query through the cache of a client; what it shows comes from the cache. */
const clients: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
  async '@apollo/client, InMemoryCache'(url) {
    const client = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: url }) });
    await client.query({ query: gql(QUERY) });
    return client.readQuery({ query: gql(QUERY) });
  },
  async '@urql/exchange-graphcache'(url) {
    const withoutKey = () => null;
    const keys = {
      CollectionConnection: withoutKey,
      RequestConnection: withoutKey,
      EnvironmentConnection: withoutKey,
    };
    const client = new Client({ url, exchanges: [cacheExchange({ keys }), fetchExchange], preferGetMethod: false });
    await client.query(QUERY, {}).toPromise();
    const { data } = await client.query(QUERY, {}, { requestPolicy: 'cache-only' }).toPromise();
    return data;
  },
};

const ofBoth = (prefix: string, suffix = '') => uids.map((uid) => `${prefix}:${uid}${suffix}`);
const toNames = (objects: readonly Shown[]) => objects.map(({ name }) => name);
const toIds = (objects: readonly Shown[]) => objects.map(({ id }) => id);

describe.each(Object.entries(clients))('%s', (name, readThroughCache) => {
  it('shows two of each of the objects that share a UUID', async (context) => {
    reportCells(context, [name.startsWith('@apollo') ? 'Apollo Client 4' : 'urql with graphcache', 'identity']);
    const { collections, environments } = (await readThroughCache(facade.url)) as ShownData;
    const requests = collections.nodes.flatMap((collection) => collection.requests.nodes);
    const examples = requests.flatMap((request) => request.examples);
    expect(toNames(collections.nodes)).toEqual(namesOf('Collection'));
    expect(toNames(environments.nodes)).toEqual(namesOf('Environment'));
    expect(toNames(requests)).toEqual(namesOf('Request'));
    expect(toNames(examples)).toEqual(namesOf('Example'));
    expect(toIds(collections.nodes)).toEqual(ofBoth('Collection'));
    expect(toIds(environments.nodes)).toEqual(ofBoth('Environment'));
    expect([...facade.postman.calls].sort()).toEqual(GETS);
  });
});

describe('relay-runtime, with a project that relay-compiler has compiled', () => {
  const createEnvironment = () =>
    new Environment({
      network: Network.create(async ({ text }, variables) => {
        const { data, errors } = await facade.query(text ?? '', { variables });
        expect(errors).toEqual([]);
        return { data };
      }),
      store: new Store(new RecordSource()),
    });
  type RelayQuery = RelayProject['query'];
  const load = async (environment: Environment, query: RelayQuery, variables: object = {}) => {
    await fetchQuery(environment, query, variables, { fetchPolicy: 'network-only' }).toPromise();
    const operation = createOperationDescriptor(query, variables);
    environment.retain(operation);
    return environment.lookup(operation.fragment).data as never;
  };
  /** Reads a fragment, as the component that owns it does. */
  const read = (environment: Environment, fragment: ReaderFragment, reference: object) => {
    const selector = getSelector(fragment, reference);
    if (selector?.kind !== 'SingularReaderSelector') throw new TypeError('The object has not this fragment');
    return environment.lookup(selector).data as never;
  };
  /** References name the query that they are from. */
  const withoutOwners = (data: unknown): unknown =>
    JSON.parse(JSON.stringify(data, (key, value: unknown) => (key === '__fragmentOwner' ? undefined : value)));
  const readRequests = (environment: Environment, collections: readonly ShownCollection[]) =>
    collections.flatMap(({ requests }) =>
      requests.nodes.map((request) => read(environment, project.request, request) as ShownRequest),
    );

  it('shows two of each of the objects that share a UUID', async () => {
    const environment = createEnvironment();
    const { collections, environments }: ShownData = await load(environment, project.query);
    const shown = collections.nodes.map((node) => read(environment, project.collection, node) as ShownCollection);
    const requests = readRequests(environment, shown);
    expect(toNames(shown)).toEqual(namesOf('Collection'));
    expect(toNames(environments.nodes)).toEqual(namesOf('Environment'));
    expect(toNames(requests)).toEqual(namesOf('Request'));
    expect(toNames(requests.flatMap(({ examples }) => examples))).toEqual(namesOf('Example'));
    expect([...facade.postman.calls].sort()).toEqual(GETS);
  });

  it('refetches one object by its id, with the GET that it takes, and updates that object only', async (context) => {
    reportCells(context, ['Relay', 'identity']);
    const environment = createEnvironment();
    const { collections }: ShownData = await load(environment, project.query);
    const shown = collections.nodes.map((node) => read(environment, project.collection, node) as ShownCollection);
    const [request] = readRequests(environment, shown);
    const [collection] = shown;
    for (const [refetch, fragment, object] of [
      [project.refetchCollection, project.collection, collection],
      [project.refetchRequest, project.request, request],
    ] as const) {
      facade.postman.reset();
      const { id } = object!;
      // As `useRefetchableFragment` does.
      const { node }: { node: object } = await load(environment, refetch, { id });
      expect(withoutOwners(read(environment, fragment, node))).toEqual(withoutOwners(object));
      expect(facade.postman.calls).toEqual([`GET /collections/${uids[0]}`]);
    }
    const after = collections.nodes.map((node) => read(environment, project.collection, node) as ShownCollection);
    expect(after).toEqual(shown);
    const records = environment.getStore().getSource().getRecordIDs();
    const typed = records.filter((id) => /^(?:Collection|Environment|Request|Example):[^:]*$/.test(id));
    expect(typed.length).toBe(8);
  });
});
