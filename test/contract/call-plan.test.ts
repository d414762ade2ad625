import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';

const { workspaces, collections, environments } = ids;
const platform = workspaces.riderPlatform;

const workspaceRead = (id: string) => `GET /workspaces/${id}?include=team,mocks:deactivated`;
const minimalRead = (uid: string) => `GET /collections/${uid}?model=minimal`;
const detailRead = (uid: string) => `GET /collections/${uid}`;
const environmentRead = (uid: string) => `GET /environments/${uid}`;
const collectionList = (workspace: string) => `GET /collections?workspace=${workspace}&limit=99&offset=0`;
const environmentList = (workspace: string) => `GET /environments?workspace=${workspace}`;
const named = (...names: string[]) => ({ nodes: names.map((name) => ({ name })) });

const allWorkspaces = 'GET /workspaces?limit=100';
const allCollections = 'GET /collections?limit=99&offset=0';
const platformCollections = ['Rides API', 'Stations API', 'Pricing (GraphQL)', 'Fleet telemetry (draft)'];
const platformEnvironments = ['Local', 'Staging', 'Production'];

interface Plan {
  readonly what: string;
  readonly query: string;
  readonly variables?: object;
  readonly data: unknown;
  readonly gets: readonly string[];
}

// Without a cache, so that only the plan can save calls.
let facade: Facade;
beforeAll(async () => {
  facade = await startFacade({ CACHE_TTL_MS: '0' });
});
afterAll(() => facade.close());
beforeEach(() => facade.postman.reset());

async function expectPlan({ query, variables, data, gets }: Plan) {
  const answer = await facade.query(query, variables && { variables });
  expect({ data: answer.data, errors: answer.errors }).toEqual({ data, errors: [] });
  expect([...facade.postman.calls].sort()).toEqual([...gets].sort());
  expect(answer.upstream).toMatchObject({ calls: gets.length, cached: 0, coalesced: 0 });
}

describe('workspaces', () => {
  const overviews = [
    {
      id: platform,
      name: 'Rider Platform',
      collections: named(...platformCollections),
      environments: named(...platformEnvironments),
    },
    {
      id: workspaces.payments,
      name: 'Payments',
      collections: named('Payments', 'Settlement files', 'Webhooks', 'Legacy dispatch (SOAP)'),
      environments: named('Payments sandbox', 'Payments live'),
    },
    {
      id: workspaces.openData,
      name: 'Kestrel Open Data',
      collections: named('Open Data API'),
      environments: named('Open data'),
    },
    {
      id: workspaces.release,
      name: 'Release Engineering',
      collections: named('Smoke tests', 'Regression matrix'),
      environments: named('Staging', 'Ephemeral'),
    },
    {
      id: workspaces.cityPilot,
      name: 'Harbour City pilot',
      collections: named('Rides API'),
      environments: named(),
    },
    {
      id: workspaces.personal,
      name: 'My Workspace',
      collections: named('New Collection', 'Open Data API'),
      environments: named('Local'),
    },
    { id: workspaces.archive, name: 'Archive 2023', collections: named(), environments: named() },
  ];

  it.each<Plan>([
    {
      what: 'names of all are in one list',
      query: '{ workspaces { nodes { name } } }',
      data: { workspaces: named(...overviews.map(({ name }) => name)) },
      gets: [allWorkspaces],
    },
    {
      what: 'names of everything in all cost the list and one read each',
      query: '{ workspaces { nodes { id name collections { nodes { name } } environments { nodes { name } } } } }',
      data: { workspaces: { nodes: overviews } },
      gets: [allWorkspaces, ...overviews.map(({ id }) => workspaceRead(id))],
    },
    {
      what: 'a description that no list has costs one read each',
      query: '{ workspaces(first: 2) { nodes { name updaterId } } }',
      data: {
        workspaces: {
          nodes: [
            { name: 'Rider Platform', updaterId: ids.users.ines },
            { name: 'Payments', updaterId: ids.users.jonas },
          ],
        },
      },
      gets: [allWorkspaces, workspaceRead(platform), workspaceRead(workspaces.payments)],
    },
    {
      what: 'filters go upstream',
      query: `{ workspaces(visibility: PRIVATE, creatorId: "${ids.users.jonas}") { totalCount nodes { name } } }`,
      data: { workspaces: { totalCount: 1, nodes: [{ name: 'Payments' }] } },
      gets: [`GET /workspaces?type=private&createdBy=${ids.users.jonas}&limit=100`],
    },
  ])('$what', expectPlan);
});

