import type { AnnouncedWindow } from '../../http/rate-limit-headers.ts';
import type { RateLimiterOptions } from '../rate-limiter-view.ts';
import type { RouteClass } from '../../postman/route-class.ts';

/** How many slots of each window were in use when a call was granted. Opaque here; sent back when the call settles. */
export type UsageAtGrant = Readonly<Record<string, unknown>>;

/** One slot in use under another name. `at` is text because Redis' JSON encoder rounds numbers. */
export interface StoredSlot {
  readonly id: string;
  readonly class: RouteClass;
  readonly at: string;
}

/** A change of the slots of one key. `agoMs`: how long before the exchange it happened. */
export type SlotChange =
  | {
      readonly kind: 'settle';
      readonly id: string;
      readonly class: RouteClass;
      readonly agoMs: number;
      readonly usageAtGrant?: UsageAtGrant | undefined;
      readonly windows?: readonly AnnouncedWindow[] | undefined;
      readonly monthLimit?: number | undefined;
      readonly monthRemaining?: number | undefined;
      readonly isRateLimited: boolean;
    }
  | { readonly kind: 'renew'; readonly id: string; readonly class: RouteClass }
  | { readonly kind: 'giveBack'; readonly id: string; readonly key?: string | undefined; readonly class: RouteClass }
  | { readonly kind: 'redeem'; readonly id: string; readonly key: string; readonly class: RouteClass }
  | { readonly kind: 'pause'; readonly agoMs: number; readonly forMs: number }
  | { readonly kind: 'exhaustMonthlyQuota' }
  | { readonly kind: 'import'; readonly slots: readonly StoredSlot[]; readonly pausedUntil?: string | undefined }
  | { readonly kind: 'move'; readonly to: string }
  /** No call waits at this instance any more. */
  | { readonly kind: 'leave' };

/** A request for slots. Virtual times are those of the store. */
export interface StoredSlotRequest {
  readonly kind: 'take' | 'reserve';
  readonly id: string;
  readonly class: RouteClass;
  /** Name of the call: an HMAC. */
  readonly key: string;
  readonly virtualTime: number;
  readonly usesReserve: boolean;
  /** The class's virtual time as known here, if no call waited here. It may lag behind grants to other instances. */
  readonly knownVirtualTime?: number | undefined;
  /** For a reservation: the largest fraction of a window that may be reserved. */
  readonly maxFraction?: number | undefined;
  /** The call that waits behind it. */
  readonly next?: { readonly virtualTime: number; readonly usesReserve: boolean } | undefined;
}

/** The part of a script's input that describes the calling instance. */
export interface ScriptCaller {
  readonly instance: string;
  /** `run_id` of the Redis server. */
  readonly runId: string;
  /** The generation of the data that this instance knows; empty: none yet. */
  readonly generation: string;
  readonly coldStart: RateLimiterOptions['coldStart'];
  /** How long nothing is granted after data was lost. */
  readonly closeMs: number;
  /** How long nothing is granted while other instances may still report that data was lost. */
  readonly graceMs: number;
  /** An instance counts for so long after its last contact. */
  readonly aliveMs: number;
  /** It was without the store for so long that it may have used its own part of the limits, or it is new. */
  readonly isReturning: boolean;
  /** It has had no reply yet. */
  readonly isNew: boolean;
  /** When it was sent, on Redis' clock if known. A script that starts more than `staleMs` later does nothing. */
  readonly sentAtMs?: number | undefined;
  readonly staleMs: number;
  /** Redis' clock was set forward. */
  readonly hasJumped: boolean;
}

/** What one exchange sends about the slots of one key. */
export interface SlotRequestBatch {
  readonly changes: readonly SlotChange[];
  readonly request?: StoredSlotRequest | undefined;
  readonly withDump?: boolean;
}

/** One window in the store's reply. */
export interface StoredWindow {
  readonly name: string;
  readonly class: RouteClass;
  readonly limit: number;
  readonly windowMs: number;
  /** Slots of calls in flight, and reserved slots. */
  readonly inFlight: number;
  /** Slots in use: these, those of settled calls, and those held for other clients. */
  readonly used: number;
  /** In how many ms slots become free, soonest first, separated by spaces; of settled calls, at most 300. */
  readonly releasesInMs: string;
}

