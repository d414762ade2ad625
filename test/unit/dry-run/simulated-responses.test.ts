import { describe, expect, it } from 'vitest';
import { createScenarioWorld } from '../../../src/dry-run/scenario-world.ts';
import { createSimulatedIds } from '../../../src/dry-run/simulated-ids.ts';
import {
  collectionCall,
  collectionMinimalCall,
  collectionsByNameCall,
  collectionsCall,
} from '../../../src/upstream/postman/resources/collections.ts';
import { environmentCall, environmentsCall } from '../../../src/upstream/postman/resources/environments.ts';
import { meCall } from '../../../src/upstream/postman/resources/me.ts';
import { mockCall, mocksCall } from '../../../src/upstream/postman/resources/mocks.ts';
import type { PostmanCall } from '../../../src/upstream/postman/postman-call.ts';
import { usersCall } from '../../../src/upstream/postman/resources/users.ts';
import { routes } from '../../../src/upstream/postman/routes.ts';
import {
  globalsCall,
  workspaceCall,
  workspacesCall,
  workspacesOfCollectionCall,
} from '../../../src/upstream/postman/resources/workspaces.ts';

const workspace = {
  id: 'w',
  collections: [{ id: 'c', uid: '1-c' }],
  environments: [{ id: 'e', uid: '1-e' }],
  mocks: [],
};
const collections = { collections: [{ id: 'c', uid: '1-c' }], meta: { total: 1 } };

/** A call of each route, with the smallest response body that upstream sends. */
const responses: readonly (readonly [string, PostmanCall<unknown, null>, object])[] = [
  ['me', meCall(), { user: { id: 1 } }],
  ['users', usersCall(), { data: [{ id: 1 }] }],
  ['workspaces', workspacesCall({ visibility: 'team' }, null), { workspaces: [workspace] }],
  ['further workspaces', workspacesCall({}, 'cursor'), { workspaces: [workspace] }],
  ['workspaces of a collection', workspacesOfCollectionCall('1-c'), { workspaces: [workspace] }],
  ['workspace', workspaceCall('w'), { workspace }],
  ['globals', globalsCall('w'), { values: [{ key: 'k' }] }],
  ['collections', collectionsCall('w', 99), collections],
  ['collections of everything', collectionsCall(null, 0), collections],
  ['collections by name', collectionsByNameCall('n', null), collections],
  ['collection', collectionCall('1-c'), { collection: { info: {}, item: [{}] } }],
  ['collection without its tree', collectionMinimalCall('1-c'), { collection: { info: {} } }],
  ['environments', environmentsCall('w'), { environments: [{ id: 'e', uid: '1-e' }] }],
  ['environment', environmentCall('1-e'), { environment: { id: 'e', values: [{ key: 'k' }] } }],
  ['mocks', mocksCall('w'), { mocks: [{ id: 'm', uid: '1-m' }] }],
  ['mock', mockCall('1-m'), { mock: { id: 'm' } }],
];

function toWorld(exists: boolean, target: string) {
  const ids = createSimulatedIds({ cursors: [], ordersLists: false, longestPage: 3 });
  return createScenarioWorld({ exists, respondToFirst: 'oldest' }, ids, { add() {} }).viewFor(target);
}

/** Returns the paths that a parsed response has and a simulated one lacks. */
function missingIn(simulated: unknown, parsed: unknown, path = ''): readonly string[] {
  if (Array.isArray(parsed)) {
    if (!Array.isArray(simulated)) return [path];
    return parsed.length === 0 || simulated.length === 0 ? [] : missingIn(simulated[0], parsed[0], `${path}[]`);
  }
  if (typeof parsed !== 'object' || parsed === null) return [];
  if (typeof simulated !== 'object' || simulated === null) return [path];
  return Object.entries(parsed).flatMap(([key, value]) =>
    key in simulated
      ? missingIn((simulated as Readonly<Record<string, unknown>>)[key], value, `${path}.${key}`)
      : [`${path}.${key}`],
  );
}

describe('the simulated response', () => {
  it('is tested here for every route', () => {
    expect(new Set(responses.map(([, { route }]) => route))).toEqual(new Set(routes));
  });

  it.each(responses)('of %s has everything that a parsed one has', (_what, call, body) => {
    const simulated = call.simulate(toWorld(true, call.target));
    const parsed = call.parse(body);
    expect(simulated).not.toBeNull();
    expect(missingIn(simulated, call.withoutContents?.(parsed) ?? parsed)).toEqual([]);
  });

  it.each(responses)('of %s names nothing if nothing exists', (_what, call) => {
    const simulated = call.simulate(toWorld(false, call.target));
    const { items = simulated } = { ...(simulated as { readonly items?: unknown } | null) };
    const isUser = call.route.template === '/me';
    expect(items).toEqual(isUser ? simulated : call.whenMissing === null && !isListed(call) ? null : []);
  });
});

const isListed = ({ target }: PostmanCall<unknown, null>) => target.includes('elementId=');