describe('one workspace', () => {
  it.each<Plan>([
    {
      what: 'its name and all names in it are one read',
      query: `{ workspace(id: "${platform}") { name collections { nodes { name } } environments { nodes { name } } } }`,
      data: {
        workspace: {
          name: 'Rider Platform',
          collections: named(...platformCollections),
          environments: named(...platformEnvironments),
        },
      },
      gets: [workspaceRead(platform)],
    },
    {
      what: 'dates and flags of its collections are one list, without the workspace itself',
      query: `{ workspace(id: "${platform}") { collections(first: 2) { nodes { name updatedAt isPublic } } } }`,
      data: {
        workspace: {
          collections: {
            nodes: [
              { name: 'Rides API', updatedAt: '2026-03-02T15:40:09.000Z', isPublic: false },
              { name: 'Stations API', updatedAt: '2026-01-19T10:05:44.000Z', isPublic: false },
            ],
          },
        },
      },
      gets: [collectionList(platform)],
    },
    {
      what: 'who changed it beside dates of its collections is two',
      query: `{ workspace(id: "${platform}") { updaterId collections(first: 1) { nodes { updatedAt } } } }`,
      data: {
        workspace: {
          updaterId: ids.users.ines,
          collections: { nodes: [{ updatedAt: '2026-03-02T15:40:09.000Z' }] },
        },
      },
      gets: [workspaceRead(platform), collectionList(platform)],
    },
    {
      what: 'names of its environments alone are one call that the burst limit does not count',
      query: `{ workspace(id: "${platform}") { environments { nodes { name } } } }`,
      data: { workspace: { environments: named(...platformEnvironments) } },
      gets: [environmentList(platform)],
    },
    {
      what: 'names of its environments cost nothing beside names of its collections',
      query: `{ workspace(id: "${platform}") { environments { nodes { name } } collections { nodes { name } } } }`,
      data: {
        workspace: {
          environments: named(...platformEnvironments),
          collections: named(...platformCollections),
        },
      },
      gets: [workspaceRead(platform)],
    },
    {
      what: 'names of its environments come with its own name',
      query: `{ workspace(id: "${platform}") { about environments { totalCount nodes { name ownerId } } } }`,
      data: {
        workspace: {
          about: 'APIs behind the rider app: rides, stations, prices',
          environments: {
            totalCount: 3,
            nodes: platformEnvironments.map((name) => ({ name, ownerId: ids.users.ines })),
          },
        },
      },
      gets: [workspaceRead(platform)],
    },
    {
      what: 'dates in both of its lists are the two lists',
      query: `{ workspace(id: "${workspaces.openData}") { collections { nodes { updatedAt } } environments { nodes { isPublic } } } }`,
      data: {
        workspace: {
          collections: { nodes: [{ updatedAt: '2026-01-07T08:00:00.000Z' }] },
          environments: { nodes: [{ isPublic: true }] },
        },
      },
      gets: [collectionList(workspaces.openData), environmentList(workspaces.openData)],
    },
    {
      what: 'what only reads of its collections have is a list, which shows what has changed, and one minimal read each',
      query: `{ workspace(id: "${workspaces.release}") { collections { nodes { updaterId updatedAt } } } }`,
      data: {
        workspace: {
          collections: {
            nodes: [
              { updaterId: ids.users.jonas, updatedAt: '2026-03-04T06:30:00.000Z' },
              { updaterId: ids.users.ines, updatedAt: '2026-03-01T00:00:00.000Z' },
            ],
          },
        },
      },
      gets: [collectionList(workspaces.release), minimalRead(collections.smoke), minimalRead(collections.regression)],
    },
    {
      what: 'trees of its collections beside their flags are one list and one read each',
      query: `{ workspace(id: "${workspaces.personal}") { collections { nodes { isPublic name folders { totalCount } } } } }`,
      data: {
        workspace: {
          collections: {
            nodes: [
              { isPublic: false, name: 'New Collection', folders: { totalCount: 0 } },
              { isPublic: false, name: 'Open Data API', folders: { totalCount: 1 } },
            ],
          },
        },
      },
      gets: [
        collectionList(workspaces.personal),
        detailRead(collections.scratch),
        detailRead(collections.openDataFork),
      ],
    },
    {
      what: 'values of its environments are the list and one read each, which has the dates too',
      query: `{ workspace(id: "${workspaces.release}") { environments { nodes { updatedAt values { key } } } } }`,
      data: {
        workspace: {
          environments: {
            nodes: [
              {
                updatedAt: '2026-02-18T10:00:00.000Z',
                values: ['baseUrl', 'riderToken', 'riderEmail', 'city', 'proxyUrl'].map((key) => ({ key })),
              },
              { updatedAt: '2025-01-20T12:00:00.000Z', values: [] },
            ],
          },
        },
      },
      gets: [
        environmentList(workspaces.release),
        environmentRead(environments.staging),
        environmentRead(environments.blank),
      ],
    },
    {
      what: 'its globals alone are one call',
      query: `{ workspace(id: "${platform}") { globals { key } } }`,
      data: { workspace: { globals: [{ key: 'companyDomain' }, { key: 'tracingKey' }, { key: 'legacyBaseUrl' }] } },
      gets: [`GET /workspaces/${platform}/global-variables`],
    },
    {
      what: 'nothing but its id still makes sure that it exists',
      query: `{ workspace(id: "${platform}") { __typename id } }`,
      data: { workspace: { __typename: 'Workspace', id: platform } },
      gets: [workspaceRead(platform)],
    },
    {
      what: 'under three aliases it costs as much as under one',
      query: `{
        a: workspace(id: "${platform}") { name }
        b: workspace(id: "${platform}") { name collections(first: 1) { nodes { name } } }
        c: workspace(id: "${platform}") { environments(first: 1) { nodes { name } } }
      }`,
      data: {
        a: { name: 'Rider Platform' },
        b: { name: 'Rider Platform', collections: named('Rides API') },
        c: { environments: named('Local') },
      },
      gets: [workspaceRead(platform)],
    },
    {
      what: 'as a filter of a root list it costs as much as a look-up',
      query: `{
        collections(workspaceId: "${platform}") { nodes { name } }
        environments(workspaceId: "${platform}") { nodes { name } }
        workspace(id: "${platform}") { name }
      }`,
      data: {
        collections: named(...platformCollections),
        environments: named(...platformEnvironments),
        workspace: { name: 'Rider Platform' },
      },
      gets: [workspaceRead(platform)],
    },
  ])('$what', expectPlan);
});

