import type { Account } from '../../src/sandbox/account/account.ts';
import { createDemoAccount } from '../../src/sandbox/account/demo.ts';

/** An account for a sandbox, with replaceable contents. */
export interface LiveAccount {
  readonly account: Account;
  /** Replaces the contents. */
  serve(next: Account): void;
}

/** Creates one with the contents of the demo account, without its usage meters. */
export function createLiveAccount(): LiveAccount {
  let current: Account = createDemoAccount();
  return {
    account: {
      get user() {
        return current.user;
      },
      get team() {
        return current.team ?? [];
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
