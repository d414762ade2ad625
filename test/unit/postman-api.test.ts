import { describe, expect, it } from 'vitest';
import type { Call } from '../../src/upstream/call.ts';
import type { Calls } from '../../src/upstream/calls.ts';
import type { Operation } from '../../src/upstream/operation.ts';
import { createPostmanApi, type PostmanApi } from '../../src/upstream/postman-api.ts';
import { UpstreamError, type UpstreamErrorKind } from '../../src/upstream/upstream-error.ts';

const userIds: string[] = [];
const operation = { tenant: 'tenant', belongsTo: (userId) => void userIds.push(userId) } as Operation;

const nothingKept = {
  kept: () => undefined,
  lastOutcome: () => undefined,
  sizesOf: () => undefined,
  holdOver() {},
  keepsAny: () => false,
  isKeyAccepted: () => true,
  isCircuitOpen: () => false,
  fairShareOf: () => 'tenant',
  isRenewable: () => false,
};

/** An API whose calls are noted and come to what `answer` gives. */
function createApi(answer: (call: Call<unknown>) => unknown = () => ({})) {
  const made: Call<unknown>[] = [];
  const calls: Calls = {
    ...nothingKept,
    async make(call, forOperation) {
      expect(forOperation).toBe(operation);
      made.push(call);
      return (await answer(call)) as never;
    },
  };
  return { api: createPostmanApi(calls, operation), made };
}

const failing = (kind: UpstreamErrorKind) =>
  createApi(() => Promise.reject(new UpstreamError(kind, 'no', { route: '/x' }))).api;

const reads: readonly (readonly [string, (api: PostmanApi) => Promise<unknown>, string, string, string])[] = [
  ['getMe', (api) => api.getMe(), '/me', '/me', 'general'],
  ['getWorkspaces', (api) => api.getWorkspaces({}, null), '/workspaces?limit=100', '/workspaces', 'burst'],
  [
    'getWorkspaces, narrowed and paged',
    (api) => api.getWorkspaces({ visibility: 'team', createdBy: '7' }, 'a b+c/='),
    '/workspaces?type=team&createdBy=7&limit=100&cursor=a%20b%2Bc%2F%3D',
    '/workspaces',
    'burst',
  ],
  [
    'getWorkspace',
    (api) => api.getWorkspace('w-1'),
    '/workspaces/w-1?include=team,mocks:deactivated',
    '/workspaces/{id}',
    'burst',
  ],
  [
    'getGlobalVariables',
    (api) => api.getGlobalVariables('w-1'),
    '/workspaces/w-1/global-variables',
    '/workspaces/{id}/global-variables',
    'general',
  ],
  [
    'getWorkspacesOfCollection',
    (api) => api.getWorkspacesOfCollection('1-c'),
    '/workspaces?elementType=collection&elementId=1-c',
    '/workspaces',
    'burst',
  ],
  [
    'getCollections',
    (api) => api.getCollections('w-1', 99),
    '/collections?workspace=w-1&limit=99&offset=99',
    '/collections',
    'burst',
  ],
  [
    'getCollections of everything',
    (api) => api.getCollections(null, 0),
    '/collections?limit=99&offset=0',
    '/collections',
    'burst',
  ],
  [
    'getCollectionsByName',
    (api) => api.getCollectionsByName('Grüße & more', 'w-1'),
    '/collections?workspace=w-1&name=Gr%C3%BC%C3%9Fe%20%26%20more',
    '/collections',
    'burst',
  ],
  [
    'getCollectionsByName of everything',
    (api) => api.getCollectionsByName('x', null),
    '/collections?name=x',
    '/collections',
    'burst',
  ],
  [
    'getCollectionsByName with half a character',
    (api) => api.getCollectionsByName('a\uD800\u{1F600}', null),
    '/collections?name=a%EF%BF%BD%F0%9F%98%80',
    '/collections',
    'burst',
  ],
  ['getCollection', (api) => api.getCollection('1-c'), '/collections/1-c', '/collections/{uid}', 'general'],
  [
    'getCollectionMinimal',
    (api) => api.getCollectionMinimal('1-c'),
    '/collections/1-c?model=minimal',
    '/collections/{uid}',
    'general',
  ],
  ['getEnvironments', (api) => api.getEnvironments('w-1'), '/environments?workspace=w-1', '/environments', 'general'],
  ['getEnvironments of everything', (api) => api.getEnvironments(null), '/environments', '/environments', 'general'],
  ['getEnvironment', (api) => api.getEnvironment('1-e'), '/environments/1-e', '/environments/{uid}', 'general'],
];

const singleReads: readonly (readonly [string, (api: PostmanApi) => Promise<unknown>])[] = [
  ['getWorkspace', (api) => api.getWorkspace('w-1')],
  ['getGlobalVariables', (api) => api.getGlobalVariables('w-1')],
  ['getWorkspacesOfCollection', (api) => api.getWorkspacesOfCollection('1-c')],
  ['getCollection', (api) => api.getCollection('1-c')],
  ['getCollectionMinimal', (api) => api.getCollectionMinimal('1-c')],
  ['getEnvironment', (api) => api.getEnvironment('1-e')],
];

describe('createPostmanApi', () => {
  it.each(reads)('%s makes one call', async (_, read, target, template, routeClass) => {
    const { api, made } = createApi();
    await read(api);
    expect(made.map((call) => [call.target, call.route])).toEqual([[target, { template, routeClass }]]);
  });

  it.each(singleReads)('%s gives null for what does not exist, and throws everything else', async (_, read) => {
    expect(await read(failing('notFound'))).toBeNull();
    await expect(read(failing('forbidden'))).rejects.toMatchObject({ kind: 'forbidden' });
    await expect(read(failing('rateLimited'))).rejects.toMatchObject({ kind: 'rateLimited' });
  });

  it.each<[string, (api: PostmanApi) => Promise<unknown>]>([
    ['getMe', (api) => api.getMe()],
    ['getWorkspaces', (api) => api.getWorkspaces({}, null)],
    ['getCollections', (api) => api.getCollections(null, 0)],
    ['getCollectionsByName', (api) => api.getCollectionsByName('x', null)],
    ['getEnvironments', (api) => api.getEnvironments(null)],
  ])('%s throws where upstream says that there is no such route', async (_, read) => {
    await expect(read(failing('notFound'))).rejects.toMatchObject({ kind: 'notFound' });
  });

  it.each(reads)('%s makes no call where there is nothing to call with', async (_, read, __, template) => {
    const { made } = createApi();
    const calls: Calls = { ...nothingKept, make: () => Promise.reject(new Error('no call was expected')) };
    const api = createPostmanApi(calls, (route) => new UpstreamError('unauthenticated', 'no key', { route }));
    await expect(read(api)).rejects.toMatchObject({ kind: 'unauthenticated', route: template });
    expect(made).toEqual([]);
  });

  it('reads answers by the rules of their route', async () => {
    const { api } = createApi(({ parse }) => parse({ user: { id: 7, username: 'ada' } }));
    expect(await api.getMe()).toMatchObject({ id: '7', username: 'ada' });
    expect(userIds.at(-1)).toBe('7');
    await expect(api.getCollection('1-c')).rejects.toThrow('The answer has no object "collection".');
  });
});