describe('one collection', () => {
  it.each<Plan>([
    {
      what: 'its name is the minimal read',
      query: `{ collection(uid: "${collections.rides}") { name } }`,
      data: { collection: { name: 'Rides API' } },
      gets: [minimalRead(collections.rides)],
    },
    {
      what: 'everything the minimal read carries is one minimal read',
      query: `{ collection(uid: "${collections.telemetryDraft}") {
        id uid ownerId name description updaterId createdAt updatedAt fork { label } variables { key } auth { type } scripts { listen }
      } }`,
      data: {
        collection: {
          id: `Collection:${collections.telemetryDraft}`,
          uid: collections.telemetryDraft,
          ownerId: ids.users.ines,
          name: 'Fleet telemetry (draft)',
          description: null,
          updaterId: ids.users.ines,
          createdAt: '2026-03-05T16:22:48.000Z',
          updatedAt: '2026-03-05T16:22:48.000Z',
          fork: null,
          variables: [],
          auth: null,
          scripts: [],
        },
      },
      gets: [minimalRead(collections.telemetryDraft)],
    },
    {
      what: 'whether it is public takes its name and the list of that name',
      query: `{ collection(uid: "${collections.openData}") { isPublic } }`,
      data: { collection: { isPublic: true } },
      gets: [minimalRead(collections.openData), 'GET /collections?name=Open%20Data%20API'],
    },
    {
      what: 'whether it is public is told apart from a namesake',
      query: `{ collection(uid: "${collections.openDataFork}") { isPublic name } }`,
      data: { collection: { isPublic: false, name: 'Open Data API' } },
      gets: [minimalRead(collections.openDataFork), 'GET /collections?name=Open%20Data%20API'],
    },
    {
      what: 'whether it is public, beside its tree, takes the tree and the list of its name',
      query: `{ collection(uid: "${collections.telemetryDraft}") { isPublic items { name } } }`,
      data: { collection: { isPublic: false, items: [] } },
      gets: [detailRead(collections.telemetryDraft), 'GET /collections?name=Fleet%20telemetry%20(draft)'],
    },
    {
      what: 'its whole tree with examples is one read, however nested',
      query: `{ collection(uid: "${collections.openData}") {
        name description formatVersion
        items { __typename name ... on Folder { items { name path parent { name } } } }
        folders { nodes { name requests { totalCount } } }
        requests(filter: { search: "availability" }) { nodes {
          method url { raw } effectiveAuth { type } examples { name code originalRequest { url { raw } } }
        } }
      } }`,
      data: {
        collection: {
          name: 'Open Data API',
          description: 'Availability of bikes and docks, every minute. Licence: CC BY 4.0.',
          formatVersion: '2.1.0',
          items: [
            { __typename: 'Request', name: 'Feeds' },
            {
              __typename: 'Folder',
              name: 'Feeds in detail',
              items: ['Stations', 'Availability', 'Zones'].map((name) => ({
                name,
                path: ['Feeds in detail'],
                parent: { name: 'Feeds in detail' },
              })),
            },
          ],
          folders: { nodes: [{ name: 'Feeds in detail', requests: { totalCount: 3 } }] },
          requests: {
            nodes: [
              {
                method: 'GET',
                url: { raw: '{{openDataUrl}}/availability?station=harbour-north&station=market-square' },
                effectiveAuth: { type: 'noauth' },
                examples: [
                  {
                    name: 'Two stations',
                    code: 200,
                    originalRequest: {
                      url: { raw: '{{openDataUrl}}/availability?station=harbour-north&station=market-square' },
                    },
                  },
                ],
              },
            ],
          },
        },
      },
      gets: [detailRead(collections.openData)],
    },
    {
      what: 'name and tree under two aliases are one read',
      query: `{
        small: collection(uid: "${collections.telemetryDraft}") { name updaterId }
        large: collection(uid: "${collections.telemetryDraft}") { items { name } }
      }`,
      data: {
        small: { name: 'Fleet telemetry (draft)', updaterId: ids.users.ines },
        large: { items: [] },
      },
      gets: [detailRead(collections.telemetryDraft)],
    },
    {
      what: 'the parent of a fork costs one minimal read more',
      query: `{ collection(uid: "${collections.openDataFork}") { fork { label parentUid parent { name ownerId } } } }`,
      data: {
        collection: {
          fork: {
            label: 'ines/vector-tiles',
            parentUid: collections.openData,
            parent: { name: 'Open Data API', ownerId: ids.users.ines },
          },
        },
      },
      gets: [minimalRead(collections.openDataFork), minimalRead(collections.openData)],
    },
    {
      what: 'the parent of a fork costs nothing once its tree has been read',
      query: `{
        parent: collection(uid: "${collections.openData}") { folders { totalCount } }
        fork: collection(uid: "${collections.openDataFork}") { fork { parent { updaterId } } }
      }`,
      data: {
        parent: { folders: { totalCount: 1 } },
        fork: { fork: { parent: { updaterId: ids.users.ines } } },
      },
      gets: [detailRead(collections.openData), minimalRead(collections.openDataFork)],
    },
    {
      what: 'the name of its workspace costs one list and does without the collection',
      query: `{ collection(uid: "${collections.rides}") { workspace { name visibility } } }`,
      data: { collection: { workspace: { name: 'Rider Platform', visibility: 'TEAM' } } },
      gets: [`GET /workspaces?elementType=collection&elementId=${collections.rides}`],
    },
    {
      what: 'the names of its siblings cost the read of the workspace more',
      query: `{ collection(uid: "${collections.rides}") { workspace { name collections { nodes { name } } } } }`,
      data: {
        collection: { workspace: { name: 'Rider Platform', collections: named(...platformCollections) } },
      },
      gets: [`GET /workspaces?elementType=collection&elementId=${collections.rides}`, workspaceRead(platform)],
    },
  ])('$what', expectPlan);
});

