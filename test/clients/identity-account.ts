import type { Account, StoredCollection, StoredEnvironment } from '../../src/sandbox/account/account.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';

const AT = '2026-01-01T00:00:00.000Z';
/** The owners of the objects: a collection is shared with a copy of another user under the same UUID. */
const OWNERS = ['41829063', '55301274'] as const;
const UUID = '6b3a7e10-0000-4000-8000-000000000001';

/** The uids of both collections, and of both environments. */
export const uids = OWNERS.map((owner) => `${owner}-${UUID}`);
/** The names of the objects of a type, in the order of lists. */
export const namesOf = (type: string) => OWNERS.map((owner) => `${type} of ${owner}`);

/**
 * Two collections, and two environments, each pair of one UUID. Each collection has one request with one example; they
 * have the ids of those in the other collection.
 */
export function createIdentityAccount(): Account {
  const stored = (owner: string) => ({ id: UUID, owner, isPublic: false, createdAt: AT, updatedAt: AT });
  const collections = OWNERS.map((owner): StoredCollection => {
    const name = `Collection of ${owner}`;
    const item = {
      id: UUID.replace('1', '2'),
      name: `Request of ${owner}`,
      request: { method: 'GET', url: 'https://a.example' },
      response: [{ id: UUID.replace('1', '3'), name: `Example of ${owner}`, code: 200 }],
    };
    const schema = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json';
    const document = { info: { name, description: `About ${name}`, schema }, item: [item] };
    return {
      ...stored(owner),
      name,
      lastUpdatedBy: owner,
      document,
    };
  });
  const environments = OWNERS.map(
    (owner): StoredEnvironment => ({ ...stored(owner), name: `Environment of ${owner}`, values: [] }),
  );
  return { user: createDemoAccount().user, workspaces: [], collections, environments };
}
