import { type Account, toUid } from '../src/sandbox/account/account.ts';
import { createDemoAccount } from '../src/sandbox/account/demo.ts';

const toId = (kind: number, index: number) => `${kind}0000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

/** Creates an account of equal workspaces, each with equal collections that have descriptions and no items. */
export function createWideAccount(workspaceCount: number, collectionsEach: number): Account {
  const demo = createDemoAccount();
  const [workspace] = demo.workspaces;
  const [collection] = demo.collections;
  if (!workspace || !collection) throw new TypeError('The demo account has a workspace and a collection');
  const collections = Array.from({ length: workspaceCount * collectionsEach }, (_, index) => ({
    ...collection,
    id: toId(2, index),
    document: { ...collection.document, item: [] },
  }));
  const workspaces = Array.from({ length: workspaceCount }, (_, index) => ({
    ...workspace,
    id: toId(1, index),
    collections: collections.slice(index * collectionsEach, (index + 1) * collectionsEach).map(toUid),
  }));
  return { ...demo, collections, workspaces };
}
