/**
 * Remembers which API keys upstream has accepted or rejected, and lets the first call of an unknown key go alone.
 *
 * Exports `createApiKeys`. The other files of this folder hash keys (`key-hash.ts`), limit the calls of unknown keys
 * (`unverified-calls.ts`) and explain rejections (`refused-keys.ts`, `key-form.ts`). This module judges keys: it sends
 * and caches nothing, and must not import `cache`, `rate-limiter`, `collection-format` or undici.
 */
import { LRUCache } from 'lru-cache';
import type { Route } from '../../postman/call.ts';
import type { Clock } from '../../clock.ts';
import type { Operation } from '../operation/operation.ts';
import { toEnded, toTooManyUnverified } from '../local-errors.ts';
import { UnverifiedCalls } from './unverified-calls.ts';
import { UpstreamError } from '../../http/upstream-error.ts';
import { silentObserver, type UpstreamObserver } from '../../observer.ts';

/** What upstream has said about the API keys in use. */
export interface ApiKeys {
  /** Whether upstream has accepted the key, or the server was started with it and upstream has not rejected it. */
  isAccepted(keyHash: string): boolean;
  /** Reports that upstream has shown with a response that it accepts the key. */
  accept(keyHash: string): void;
  /** Reports that upstream has rejected the key (401). */
  refuse(keyHash: string, error: UpstreamError): void;
  /**
   * Makes a call once upstream has accepted its key, or as the call that checks the key.
   *
   * @param make - Makes the call.
   * @throws {UpstreamError} `unauthenticated` without a call for 20 s after the key was rejected; `rateLimited` if
   *   unknown keys have used up their allowance; `timeout`; and every error of `make`.
   */
  admit<Value>(operation: Operation, route: Route, make: () => Promise<Value>): Promise<Value>;
}

/** What `createApiKeys` needs. */
export interface ApiKeysOptions {
  readonly clock: Clock;
  /** Whether the server itself was started with the key of this hash, so that it is not an invented one. */
  readonly isTrusted: (keyHash: string) => boolean;
  /** Called when upstream has rejected a key. */
  readonly onRefused: (keyHash: string, error: UpstreamError) => void;
  /** Default: nobody observes. */
  readonly observer?: Pick<UpstreamObserver, 'onRefused'>;
}

/** What upstream said when it rejected a key. The error itself is not stored: it would keep its operation in memory. */
interface Refusal extends Pick<UpstreamError, 'message' | 'route' | 'status' | 'upstreamName'> {
  readonly untilMs: number;
}

/** A call that finds out whether upstream accepts a key. */
interface Check {
  /** Resolves when the call has ended, or has taken so long that others must not wait for it. */
  readonly settled: Promise<void>;
}

// Long enough for all fields of an operation and for clients that retry at once, short enough for a key that was just
// created.
const REFUSED_FOR_MS = 20_000;
const MAX_CHECK_MS = 2_000;
// The next call of a forgotten key goes alone, as with a new key.
const MAX_ACCEPTED = 50_000;
const MAX_REFUSED = 10_000;

/**
 * Makes the memory of API keys; none is known yet.
 *
 * The first call of a key goes alone, and all other calls of the key wait for its outcome. So an invented key costs
 * upstream one call, however many are requested with it. The calls of unknown keys share a small allowance
 * (`unverified-calls.ts`).
 */
export function createApiKeys({ clock, isTrusted, onRefused, observer = silentObserver }: ApiKeysOptions): ApiKeys {
  // `max` would allocate memory for all entries at the start.
  const accepted = new LRUCache<string, true>({ maxSize: MAX_ACCEPTED, sizeCalculation: () => 1 });
  const refused = new LRUCache<string, Refusal>({ maxSize: MAX_REFUSED, sizeCalculation: () => 1 });
  const checks = new Map<string, Check>();
  const unverifiedCalls = new UnverifiedCalls(clock);

  // After a rejection one call checks the key again, even if it is the server's own.
  const isAccepted = (keyHash: string) =>
    accepted.get(keyHash) === true || (isTrusted(keyHash) && !refused.has(keyHash));

  const refusalOf = (keyHash: string) => {
    const refusal = refused.get(keyHash);
    return refusal && clock.nowMs() < refusal.untilMs ? refusal : undefined;
  };

  const toRefused = (route: Route, slotAtMs: number) => {
    observer.onRefused('new_key');
    return toTooManyUnverified(route, slotAtMs);
  };

  /** Makes the call that checks its key, while the other calls of the key wait. */
  const check = async <Value>(operation: Operation, route: Route, make: () => Promise<Value>): Promise<Value> => {
    const { caller, meter, deadlineMs, ended } = operation;
    const { keyHash, clientAddress } = caller;
    const call = unverifiedCalls.enter(clientAddress, deadlineMs);
    if (typeof call === 'number') throw toRefused(route, call);
    let settle = () => {};
    const currentCheck: Check = {
      settled: new Promise<void>((resolve) => {
        settle = resolve;
      }),
    };
    checks.set(keyHash, currentCheck);
    let cancelTimer = () => {};
    const end = () => {
      if (checks.get(keyHash) === currentCheck) checks.delete(keyHash);
      settle();
    };
    try {
      if (call.admitted) {
        meter.wait.start();
        await raceWithEnd(call.admitted, operation, () => toRefused(route, call.slotAtMs)).finally(() =>
          meter.wait.stop(),
        );
      }
      if (ended.aborted) throw toEnded(route, operation);
      cancelTimer = clock.schedule(clock.nowMs() + MAX_CHECK_MS, end);
      return await make();
    } finally {
      cancelTimer();
      call.settle(refusalOf(keyHash) !== undefined && !isAccepted(keyHash));
      end();
    }
  };

  return {
    isAccepted,
    accept(keyHash) {
      if (!isTrusted(keyHash)) accepted.set(keyHash, true);
      refused.delete(keyHash);
    },
    refuse(keyHash, error) {
      const { message, route, status, upstreamName } = error;
      accepted.delete(keyHash);
      refused.set(keyHash, {
        message,
        ...(route !== undefined && { route }),
        ...(status !== undefined && { status }),
        ...(upstreamName !== undefined && { upstreamName }),
        untilMs: clock.nowMs() + REFUSED_FOR_MS,
      });
      onRefused(keyHash, error);
    },
    async admit(operation, route, make) {
      const { keyHash } = operation.caller;
      for (;;) {
        const refusal = refusalOf(keyHash);
        if (refusal) throw new UpstreamError('unauthenticated', refusal.message, refusal);
        if (isAccepted(keyHash)) return make();
        const running = checks.get(keyHash);
        if (!running) return check(operation, route, make);
        await raceWithEnd(running.settled, operation, () => toEnded(route, operation));
      }
    },
  };
}

/** Waits for `awaited`, but rejects when the operation ends. */
function raceWithEnd(awaited: Promise<void>, { ended }: Operation, toError: () => UpstreamError): Promise<void> {
  if (ended.aborted) return Promise.reject(toError());
  return new Promise((resolve, reject) => {
    const onEnd = () => reject(toError());
    ended.addEventListener('abort', onEnd, { once: true });
    void awaited.then(resolve).finally(() => ended.removeEventListener('abort', onEnd));
  });
}
