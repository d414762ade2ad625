import type { Account } from '../../src/sandbox/account/account.ts';
import { createGridAccount } from './grid-account.ts';

/** An account for searches. */
export interface SearchAccount {
  readonly account: Account;
  readonly workspaceIds: readonly string[];
  readonly uids: readonly string[];
}

/**
 * Creates an account whose collections have that many requests: `Request <collection>.<number>`, each in a folder
 * `Folder <collection>.<number>`.
 *
 * @param sizes - Number of requests, by collection.
 * @param workspaces - Number of workspaces; each has as many of the collections. Default: 1.
 */
export function createSearchAccount(sizes: readonly number[], workspaces = 1): SearchAccount {
  const { account, workspaceIds, collectionUids } = createGridAccount(workspaces, sizes.length / workspaces, 0);
  const collections = account.collections.map((collection, index) => ({
    ...collection,
    document: {
      ...collection.document,
      item: Array.from({ length: sizes[index] ?? 0 }, (_, number) => ({
        name: `Folder ${index}.${number}`,
        item: [
          {
            name: `Request ${index}.${number}`,
            request: { method: 'GET', url: `https://api${index}.example.com/${number}` },
          },
        ],
      })),
    },
  }));
  return { account: { ...account, collections }, workspaceIds, uids: collectionUids };
}
