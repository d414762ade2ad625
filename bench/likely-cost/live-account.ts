import type { Account } from '../../src/sandbox/account/account.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';

/** An account for a sandbox that another one can replace. */
export interface LiveAccount {
  readonly account: Account;
  /** From now on this is what there is. */
  serve(next: Account): void;
}

/** Makes one that is the demo account, without its usage meters, until another one is served. */
export function createLiveAccount(): LiveAccount {
  let current: Account = createDemoAccount();
  return {
    account: {
      get user() {
        return current.user;
      },
      get workspaces() {
        return current.workspaces;
      },
      get collections() {
        return current.collections;
      },
      get environments() {
        return current.environments;
      },
      get mocks() {
        return current.mocks ?? [];
      },
    },
    serve(next) {
      current = next;
    },
  };
}
