import { isObjectType } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LeveledType } from '../../src/upstream/postman/levels.ts';
import { createSchema } from '../../src/graph/schema.ts';
import type { Level } from '../../src/upstream/postman/levels.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';

type Row = Readonly<Record<string, unknown>>;

/** For each field, the members of a response that carry it, according to the documentation of the Postman API. */
const members: Readonly<Record<LeveledType, Readonly<Record<string, readonly string[]>>>> = {
  Workspace: {
    id: ['id'],
    name: ['name'],
    type: ['type'],
    visibility: ['visibility'],
    about: ['about'],
    description: ['description'],
    createdAt: ['createdAt'],
    updatedAt: ['updatedAt'],
    creatorId: ['createdBy'],
    creator: ['createdBy'],
    updaterId: ['updatedBy'],
    updater: ['updatedBy'],
    teamId: ['team'],
  },
  Collection: {
    id: ['id', '_postman_id'],
    uid: ['uid'],
    name: ['name'],
    ownerId: ['owner', 'uid'],
    owner: ['owner', 'uid'],
    description: ['description'],
    isPublic: ['isPublic'],
    createdAt: ['createdAt'],
    updatedAt: ['updatedAt'],
    updaterId: ['lastUpdatedBy'],
    updater: ['lastUpdatedBy'],
    fork: ['fork'],
    formatVersion: ['schema'],
    variables: ['variable'],
    auth: ['auth'],
    scripts: ['event', 'events'],
    items: ['item'],
    folders: ['item'],
    requests: ['item'],
    json: ['item'],
  },
  Environment: {
    id: ['id'],
    uid: ['uid', 'owner'],
    name: ['name'],
    ownerId: ['owner', 'uid'],
    owner: ['owner', 'uid'],
    isPublic: ['isPublic'],
    createdAt: ['createdAt'],
    updatedAt: ['updatedAt'],
    values: ['values'],
    valueCount: ['values'],
  },
  Mock: {
    id: ['id'],
    uid: ['uid'],
    name: ['name'],
    ownerId: ['owner', 'uid'],
    owner: ['owner', 'uid'],
    isActive: ['deactivated', 'mockUrl'],
    isPublic: ['isPublic'],
    url: ['mockUrl'],
    createdAt: ['createdAt'],
    updatedAt: ['updatedAt'],
    delayMs: ['config'],
    matching: ['config'],
    collectionUid: ['collection'],
    collection: ['collection'],
    environmentUid: ['environment'],
    environment: ['environment'],
  },
};

let postman: Sandbox;
beforeAll(async () => {
  postman = await startSandbox({ limits: 'off' });
});
afterAll(() => postman.close());

const get = async (target: string): Promise<Record<string, never>> => {
  const response = await fetch(postman.origin + target, { headers: { 'x-api-key': postman.apiKey } });
  return (await response.json()) as Record<string, never>;
};
const getAll = (targets: readonly string[], key: string) =>
  Promise.all(targets.map(async (target) => (await get(target))[key] as unknown as Row));
const inHead = (collections: readonly Row[]) => collections.map(({ info, ...rest }) => ({ ...rest, ...(info as Row) }));

it.each(['Workspace', 'Collection', 'Environment', 'Mock'] as const)(
  'the answers of %s carry what its fields are declared to be carried by, and nothing else does',
  async (typeName) => {
    const account = createDemoAccount();
    const toUids = (things: readonly { owner: string; id: string }[]) =>
      things.map(({ owner, id }) => `${owner}-${id}`);
    const workspaces = await getAll(
      account.workspaces.map(({ id }) => `/workspaces/${id}?include=team,mocks:deactivated`),
      'workspace',
    );
    const collectionTargets = toUids(account.collections).map((uid) => `/collections/${uid}`);
    const answers: Readonly<Record<LeveledType, Partial<Record<Level, readonly Row[]>>>> = {
      Workspace: { summary: (await get('/workspaces'))['workspaces'] ?? [], detail: workspaces },
      Collection: {
        ref: workspaces.flatMap(({ collections }) => collections as readonly Row[]),
        summary: (await get('/collections'))['collections'] ?? [],
        minimal: inHead(
          await getAll(
            collectionTargets.map((target) => `${target}?model=minimal`),
            'collection',
          ),
        ),
        detail: inHead(await getAll(collectionTargets, 'collection')),
      },
      Environment: {
        ref: workspaces.flatMap(({ environments }) => environments as readonly Row[]),
        summary: (await get('/environments'))['environments'] ?? [],
        detail: await getAll(
          toUids(account.environments).map((uid) => `/environments/${uid}`),
          'environment',
        ),
      },
      Mock: {
        ref: workspaces.flatMap(({ mocks }) => mocks as readonly Row[]),
        summary: (await get('/mocks'))['mocks'] ?? [],
        detail: await getAll(
          toUids(account.mocks ?? []).map((uid) => `/mocks/${uid}`),
          'mock',
        ),
      },
    };
    const rowsOf = Object.entries(answers[typeName]);
    const type = createSchema().getType(typeName);
    if (!isObjectType(type)) throw new TypeError(`${typeName} is not an object type`);

    const declared: Record<string, readonly string[]> = {};
    const carried: Record<string, readonly string[]> = {};
    for (const [name, { extensions }] of Object.entries(type.getFields())) {
      const levels = extensions['carriedBy'] as readonly Level[];
      // Needs a separate call: no response about the object itself has it.
      if (levels.includes('dedicated')) continue;
      // Every response carries the members of refs and identifiers.
      if (!members[typeName][name])
        throw new TypeError(`test/contract/carried-fields.test.ts: add ${typeName}.${name} to members`);
      declared[name] = levels.includes('ref') ? rowsOf.map(([level]) => level) : levels;
      carried[name] = rowsOf
        .filter(([, rows]) => rows.some((row) => members[typeName][name]?.some((member) => row[member] != null)))
        .map(([level]) => level);
    }
    expect(carried).toEqual(declared);
  },
);
