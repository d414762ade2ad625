import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Call } from '../../../src/upstream/postman/call.ts';
import type { Calls } from '../../../src/upstream/calls/calls.ts';
import type { Operation } from '../../../src/upstream/calls/operation/operation.ts';
import {
  collectionCall,
  collectionMinimalCall,
  collectionsByNameCall,
  collectionsCall,
} from '../../../src/upstream/postman/resources/collections.ts';
import { environmentCall, environmentsCall } from '../../../src/upstream/postman/resources/environments.ts';
import { meCall } from '../../../src/upstream/postman/resources/me.ts';
import { usersCall } from '../../../src/upstream/postman/resources/users.ts';
import { mockCall, mocksCall } from '../../../src/upstream/postman/resources/mocks.ts';
import { toListCall } from '../../../src/upstream/postman/list-calls.ts';
import { listedBy, type PostmanCall } from '../../../src/upstream/postman/postman-call.ts';
import { routes } from '../../../src/upstream/postman/routes.ts';
import { createFailingSession, createPostmanSession } from '../../../src/upstream/calls/postman-session.ts';
import {
  globalsCall,
  workspaceCall,
  workspacesCall,
  workspacesOfCollectionCall,
} from '../../../src/upstream/postman/resources/workspaces.ts';
import { createReadLists } from '../../../src/upstream/calls/cached-reads/read-lists.ts';
import { UpstreamError, type UpstreamErrorKind } from '../../../src/upstream/http/upstream-error.ts';

const userIds: string[] = [];
const operation = {
  belongsTo: (userId) => void userIds.push(userId),
  caller: { keyHash: 'key' },
} as Operation;

const nothingCached = {
  prepare: () => undefined,
  isCached: () => false,
  load: () => undefined,
  cachedOutcome: () => undefined,
  lastOutcome: () => undefined,
  sizesOf: () => undefined,
  retainForRetry() {},
  repeatReads() {},
  sharedChanges: () => 0,
  cachesAny: () => false,
  cachedLists: () => [],
  loadLists: () => undefined,
  readLists: createReadLists(),
  apiKeys: { isAccepted: () => true },
  circuitBreakers: { isOpen: () => false, openCircuits: () => ({ ofAllKeys: false, ofOneKey: 0 }) },
  fairShareOf: () => 'tenant',
  isRenewable: () => false,
};

/** A session that records its calls; each settles with the result of `answer`. */
function createSession(answer: (call: Call<unknown>) => unknown = () => ({})) {
  const made: Call<unknown>[] = [];
  const calls: Calls = {
    ...nothingCached,
    async make(call, forOperation) {
      expect(forOperation).toBe(operation);
      made.push(call);
      return (await answer(call)) as never;
    },
  };
  return { session: createPostmanSession(calls, operation), made };
}

const failing = (kind: UpstreamErrorKind) =>
  createSession(() => Promise.reject(new UpstreamError(kind, 'no', { route: '/x' }))).session;

const reads: readonly (readonly [string, PostmanCall<unknown, null>, string, string, string])[] = [
  ['me', meCall(), '/me', '/me', 'general'],
  ['workspaces', workspacesCall({}, null), '/workspaces?limit=100', '/workspaces', 'burst'],
  [
    'workspaces, narrowed and paged',
    workspacesCall({ visibility: 'team', createdBy: '7' }, 'a b+c/='),
    '/workspaces?type=team&createdBy=7&limit=100&cursor=a%20b%2Bc%2F%3D',
    '/workspaces',
    'burst',
  ],
  ['workspace', workspaceCall('w-1'), '/workspaces/w-1?include=team,mocks:deactivated', '/workspaces/{id}', 'burst'],
  ['globals', globalsCall('w-1'), '/workspaces/w-1/global-variables', '/workspaces/{id}/global-variables', 'general'],
  [
    'workspaces of a collection',
    workspacesOfCollectionCall('1-c'),
    '/workspaces?elementType=collection&elementId=1-c',
    '/workspaces',
    'burst',
  ],
  ['collections', collectionsCall('w-1', 99), '/collections?workspace=w-1&limit=99&offset=99', '/collections', 'burst'],
  ['collections of everything', collectionsCall(null, 0), '/collections?limit=99&offset=0', '/collections', 'burst'],
  [
    'collections by name',
    collectionsByNameCall('Grüße & more', 'w-1'),
    '/collections?workspace=w-1&name=Gr%C3%BC%C3%9Fe%20%26%20more',
    '/collections',
    'burst',
  ],
  [
    'collections by name of everything',
    collectionsByNameCall('x', null),
    '/collections?name=x',
    '/collections',
    'burst',
  ],
  [
    'collections by name with half a character',
    collectionsByNameCall('a\uD800\u{1F600}', null),
    '/collections?name=a%EF%BF%BD%F0%9F%98%80',
    '/collections',
    'burst',
  ],
  ['collection', collectionCall('1-c'), '/collections/1-c', '/collections/{uid}', 'general'],
  [
    'collection without its tree',
    collectionMinimalCall('1-c'),
    '/collections/1-c?model=minimal',
    '/collections/{uid}',
    'general',
  ],
  ['environments', environmentsCall('w-1'), '/environments?workspace=w-1', '/environments', 'general'],
  ['environments of everything', environmentsCall(null), '/environments', '/environments', 'general'],
  ['environment', environmentCall('1-e'), '/environments/1-e', '/environments/{uid}', 'general'],
  ['mocks', mocksCall('w-1'), '/mocks?workspace=w-1', '/mocks', 'general'],
  ['mocks of the key itself', mocksCall(null), '/mocks', '/mocks', 'general'],
  ['mock', mockCall('1-m'), '/mocks/1-m', '/mocks/{uid}', 'general'],
  ['users', usersCall(), '/users', '/users', 'general'],
];

