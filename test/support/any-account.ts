import type { Account } from '../../src/sandbox/account/account.ts';
import { type Facade, startFacade } from './facade.ts';
import { createLiveAccount } from '../../bench/likely-cost/live-account.ts';

/** Limits too high to matter. */
export const UNLIMITED = {
  RATE_LIMIT: '100000',
  RATE_LIMIT_WINDOW_MS: '1000',
  BURST_LIMIT: '0',
  MAX_CALLS_PER_OPERATION: '100000',
  MAX_CALLS_PER_STREAM: '100000',
  MAX_QUERY_ALIASES: '1000',
  MAX_QUERY_TOKENS: '10000',
} as const;

/** Makes API keys that no facade has seen. */
export const toKeys = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `PMAK-any-${index}`);

/** A facade in front of an account that each run of a property replaces. */
export interface AnyAccountFacade {
  readonly facade: Facade;
  /** Replaces the account, and clears the recorded calls. */
  serve(account: Account): void;
  /** The header with an unused key, for which nothing is cached. */
  nextKey(): Record<string, string>;
}

/** Starts a facade with limits too high to matter. */
export async function startAnyAccount(keyCount: number): Promise<AnyAccountFacade> {
  const { account: liveAccount, serve } = createLiveAccount();
  const keys = toKeys(keyCount);
  const facade = await startFacade(
    { ...UNLIMITED, CACHE_TTL_MS: '3600000' },
    { account: liveAccount, otherApiKeys: keys },
  );
  let used = 0;
  return {
    facade,
    serve(account) {
      serve(account);
      facade.postman.reset();
    },
    nextKey() {
      const key = keys[used++];
      if (key === undefined) throw new RangeError('There are no more keys');
      return { 'x-api-key': key };
    },
  };
}