describe('many collections by uid', () => {
  const manyUids = Object.values(collections).slice(0, 10);

  it.each<Plan>([
    {
      what: 'asked for names are one list',
      query: `{ ${manyUids.map((uid, index) => `c${index}: collection(uid: "${uid}") { uid name }`).join(' ')} }`,
      data: {
        c0: { uid: collections.rides, name: 'Rides API' },
        c1: { uid: collections.stations, name: 'Stations API' },
        c2: { uid: collections.pricing, name: 'Pricing (GraphQL)' },
        c3: { uid: collections.telemetryDraft, name: 'Fleet telemetry (draft)' },
        c4: { uid: collections.payments, name: 'Payments' },
        c5: { uid: collections.settlement, name: 'Settlement files' },
        c6: { uid: collections.webhooks, name: 'Webhooks' },
        c7: { uid: collections.openData, name: 'Open Data API' },
        c8: { uid: collections.openDataFork, name: 'Open Data API' },
        c9: { uid: collections.smoke, name: 'Smoke tests' },
      },
      gets: [allCollections],
    },
    {
      what: 'one of which does not exist are the list and a read of the missing one',
      query: `{
        a: collection(uid: "${collections.rides}") { name }
        b: collection(uid: "${collections.openData}") { updatedAt isPublic }
        c: collection(uid: "41829063-00000000-0000-4000-8000-000000000000") { name }
      }`,
      data: { a: { name: 'Rides API' }, b: { updatedAt: '2026-01-07T08:00:00.000Z', isPublic: true }, c: null },
      gets: [allCollections, minimalRead('41829063-00000000-0000-4000-8000-000000000000')],
    },
    {
      what: 'asked for different things are one list and the reads it cannot replace',
      query: `{
        a: collection(uid: "${collections.rides}") { isPublic }
        b: collection(uid: "${collections.openData}") { isPublic updaterId }
        c: collection(uid: "${collections.telemetryDraft}") { isPublic items { name } }
      }`,
      data: {
        a: { isPublic: false },
        b: { isPublic: true, updaterId: ids.users.ines },
        c: { isPublic: false, items: [] },
      },
      gets: [allCollections, minimalRead(collections.openData), detailRead(collections.telemetryDraft)],
    },
  ])('$what', expectPlan);
});

