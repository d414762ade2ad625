import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../clock.ts';
import type { Secret } from '../../http/secret.ts';
import { type CacheKeys, deriveCacheKeys } from '../sealed/cache-keys.ts';
import type { ResponseOwner } from '../shared-cache.ts';
import { waitAtMost } from '../store/bounded-wait.ts';
import type { CacheRedis } from '../store/cache-redis.ts';
import { LOCK_SCRIPT, REPLACE_SCRIPT } from './lock-scripts.ts';

/**
 * What becomes of an attempt to lock a call: `mine`: this instance makes it, and releases the lock when others can read
 * the response; `elsewhere`: another instance has it under way; `ended`: it was under way elsewhere until a moment ago,
 * so the response may be in the cache by now; `unknown`: Redis has not replied in time, so this instance makes the call,
 * and releases the lock if it turns out to have got it.
 */
export type Lock =
  | { readonly is: 'mine' | 'unknown'; readonly release: () => void }
  | { readonly is: 'ended'; readonly mark: string }
  | { readonly is: 'elsewhere' };

/** Which instance has which call under way. */
export interface CallLocks {
  /**
   * Locks a call. Waits for Redis for a limited time, and never rejects.
   *
   * @param knownMark - That of an ended call whose response is not in the cache, so that the call is made again.
   * @param waitedMs - How long the call has waited for Redis already: it waits for the rest of the time. Default: 0.
   */
  lock(owner: ResponseOwner, target: string, knownMark?: string, waitedMs?: number): Promise<Lock>;
}

/** Options of `createCallLocks`. */
export interface CallLocksOptions {
  readonly redis: Pick<CacheRedis, 'run'>;
  readonly clock: Clock;
  /** Base64. */
  readonly secret: Secret;
  /** How long a call waits for Redis. */
  readonly timeoutMs: number;
}

/** An instance that does not extend a lock for this long counts as dead: another one makes the call. */
export const LOCK_LEASE_MS = 5_000;
const RENEW_MS = 2_000;
// Others look again within half a second.
const ENDED_MS = 2_000;
const MAX_KEYS = 1_000;

const LOCKED = 'locked ';
const ENDED = 'ended ';

/** Creates the locks of this instance: none. */
export function createCallLocks({ redis, clock, secret, timeoutMs }: CallLocksOptions): CallLocks {
  const keysByHash = new LRUCache<string, CacheKeys>({ max: MAX_KEYS });
  const keysOf = ({ keyHash, apiKey }: ResponseOwner) => {
    const keys = keysByHash.get(keyHash) ?? deriveCacheKeys(apiKey, secret);
    keysByHash.set(keyHash, keys);
    return keys;
  };

  /** Extends a lock until it is released, or another instance has taken it over. */
  const hold = (key: string, locked: string) => {
    let isReleased = false;
    const replace = (value: string, forMs: number) =>
      redis.run(REPLACE_SCRIPT, [key], [locked, value, String(forMs)]).catch(() => [1] as const);
    const renewLater = () =>
      clock.schedule(clock.nowMs() + RENEW_MS, () => {
        void renew();
      });
    let cancel = renewLater();
    const renew = async () => {
      const [isHeld] = await replace(locked, LOCK_LEASE_MS);
      if (!isReleased && isHeld === 1) cancel = renewLater();
    };
    return () => {
      isReleased = true;
      cancel();
      void replace(locked.replace(LOCKED, ENDED), ENDED_MS);
    };
  };

  return {
    async lock(owner, target, knownMark = '', waitedMs = 0) {
      if (waitedMs >= timeoutMs) return { is: 'unknown', release() {} };
      const keys = keysOf(owner);
      const key = keys.lockKeyOf(keys.fieldOf(target));
      const locked = LOCKED + randomBytes(9).toString('base64url');
      const reply = redis
        .run(LOCK_SCRIPT, [key], [locked, String(LOCK_LEASE_MS), knownMark])
        .then(([held]) => String(held));
      try {
        const held = await waitAtMost(reply, timeoutMs - waitedMs, clock);
        if (held === locked) return { is: 'mine', release: hold(key, locked) };
        return held.startsWith(ENDED) ? { is: 'ended', mark: held } : { is: 'elsewhere' };
      } catch {
        // A late reply may still lock the call: others wait for it until it is released.
        const releaseLate = reply
          .then((held) => (held === locked ? hold(key, locked) : undefined))
          .catch(() => undefined);
        return { is: 'unknown', release: () => void releaseLate.then((release) => release?.()) };
      }
    },
  };
}
