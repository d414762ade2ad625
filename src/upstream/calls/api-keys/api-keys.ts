import { LRUCache } from 'lru-cache';
import type { Route } from '../../postman/call.ts';
import type { Clock } from '../../clock.ts';
import type { Operation } from '../operation/operation.ts';
import { toEnded, toTooManyUnverified } from '../local-errors.ts';
import { UnverifiedCalls } from './unverified-calls.ts';
import { UpstreamError } from '../../http/upstream-error.ts';

/** What upstream has said of the API keys that are used. */
export interface ApiKeys {
  /** Whether upstream has accepted a tenant's key, or the server was started with it and upstream has not refused it. */
  isAccepted(keyHash: string): boolean;
  /** Upstream has answered a call otherwise than with 401. */
  accept(keyHash: string): void;
  /** Upstream has refused the key. */
  refuse(keyHash: string, error: UpstreamError): void;
  /**
   * Lets a call through, once it is certain that it is worth making: upstream has accepted the key; or this is the call that finds out.
   *
   * @param make - Makes the call.
   * @throws {UpstreamError} `unauthenticated` without a call for some seconds after the key was refused; `rateLimited` when calls of keys that
   *   are not known yet have used up what they may; `timeout`; and whatever `make` throws.
   */
  admit<Value>(operation: Operation, route: Route, make: () => Promise<Value>): Promise<Value>;
}

/** What the memory of keys is made with. */
export interface ApiKeysOptions {
  readonly clock: Clock;
  /** Whether the server itself was started with the key of a tenant: nobody made it up. */
  readonly isTrusted: (keyHash: string) => boolean;
  /** Is told when upstream has refused a key. */
  readonly onRefused: (keyHash: string, error: UpstreamError) => void;
}

/** What upstream said when it refused a key. An error would hold on to the operation it was made for. */
interface Refusal extends Pick<UpstreamError, 'message' | 'route' | 'status' | 'upstreamName'> {
  readonly untilMs: number;
}

/** A call that finds out whether a key is good. */
interface Check {
  /** Resolves when that is known, or the call has been out for too long to hold up others. */
  readonly settled: Promise<void>;
}

// Long enough for every field of an operation and a client that asks again at once, short enough for a key that was made a moment ago.
const REFUSED_FOR_MS = 20_000;
const MAX_CHECK_MS = 2_000;
// Tenants are 43 characters. One that is forgotten has its next call made alone, as a new one has.
const MAX_ACCEPTED = 50_000;
const MAX_REFUSED = 10_000;

/**
 * Makes the memory of keys: none is known yet.
 *
 * The first call of a key goes alone; all others of the key wait for what it finds out. So a key that somebody made up costs upstream one call,
 * whatever is asked with it, and calls of such keys share a small allowance (`unverified-calls.ts`).
 */
export function createApiKeys({ clock, isTrusted, onRefused }: ApiKeysOptions): ApiKeys {
  const accepted = new LRUCache<string, true>({ max: MAX_ACCEPTED });
  const refused = new LRUCache<string, Refusal>({ max: MAX_REFUSED });
  const checks = new Map<string, Check>();
  const unverifiedCalls = new UnverifiedCalls(clock);

  // Of a key that was refused, whoever it is from, one call finds out whether it is good again.
  const isAccepted = (keyHash: string) =>
    accepted.get(keyHash) === true || (isTrusted(keyHash) && !refused.has(keyHash));

  const refusalOf = (keyHash: string) => {
    const refusal = refused.get(keyHash);
    return refusal && clock.nowMs() < refusal.untilMs ? refusal : undefined;
  };

  /** Makes a call while the others of its key wait. */
  const check = async <Value>(operation: Operation, route: Route, make: () => Promise<Value>): Promise<Value> => {
    const { caller, meter, deadlineMs, ended } = operation;
    const { keyHash, clientAddress } = caller;
    const call = unverifiedCalls.enter(clientAddress, deadlineMs);
    if (typeof call === 'number') throw toTooManyUnverified(route, call);
    let finish = () => {};
    const currentCheck: Check = {
      settled: new Promise<void>((resolve) => {
        finish = resolve;
      }),
    };
    checks.set(keyHash, currentCheck);
    let cancelTimer = () => {};
    const end = () => {
      if (checks.get(keyHash) === currentCheck) checks.delete(keyHash);
      finish();
    };
    try {
      if (call.admitted) {
        meter.wait.start();
        await raceWithEnd(call.admitted, operation, () => toTooManyUnverified(route, call.slotAtMs)).finally(() =>
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

/** Waits, but no longer than the operation lasts. */
function raceWithEnd(awaited: Promise<void>, { ended }: Operation, toError: () => UpstreamError): Promise<void> {
  if (ended.aborted) return Promise.reject(toError());
  return new Promise((resolve, reject) => {
    const onEnd = () => reject(toError());
    ended.addEventListener('abort', onEnd, { once: true });
    void awaited.then(resolve).finally(() => ended.removeEventListener('abort', onEnd));
  });
}