describe('root lists', () => {
  it.each<Plan>([
    {
      what: 'of all collections are pages of one list, with everything a list has',
      query: `{ collections(first: 1) { totalCount nodes { uid name isPublic updatedAt fork { label } } } }`,
      data: {
        collections: {
          totalCount: 13,
          nodes: [
            {
              uid: collections.rides,
              name: 'Rides API',
              isPublic: false,
              updatedAt: '2026-03-02T15:40:09.000Z',
              fork: null,
            },
          ],
        },
      },
      gets: [allCollections],
    },
    {
      what: 'of collections of a name are one filtered list',
      query: `{ collections(name: "Open Data API") { totalCount nodes { uid isPublic fork { parentUid } } } }`,
      data: {
        collections: {
          totalCount: 2,
          nodes: [
            { uid: collections.openData, isPublic: true, fork: null },
            { uid: collections.openDataFork, isPublic: false, fork: { parentUid: collections.openData } },
          ],
        },
      },
      gets: ['GET /collections?name=Open%20Data%20API'],
    },
    {
      what: 'that hold the parent of a fork answer for it too',
      query: '{ collections(name: "Open Data API") { nodes { fork { parent { uid name isPublic } } } } }',
      data: {
        collections: {
          nodes: [
            { fork: null },
            { fork: { parent: { uid: collections.openData, name: 'Open Data API', isPublic: true } } },
          ],
        },
      },
      gets: ['GET /collections?name=Open%20Data%20API'],
    },
    {
      what: 'of collections of a name in a workspace are one filtered list',
      query: `{ collections(name: "Open Data API", workspaceId: "${workspaces.personal}") { nodes { uid } } }`,
      data: { collections: { nodes: [{ uid: collections.openDataFork }] } },
      gets: [`GET /collections?workspace=${workspaces.personal}&name=Open%20Data%20API`],
    },
    {
      what: 'of all environments are one list',
      query: '{ environments(first: 2) { totalCount nodes { name isPublic } } }',
      data: {
        environments: {
          totalCount: 7,
          nodes: [
            { name: 'Local', isPublic: false },
            { name: 'Staging', isPublic: false },
          ],
        },
      },
      gets: ['GET /environments'],
    },
    {
      what: 'of collections and of environments do not pay for what they both show twice',
      query: `{
        a: collections(first: 1) { nodes { name } }
        b: collections(first: 2) { nodes { updatedAt } }
        c: environments(first: 1) { nodes { name } }
        d: environments { totalCount }
      }`,
      data: {
        a: named('Rides API'),
        b: { nodes: [{ updatedAt: '2026-03-02T15:40:09.000Z' }, { updatedAt: '2026-01-19T10:05:44.000Z' }] },
        c: named('Local'),
        d: { totalCount: 7 },
      },
      gets: [allCollections, 'GET /environments'],
    },
  ])('$what', expectPlan);
});

