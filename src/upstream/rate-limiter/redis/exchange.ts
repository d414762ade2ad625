import type { AnnouncedWindow } from '../../http/rate-limit-headers.ts';
import type { RateLimiterOptions } from '../rate-limiter-view.ts';
import type { RouteClass } from '../../postman/route-class.ts';

/** What was in use of every window when a call was granted, as the store said it. It goes back with the call's settlement. */
export type StoredSlotMark = Readonly<Record<string, unknown>>;

/** One slot under another name. `at` is text, because JSON of Redis rounds. */
export interface StoredSlot {
  readonly id: string;
  readonly class: RouteClass;
  readonly at: string;
}

/** What has happened to the slots of one key. `agoMs`: how long before the request it was. */
export type SlotChange =
  | {
      readonly kind: 'settle';
      readonly id: string;
      readonly class: RouteClass;
      readonly agoMs: number;
      readonly mark?: StoredSlotMark | undefined;
      readonly windows?: readonly AnnouncedWindow[] | undefined;
      readonly monthLimit?: number | undefined;
      readonly monthRemaining?: number | undefined;
      readonly isRefused: boolean;
    }
  | { readonly kind: 'renew'; readonly id: string; readonly class: RouteClass }
  | { readonly kind: 'giveBack'; readonly id: string; readonly key?: string | undefined; readonly class: RouteClass }
  | { readonly kind: 'claim'; readonly id: string; readonly key: string; readonly class: RouteClass }
  | { readonly kind: 'pause'; readonly agoMs: number; readonly forMs: number }
  | { readonly kind: 'month' }
  | { readonly kind: 'import'; readonly slots: readonly StoredSlot[]; readonly pausedUntil?: string | undefined }
  | { readonly kind: 'move'; readonly to: string }
  /** Nothing waits at this instance any more. */
  | { readonly kind: 'leave' };

/** For whom slots are wanted. Virtual times are those of the store. */
export interface StoredSlotRequest {
  readonly kind: 'take' | 'reserve';
  readonly id: string;
  readonly class: RouteClass;
  /** A hash of what is called. */
  readonly key: string;
  readonly virtualTime: number;
  readonly usesReserve: boolean;
  /** The virtual time of its class that this instance knows, where nothing has waited here: it is behind by what others have been granted meanwhile. */
  readonly knownVirtualTime?: number | undefined;
  /** Of a reservation: no more than this part of a window. */
  readonly mostShare?: number | undefined;
  /** What waits behind it. */
  readonly next?: { readonly virtualTime: number; readonly usesReserve: boolean } | undefined;
}

/** What a script is told of whoever asks. */
export interface ScriptCaller {
  readonly instance: string;
  /** The id that Redis' server gave itself at its start. */
  readonly run: string;
  /** The generation that this instance knows; empty: none. */
  readonly generation: string;
  readonly coldStart: RateLimiterOptions['coldStart'];
  /** How long nothing is granted after a loss. */
  readonly closeMs: number;
  readonly graceMs: number;
  readonly seenMs: number;
  /** It has been without the store for so long that it may have used its local share. */
  readonly isBack: boolean;
  readonly isNew: boolean;
  /** When it was sent, on Redis' clock as far as that is known; a request that is older than `staleMs` does nothing. */
  readonly sentAtMs?: number | undefined;
  readonly staleMs: number;
  /** Redis' clock has been set forward. */
  readonly hasJumped: boolean;
}

/** Everything that is asked at once of the slots of one key. */
export interface SlotRequestBatch {
  readonly changes: readonly SlotChange[];
  readonly ask?: StoredSlotRequest | undefined;
  readonly wantsDump?: boolean;
}

/** One window as the store sees it. */
export interface StoredWindow {
  readonly name: string;
  readonly class: RouteClass;
  readonly limit: number;
  readonly windowMs: number;
  /** Slots of calls that are out, and reserved ones. */
  readonly out: number;
  readonly used: number;
  /** When slots come back, in milliseconds from now, soonest first; 300 at most. */
  readonly times: string;
}

/** The state of the slots of one key. Durations are in milliseconds from the moment of the reply. */
export interface StoredSlots {
  /** Milliseconds of Redis' clock, as text. */
  readonly now: string;
  readonly generation: string;
  readonly instances: number;
  readonly isGranted: boolean;
  /** Another instance goes first. */
  readonly isYielding: boolean;
  /** How many wait at other instances before the asked one. */
  readonly rank: number;
  /** By how much the virtual times of this instance were behind. */
  readonly shift: number;
  readonly mark?: StoredSlotMark;
  /** One character for each change: `1` for a claim that was met, and for a reservation that somebody else has used. */
  readonly results: string;
  readonly pausedMs: number;
  readonly closedMs: number;
  readonly refusals: number;
  readonly isInDoubt: boolean;
  readonly burstColdMs: number;
  readonly lastSentMs: number;
  readonly outGeneral: number;
  readonly outBurst: number;
  readonly virtualTimeGeneral: number;
  readonly virtualTimeBurst: number;
  readonly hasAnswer: boolean;
  readonly monthLimit?: number;
  readonly monthRemaining?: number;
  readonly monthProbeMs: number;
  /** The name under which the slots are counted from now on. */
  readonly movedTo?: string;
  readonly pausedUntil?: string;
  readonly dump?: readonly StoredSlot[];
  readonly windows: readonly StoredWindow[];
}

/** How an exchange ends: with exactly one of these. */
export interface ExchangeHandlers {
  /** @param atMs - When the store answered (monotonic), as nearly as that is known. */
  replied(slots: StoredSlots, atMs: number): void;
  /** There was no answer in time. Whether the store has done what was asked is not known. */
  failed(): void;
}

/** A slot that is out counts as settled after this long, unless it is renewed. */
export const LEASE_MS = 10_000;

/** Whose turn it is elsewhere has this long, and two round trips, to come for it. */
export const YIELD_MS = 100;

/** What is answered to a request that has come too late. */
export interface StaleReply {
  readonly now: string;
  readonly isStale: true;
}

/** What a heartbeat is answered with. */
export interface Heartbeat {
  readonly generation: string;
  readonly instances: number;
  readonly now: string;
}

/**
 * The keys that hold the slots of one budget. All have one hash tag, so that they are on one node of a cluster; budgets of one tag share what is known
 * of the node's data.
 *
 * @param name - Of the tenant or user: an HMAC.
 */
export function keysOf(name: string): readonly string[] {
  const budgetKeys = ['state', 'calls', 'burst', 'held', 'waits', 'reserved'].map((part) => `${TAG}:${name}:${part}`);
  return [...HEARTBEAT_KEYS, ...budgetKeys];
}

const TAG = '{postman-graphql}';

/** The keys of a heartbeat. */
export const HEARTBEAT_KEYS: readonly string[] = [`${TAG}:generation`, `${TAG}:instances`];

/** What an instance does while it cannot reach the store: it uses its part of each limit, or makes no calls. */
export type WithoutStore = 'share' | 'refuse';

/** What holds for the slots of every key. */
export type SlotLimits = Pick<
  RateLimiterOptions,
  'general' | 'burst' | 'reservedCalls' | 'maxConcurrentCalls' | 'coldStart'
>;

/** What an instance knows of a grant of its own. */
export interface Granted {
  readonly id: string;
  readonly mark?: StoredSlotMark | undefined;
  /** Of a reservation: the name of its call in the store. */
  readonly key?: string | undefined;
  /** It was granted while the store could not be reached. */
  isLocal: boolean;
}