const singleReads: readonly (readonly [string, PostmanCall<unknown, null>])[] = [
  ['workspace', workspaceCall('w-1')],
  ['globals', globalsCall('w-1')],
  ['workspaces of a collection', workspacesOfCollectionCall('1-c')],
  ['collection', collectionCall('1-c')],
  ['collection without its tree', collectionMinimalCall('1-c')],
  ['environment', environmentCall('1-e')],
  ['mock', mockCall('1-m')],
];

describe('createPostmanSession', () => {
  it.each(reads)('%s makes one call', async (_, call, target, template, routeClass) => {
    const { session, made } = createSession();
    await session.get(call);
    expect(made.map((one) => [one.target, one.route.template, one.route.routeClass])).toEqual([
      [target, template, routeClass],
    ]);
  });

  it.each(singleReads)(
    '%s returns null if the object does not exist, and throws every other error',
    async (_, call) => {
      expect(await failing('notFound').get(call)).toBeNull();
      await expect(failing('forbidden').get(call)).rejects.toMatchObject({ kind: 'forbidden' });
      await expect(failing('rateLimited').get(call)).rejects.toMatchObject({ kind: 'rateLimited' });
    },
  );

  it.each<[string, PostmanCall<unknown, null>]>([
    ['me', meCall()],
    ['workspaces', workspacesCall({}, null)],
    ['collections', collectionsCall(null, 0)],
    ['collections by name', collectionsByNameCall('x', null)],
    ['environments', environmentsCall(null)],
    ['mocks', mocksCall(null)],
    ['users', usersCall()],
  ])('%s throws if upstream says that there is no such route', async (_, call) => {
    await expect(failing('notFound').get(call)).rejects.toMatchObject({ kind: 'notFound' });
  });

  it('parses a response with the parser of its call', async () => {
    const { session } = createSession(({ parse }) => parse({ user: { id: 7, username: 'ada' } }));
    expect(await session.get(meCall())).toMatchObject({ id: '7', username: 'ada' });
    expect(userIds.at(-1)).toBe('7');
    await expect(session.get(collectionCall('1-c'))).rejects.toThrow('The response has no object "collection".');
  });
});

describe('toListCall', () => {
  it.each(reads)('%s is made again from its target if its response shows other objects', (_, call) => {
    const again = toListCall(call.route.template, call.target);
    const isList = call.contents !== undefined || listedBy(call.route) !== undefined;
    expect(again && [again.target, again.route, typeof again.contents]).toEqual(
      isList ? [call.target, call.route, typeof call.contents] : undefined,
    );
  });

  it.each([
    ['/collections', '/collections?limit=10&offset=0'],
    ['/collections', '/collections?limit=99&offset=x'],
    ['/workspaces', '/workspaces?limit=100&sort=name'],
    ['/workspaces/{id}', '/workspaces/w-1'],
    ['/mocks', '/mocks?active=true'],
    ['/tasks', '/tasks'],
  ])('is undefined for what this version does not call: %s, %s', (template, target) => {
    expect(toListCall(template, target)).toBeUndefined();
  });

  it('keeps identifiers that a URL encodes', () => {
    for (const id of ['..', 'a/b?c&d=%', 'ü +']) {
      const { route, target } = workspaceCall(id);
      expect(toListCall(route.template, target)?.target).toBe(target);
    }
  });
});

describe('createFailingSession', () => {
  const session = createFailingSession((route) => new UpstreamError('unauthenticated', 'no key', { route }));

  it.each(reads)('%s fails, and counts neither as cached nor as renewable', async (_, call, __, template) => {
    await expect(session.get(call)).rejects.toMatchObject({ kind: 'unauthenticated', route: template });
    expect([session.isCached(call), session.isRenewable(call)]).toEqual([false, false]);
  });
});

describe('routes', () => {
  it('lists every route that the resource files declare', async () => {
    const folder = new URL('../../../src/upstream/postman/resources/', import.meta.url);
    const files = await readdir(folder);
    const modules = await Promise.all(files.map((file) => import(new URL(file, folder).href) as Promise<object>));
    const declared = modules.flatMap((module) =>
      Object.entries(module).flatMap(([name, value]) => (name.endsWith('Route') ? [value as unknown] : [])),
    );
    expect(new Set(declared)).toEqual(new Set(routes));
    expect(declared).toHaveLength(routes.length);
  });

  it('gives every route its own template', () => {
    expect(new Set(routes.map(({ template }) => template)).size).toBe(routes.length);
  });
});