describe('environments by uid', () => {
  it.each<Plan>([
    {
      what: 'one, with its values, is one read',
      query: `{ environment(uid: "${environments.openData}") { uid name isPublic values { key } } }`,
      data: {
        environment: {
          uid: environments.openData,
          name: 'Open data',
          isPublic: true,
          values: [{ key: 'openDataUrl' }, { key: 'format' }],
        },
      },
      gets: [environmentRead(environments.openData)],
    },
    {
      what: 'several asked for names and dates are one list',
      query: `{
        a: environment(uid: "${environments.local}") { name }
        b: environment(uid: "${environments.openData}") { updatedAt isPublic }
        c: environment(uid: "${environments.local}") { ownerId }
      }`,
      data: {
        a: { name: 'Local' },
        b: { updatedAt: '2024-05-02T08:00:00.000Z', isPublic: true },
        c: { ownerId: ids.users.ines },
      },
      gets: ['GET /environments'],
    },
    {
      what: 'several asked for values are one read each',
      query: `{
        a: environment(uid: "${environments.blank}") { name values { key } }
        b: environment(uid: "${environments.openData}") { values { key } }
      }`,
      data: {
        a: { name: 'Ephemeral', values: [] },
        b: { values: [{ key: 'openDataUrl' }, { key: 'format' }] },
      },
      gets: [environmentRead(environments.blank), environmentRead(environments.openData)],
    },
    {
      what: 'how many values one has costs nothing beside the values',
      query: `{ environment(uid: "${environments.production}") { valueCount values { key } } }`,
      data: {
        environment: {
          valueCount: 5,
          values: ['baseUrl', 'riderToken', 'mapsKey', 'city', 'traceEverything'].map((key) => ({ key })),
        },
      },
      gets: [environmentRead(environments.production)],
    },
    {
      what: 'how many values each has, without the values, is one read each',
      query: `{
        a: environment(uid: "${environments.blank}") { valueCount }
        b: environment(uid: "${environments.openData}") { valueCount }
      }`,
      data: { a: { valueCount: 0 }, b: { valueCount: 2 } },
      gets: [environmentRead(environments.blank), environmentRead(environments.openData)],
    },
  ])('$what', expectPlan);
});

