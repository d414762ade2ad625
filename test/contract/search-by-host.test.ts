import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

interface Variable {
  readonly key: string;
  readonly value?: unknown;
  readonly enabled?: boolean;
  readonly disabled?: boolean;
}
interface Item {
  readonly name: string;
  readonly item?: readonly Item[];
  readonly request?: string | { readonly method?: string; readonly url?: string | { readonly raw?: string } };
}
interface Document {
  readonly info: { readonly name: string };
  readonly item?: readonly Item[];
  readonly variable?: readonly Variable[];
}

const collectionUids: readonly string[] = Object.values(ids.collections);
const environmentUids: readonly string[] = Object.values(ids.environments);
const LIST = 'GET /collections?limit=99&offset=0';
const readOf = (uid: string) => `GET /collections/${uid}`;
const environmentOf = (uid: string) => `GET /environments/${uid}`;
const operation = readFileSync(new URL('../../schema/operations/17-requests-to-host.graphql', import.meta.url), 'utf8');

let facade: Facade;
let documents: readonly Document[];
let valuesOf: ReadonlyMap<string, readonly Variable[]>;

beforeAll(async () => {
  facade = await startFacade();
  const read = async (path: string) =>
    (await fetch(`${facade.postman.origin}${path}`, { headers: { 'x-api-key': facade.postman.apiKey } })).json();
  documents = await Promise.all(
    collectionUids.map(async (uid) => ((await read(`/collections/${uid}`)) as { collection: Document }).collection),
  );
  valuesOf = new Map(
    await Promise.all(
      environmentUids.map(async (uid) => {
        const { environment } = (await read(`/environments/${uid}`)) as { environment: { values: Variable[] } };
        return [uid, environment.values] as const;
      }),
    ),
  );
});
beforeEach(() => facade.postman.reset());
afterAll(() => facade.close());

/** A request as one line: its collection, method, name and URL as written. */
const toLine = (...parts: readonly (string | null)[]) => parts.join(' | ');

function* requestsIn(items: readonly Item[] = []): Generator<{ name: string; method: string; url: string }> {
  for (const { name, item, request } of items) {
    yield* requestsIn(item);
    if (typeof request === 'string') yield { name, method: 'GET', url: request };
    else if (request !== undefined) {
      const { method = 'GET', url = '' } = request;
      yield { name, method, url: typeof url === 'string' ? url : (url.raw ?? '') };
    }
  }
}

function resolve(url: string, variables: readonly Variable[]): string {
  let resolved = url;
  for (const { key, value, enabled, disabled } of variables)
    if (enabled !== false && disabled !== true) resolved = resolved.replaceAll(`{{${key}}}`, String(value));
  return resolved;
}

/** Finds the requests of all collections by what Postman sends, without the server: a line for each. */
function findByHand(host: string, uids: readonly string[]): string[] {
  const lists = [[], ...uids.map((uid) => valuesOf.get(uid) ?? [])];
  return documents.flatMap(({ info, item, variable = [] }) =>
    [...requestsIn(item)]
      .filter(({ url }) =>
        lists.some((values) => {
          // A variable of an environment overrides one of the collection.
          const [, found = ''] = /^[a-z]+:\/\/([^/:?#]*)/.exec(resolve(url, [...values, ...variable])) ?? [];
          return found === host || found.endsWith(`.${host}`);
        }),
      )
      .map(({ name, method, url }) => toLine(info.name, method, name, url)),
  );
}

interface Match {
  readonly name: string;
  readonly method: string;
  readonly url: { readonly raw: string };
  readonly collection: { readonly name: string };
}
const toLines = (nodes: readonly Match[]) =>
  nodes.map(({ name, method, url, collection }) => toLine(collection.name, method, name, url.raw));

describe('a search by host over the whole account', () => {
  it('finds what the published operation promises, within the bounds of its dry run', async () => {
    const dryRun = await facade.query(operation.replace('{\n', '{ rateLimit(dryRun: true) { costAtLeast cost }\n'));
    expect(facade.postman.calls).toEqual([]);
    const { data, errors } = await facade.query(operation);
    const { nodes, ...progress } = data.requests;
    const gets = [LIST, ...collectionUids.map(readOf), environmentOf(ids.environments.paymentsLive)];
    expect([...facade.postman.calls].sort()).toEqual([...gets].sort());
    expect(dryRun.data.rateLimit.costAtLeast).toBeLessThanOrEqual(gets.length);
    expect(dryRun.data.rateLimit.cost).toBeGreaterThanOrEqual(gets.length);
    expect(errors).toEqual([]);
    expect(progress).toEqual({
      totalCount: nodes.length,
      searchedCollectionCount: collectionUids.length,
      unsearchedCollectionCount: 0,
      unsearchedCollections: [],
    });
    expect(nodes[0]).toEqual({
      name: 'Get an access token',
      method: 'POST',
      url: {
        raw: '{{paymentsUrl}}/oauth/token',
        resolved: {
          raw: 'https://payments.kestrel-bikes.example/oauth/token',
          host: 'payments.kestrel-bikes.example',
          unresolved: [],
        },
      },
      collection: { name: 'Payments' },
    });
    const expected = findByHand('payments.kestrel-bikes.example', [ids.environments.paymentsLive]);
    expect(expected.length).toBeGreaterThan(10);
    expect(toLines(nodes).sort()).toEqual(expected.sort());
  });

  it.each([
    ['kestrel-bikes.example', 'all environments', environmentUids],
    ['kestrel-bikes.example', 'no environment', []],
    ['kestrel-bikes.example', 'one environment', [ids.environments.staging]],
    ['localhost', 'all environments', environmentUids],
  ])('finds every request that resolves to %s in %s, each once', async (host, _, uids) => {
    const found: Match[] = [];
    let after: string | null = null;
    let total: number | null = null;
    do {
      const { data, errors } = await facade.query(
        `query ($after: String, $filter: RequestFilter) { requests(first: 100, after: $after, filter: $filter) {
          totalCount unsearchedCollectionCount pageInfo { hasNextPage endCursor }
          nodes { name method url { raw } collection { name } } } }`,
        { variables: { after, filter: { host, environmentUids: uids } } },
      );
      expect(errors).toEqual([]);
      const { nodes, pageInfo, totalCount } = data.requests;
      found.push(...nodes);
      total = totalCount;
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after !== null);
    const expected = findByHand(host, uids);
    expect(expected.length).toBeGreaterThan(0);
    expect(total).toBe(expected.length);
    expect(toLines(found).sort()).toEqual(expected.sort());
  });
});