/** The store's reply: the state of the slots of one key. Durations count from the reply, in milliseconds. */
export interface StoredSlots {
  /** Milliseconds of Redis' clock, as text because Redis' JSON encoder rounds numbers. */
  readonly now: string;
  readonly generation: string;
  readonly instances: number;
  readonly isGranted: boolean;
  /** Not granted, because a call at another instance goes first. */
  readonly isYielding: boolean;
  /** Waiting calls at other instances that go before the requested one. */
  readonly callsAhead: number;
  /** By how much the virtual time of this instance lagged behind. */
  readonly virtualTimeShift: number;
  readonly usageAtGrant?: UsageAtGrant;
  /** One character per change: `1` if a reservation was redeemed, or if one given back had been used elsewhere. */
  readonly results: string;
  readonly pausedForMs: number;
  /** Nothing is granted for so long, because data may have been lost. */
  readonly closedForMs: number;
  readonly consecutive429s: number;
  /** One call at a time is granted, see `ProbeGate`. */
  readonly isSuspect: boolean;
  /** For so long at most, one burst call at a time is granted. */
  readonly burstColdForMs: number;
  readonly sinceLastSentMs: number;
  readonly inFlightGeneral: number;
  readonly inFlightBurst: number;
  readonly virtualTimeGeneral: number;
  readonly virtualTimeBurst: number;
  readonly hasResponse: boolean;
  readonly monthLimit?: number;
  readonly monthRemaining?: number;
  readonly monthProbeInMs: number;
  /** The name under which these slots are counted from now on. */
  readonly movedTo?: string;
  readonly pausedUntil?: string;
  readonly dump?: readonly StoredSlot[];
  readonly windows: readonly StoredWindow[];
}

/** Handlers of one exchange: exactly one is called, once. */
export interface ExchangeHandlers {
  /** @param atMs - When the script ran (monotonic), as closely as known. */
  replied(slots: StoredSlots, atMs: number): void;
  /** There was no reply in time. The script may have run all the same. */
  failed(): void;
}

/** A call in flight counts as settled after this long, unless its lease is renewed. */
export const LEASE_MS = 10_000;

/** A call elsewhere that goes first has this long, plus two round trips, to request its slot. */
export const YIELD_MS = 100;

/** The reply of a script that started too late, see `staleMs`. */
export interface StaleReply {
  readonly now: string;
  readonly isStale: true;
}

/** The reply of a heartbeat's script. */
export interface Heartbeat {
  readonly generation: string;
  readonly instances: number;
  readonly now: string;
}

/**
 * Redis keys of one budget's slots, with the keys of a heartbeat first. All keys of all budgets have one hash tag: they
 * are on one node of a cluster, so that one generation describes all data.
 *
 * @param name - Name of the API key or user in the store: an HMAC.
 */
export function keysOf(name: string): readonly string[] {
  const budgetKeys = ['state', 'calls', 'burst', 'held', 'waits', 'reserved'].map((part) => `${TAG}:${name}:${part}`);
  return [...HEARTBEAT_KEYS, ...budgetKeys];
}

const TAG = '{postman-graphql}';

/** Redis keys of a heartbeat. */
export const HEARTBEAT_KEYS: readonly string[] = [`${TAG}:generation`, `${TAG}:instances`];

/** What an instance does without the store: use its part of each limit (`share`), or make no calls (`refuse`). */
export type WithoutStore = 'share' | 'refuse';

/** Limits that apply to every key. */
export type SlotLimits = Pick<
  RateLimiterOptions,
  'general' | 'burst' | 'reservedCalls' | 'maxConcurrentCalls' | 'coldStart'
>;

/** What an instance remembers about a grant that it got. */
export interface Granted {
  readonly id: string;
  readonly usageAtGrant?: UsageAtGrant | undefined;
  /** For a reservation: the name of its call in the store. */
  readonly key?: string | undefined;
  /** The local limiter granted it, while the store could not be reached. */
  isLocal: boolean;
}