describe('the account', () => {
  it.each<Plan>([
    {
      what: 'its user is one call, under however many aliases',
      query: '{ me { username } again: me { id teamId } }',
      data: { me: { username: 'ines-aldana' }, again: { id: ids.users.ines, teamId: String(ids.team) } },
      gets: ['GET /me'],
    },
    {
      what: 'its budget is no call',
      query: '{ rateLimit { limit } }',
      data: { rateLimit: { limit: 10_000 } },
      gets: [],
    },
    {
      what: 'nothing of Postman is no call',
      query: '{ __typename __type(name: "Workspace") { name } }',
      data: { __typename: 'Query', __type: { name: 'Workspace' } },
      gets: [],
    },
  ])('$what', expectPlan);
});

describe('selections are analysed', () => {
  const summaries = { workspace: { collections: { nodes: [{ updatedAt: '2026-01-07T08:00:00.000Z' }] } } };
  const names = { workspace: { collections: named('Open Data API') } };
  const list = [collectionList(workspaces.openData)];
  const refs = [workspaceRead(workspaces.openData)];
  const workspace = `workspace(id: "${workspaces.openData}")`;

  it.each<Plan>([
    {
      what: 'through edges as through nodes',
      query: `{ ${workspace} { collections { edges { node { name } } } } }`,
      data: { workspace: { collections: { edges: [{ node: { name: 'Open Data API' } }] } } },
      gets: refs,
    },
    {
      what: 'through edges and nodes together',
      query: `{ ${workspace} { collections { nodes { name } edges { node { updatedAt } } } } }`,
      data: {
        workspace: {
          collections: {
            nodes: [{ name: 'Open Data API' }],
            edges: [{ node: { updatedAt: '2026-01-07T08:00:00.000Z' } }],
          },
        },
      },
      gets: list,
    },
    {
      what: 'in named fragments, nested, and in inline fragments with and without a type',
      query: `query { ${workspace} { ...A } }
        fragment A on Workspace { ... on Workspace { ... { collections { ...B } } } }
        fragment B on CollectionConnection { nodes { ...C ...C } }
        fragment C on Collection { updatedAt }`,
      data: summaries,
      gets: list,
    },
    {
      what: 'under aliases and in fields given twice',
      query: `{ ${workspace} { collections { nodes { name } } collections { nodes { updated: updatedAt } } } }`,
      data: {
        workspace: { collections: { nodes: [{ name: 'Open Data API', updated: '2026-01-07T08:00:00.000Z' }] } },
      },
      gets: list,
    },
    {
      what: 'but not where @include is false',
      query: `query ($with: Boolean!) { ${workspace} { collections { nodes { name updatedAt @include(if: $with) } } } }`,
      variables: { with: false },
      data: names,
      gets: refs,
    },
    {
      what: 'where @include is true',
      query: `query ($with: Boolean!) { ${workspace} { collections { nodes { ... @include(if: $with) { updatedAt } } } } }`,
      variables: { with: true },
      data: summaries,
      gets: list,
    },
    {
      what: 'but not in a fragment that @skip leaves out',
      query: `query ($without: Boolean = true) { ${workspace} { collections { nodes { name ...Dates @skip(if: $without) } } } }
        fragment Dates on Collection { updatedAt }`,
      data: names,
      gets: refs,
    },
    {
      what: 'but not in a whole list that @skip leaves out',
      query: `{ ${workspace} { collections @skip(if: true) { nodes { updatedAt } } name } }`,
      data: { workspace: { name: 'Kestrel Open Data' } },
      gets: refs,
    },
  ])('$what', expectPlan);
});

describe('fields of one operation share responses', () => {
  const updatedAt = '2026-01-07T08:00:00.000Z';
  const { cityPilot, archive } = workspaces;

  it.each<Plan>([
    {
      what: 'a workspace that a list has needs no read',
      query: `{ workspace(id: "${platform}") { name } workspaces(first: 1) { nodes { id } } }`,
      data: { workspace: { name: 'Rider Platform' }, workspaces: { nodes: [{ id: platform }] } },
      gets: [allWorkspaces],
    },
    {
      what: 'a workspace that the list has not is read after it',
      query: `{ workspace(id: "${archive}") { name } workspaces(visibility: PRIVATE) { totalCount } }`,
      data: { workspace: { name: 'Archive 2023' }, workspaces: { totalCount: 1 } },
      gets: ['GET /workspaces?type=private&limit=100', workspaceRead(archive)],
    },
    {
      what: 'a collection that a list has needs no read, nor a search for whether it is public',
      query: `{
        collection(uid: "${collections.openData}") { updatedAt isPublic }
        collections(workspaceId: "${workspaces.openData}") { nodes { updatedAt } }
      }`,
      data: { collection: { updatedAt, isPublic: true }, collections: { nodes: [{ updatedAt }] } },
      gets: [collectionList(workspaces.openData)],
    },
    {
      what: 'an environment that a list has needs no read',
      query: `{ environment(uid: "${environments.local}") { isPublic } environments(first: 1) { nodes { name } } }`,
      data: { environment: { isPublic: false }, environments: named('Local') },
      gets: ['GET /environments'],
    },
    {
      what: 'an environment that the list has not is read after it',
      query: `{
        environment(uid: "${environments.openData}") { name }
        workspace(id: "${platform}") { environments(first: 1) { nodes { name } } }
      }`,
      data: { environment: { name: 'Open data' }, workspace: { environments: named('Local') } },
      gets: [environmentList(platform), environmentRead(environments.openData)],
    },
    {
      what: 'names in a list that has been begun need no read of the workspace',
      query: `{
        collections(workspaceId: "${platform}", first: 1) { nodes { updatedAt } }
        workspaces(first: 1) { nodes { collections(first: 1) { nodes { name } } } }
      }`,
      data: {
        collections: { nodes: [{ updatedAt: '2026-03-02T15:40:09.000Z' }] },
        workspaces: { nodes: [{ collections: named('Rides API') }] },
      },
      gets: [allWorkspaces, collectionList(platform)],
    },
    {
      what: 'a list of a workspace that is not empty shows that an empty one is no mistake',
      query: `{ workspace(id: "${cityPilot}") {
        collections { nodes { isPublic } } environments { nodes { updatedAt } }
      } }`,
      data: { workspace: { collections: { nodes: [{ isPublic: false }] }, environments: { nodes: [] } } },
      gets: [collectionList(cityPilot), environmentList(cityPilot)],
    },
    {
      what: 'so does a list that has the workspace',
      query: `{ environments(workspaceId: "${archive}") { totalCount } workspaces(first: 1) { nodes { id } } }`,
      data: { environments: { totalCount: 0 }, workspaces: { nodes: [{ id: platform }] } },
      gets: [environmentList(archive), allWorkspaces],
    },
    {
      what: 'a workspace that is read shows what it has nothing of',
      query: `{ workspace(id: "${cityPilot}") { updaterId environments { nodes { updatedAt } } } }`,
      data: { workspace: { updaterId: ids.users.ines, environments: { nodes: [] } } },
      gets: [workspaceRead(cityPilot)],
    },
  ])('$what', expectPlan);
});

describe('with a cache', () => {
  it('repeating a query within its lifetime costs nothing', async () => {
    const cached = await startFacade();
    const query = `{
      workspace(id: "${platform}") { name collections { nodes { name } } }
      collection(uid: "${collections.openData}") { isPublic }
    }`;
    const first = await cached.query(query);
    const { length } = cached.postman.calls;
    const second = await cached.query(query);
    await cached.close();
    expect(first.upstream).toMatchObject({ calls: 3, cached: 0 });
    expect(second.upstream).toMatchObject({ calls: 0, cached: 2 });
    expect(second.data).toEqual(first.data);
    expect(cached.postman.calls).toHaveLength(length);
  });

  it('data read by another query costs nothing', async () => {
    const cached = await startFacade();
    await cached.query(`{ workspace(id: "${platform}") { description } }`);
    const { data, upstream } = await cached.query(
      `{ workspace(id: "${platform}") { collections { nodes { name } } environments { nodes { name } } } }`,
    );
    await cached.close();
    expect(data).toEqual({
      workspace: { collections: named(...platformCollections), environments: named(...platformEnvironments) },
    });
    expect(upstream).toMatchObject({ calls: 0, cached: 1 });
    expect(cached.postman.calls).toEqual([workspaceRead(platform)]);
  });
});
