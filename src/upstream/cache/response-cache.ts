/**
 * Entry of the `cache` module: Postman's responses, separate for each API key, and the rules for serving them
 * (`freshness.ts`) and storing them (`response-store.ts`).
 *
 * It stores values under a key hash and a target without knowing what they are: it must not import `postman`,
 * `collection-format`, `rate-limiter`, `calls`, the HTTP client, undici or p-queue.
 */
import { type CacheUsage, createResponseStore } from './response-store.ts';
import { type ChangeMarks, createChangeMarks } from './changes/change-marks.ts';
import { type ChangeState, checkChange, createChangeState } from './changes/change-state.ts';
import { type Clock, type Instant, readInstant, toAgeMs } from '../clock.ts';
import { createDroppedKeys } from './dropped-keys.ts';
import { createFreshness, type Freshness, type FreshnessOptions } from './freshness.ts';
import { type CachedResults, createResults, type ResultEntry } from './cached-results.ts';
import type { CachedResponse, Outcome } from './cached-response.ts';

/** A response to be cached. */
export interface NewResponse {
  readonly outcome: Outcome;
  /** Size on the heap. */
  readonly bytes: number;
  /** How long a failure is fresh, in milliseconds. Absent: as briefly as failures usually are. */
  readonly failureTtlMs?: number;
  /** When the object was last changed, RFC 3339 in UTC; null where the response does not say. */
  readonly updatedAt: string | null;
  /** When the call was sent (monotonic ms). */
  readonly sentAtMs: number;
  /** What the response shows: a change of one of these subjects outdates it. Absent: nothing does. */
  readonly subjects?: () => Iterable<string>;
  /** Different for each response; absent if no other instance can have it. */
  readonly version?: string;
}

/** How current a response is that other instances have as well. Ages are in milliseconds. */
export interface SharedState {
  /** Since it was read. */
  readonly readAgeMs: number;
  /** Since it was read, or last shown unchanged by a list. */
  readonly confirmedAgeMs: number;
  /** A list has shown a newer version. */
  readonly isOutdated: boolean;
}

/**
 * A cache of Postman's responses, and the rules by which they are served: how old they may be, what renews them, and
 * which of two responses is newer. Each API key has its own, so no key ever sees another key's data.
 */
export interface ResponseCache extends CachedResults {
  /** The rules by which cached responses are served. */
  readonly freshness: Freshness;
  /** Whether lists can renew cached responses. */
  readonly renews: boolean;
  get(keyHash: string, target: string): CachedResponse | undefined;
  /** Whether anything is cached for this API key. */
  hasAny(keyHash: string): boolean;
  /** Caches a response, unless that of a later call is cached, or the API key was dropped after the call was sent. */
  set(keyHash: string, target: string, response: NewResponse): void;
  /** Caches a response that another instance has read, by the rules of `set`. */
  adopt(keyHash: string, target: string, response: NewResponse, state: SharedState): void;
  /** Updates the cached response, if it has this version, by what another instance has learned about it. */
  confirm(keyHash: string, target: string, version: string, state: SharedState): void;
  /** How a response would be cached if it were adopted; undefined: not at all, because it is too old. */
  foresee(response: NewResponse, state: SharedState): CachedResponse | undefined;
  /** Identifies the cached response; undefined: there is none. */
  identify(keyHash: string, target: string): Pick<NewResponse, 'version' | 'sentAtMs'> | undefined;
  /** Compares with the `updatedAt` in a list: an equal time renews the cached response, a later one outdates it. */
  renew(keyHash: string, target: string, updatedAt: string): void;
  /**
   * Lets cached responses be served without a call for longer. An operation received them, but had other calls refused:
   * its retries then need only the refused calls.
   *
   * @param untilMs - Monotonic milliseconds.
   */
  retainForRetry(keyHash: string, targets: Iterable<string>, untilMs: number): void;
  /** Drops everything of an API key that is no longer valid. */
  dropKey(keyHash: string): void;
  usage(): CacheUsage;
}

/** Options of `createResponseCache`. */
export interface ResponseCacheOptions extends FreshnessOptions {
  /** How long after it was read a response can be renewed by lists; 0: never. */
  readonly renewMs: number;
  /** Size limit of all cached responses on the heap, over all API keys. */
  readonly maxBytes: number;
  /** The changes that are reported to this process. Default: none. */
  readonly marks?: ChangeMarks;
  readonly clock: Clock;
}

interface Entry extends NewResponse, ChangeState {
  readonly readAt: Instant;
  /** When it was read, or last renewed. */
  confirmedAt: Instant;
  /** A list has shown a newer version. */
  isOutdated: boolean;
  retainedUntilMs: number;
}

const JUST_READ: SharedState = { readAgeMs: 0, confirmedAgeMs: 0, isOutdated: false };

/** Creates the empty cache of the process. */
export function createResponseCache({
  renewMs,
  maxBytes,
  clock,
  marks = createChangeMarks(),
  ...periods
}: ResponseCacheOptions): ResponseCache {
  const { ttlMs, swrMs, staleIfErrorMs } = periods;
  const cachedForMs = Math.max(ttlMs + swrMs, staleIfErrorMs);
  const store = createResponseStore<Entry, ResultEntry>(maxBytes);
  const dropped = createDroppedKeys(clock);

  const canRenew = ({ updatedAt, readAt }: Entry) => updatedAt !== null && toAgeMs(readAt, clock) <= renewMs;

  const isExpired = ({ confirmedAt, readAt, failureTtlMs = 0 }: Entry) =>
    toAgeMs(confirmedAt, clock) > Math.max(cachedForMs, failureTtlMs) && toAgeMs(readAt, clock) > renewMs;

  /** Whether a response is older than the cached one, or than the drop of its API key. */
  const isSuperseded = (keyHash: string, target: string, sentAtMs: number) =>
    sentAtMs < Math.max(store.peek(keyHash, target)?.sentAtMs ?? Number.NEGATIVE_INFINITY, dropped.atMs(keyHash));

  const toCached = (entry: Entry): CachedResponse => {
    const { outcome, bytes, failureTtlMs, confirmedAt } = entry;
    const isRetained = clock.nowMs() <= entry.retainedUntilMs;
    const outdatedInMs = toOutdatedInMs(entry, marks, clock);
    const isOutdated = outdatedInMs <= 0;
    const isRenewable = !isOutdated && canRenew(entry);
    const ageMs = toAgeMs(confirmedAt, clock);
    return {
      ...{ outcome, bytes, ageMs, isRetained, isOutdated, isRenewable },
      ...(failureTtlMs !== undefined && { failureTtlMs }),
      ...(outdatedInMs > 0 && Number.isFinite(outdatedInMs) && { outdatedInMs }),
    };
  };

  const put = (keyHash: string, target: string, response: NewResponse, state: SharedState) => {
    if (ttlMs === 0 || isSuperseded(keyHash, target, response.sentAtMs)) return;
    const change = createChangeState(response, store.peek(keyHash, target), marks);
    store.set(keyHash, target, { ...toEntry(response, state, clock), ...change });
  };

  return {
    freshness: createFreshness(periods),
    renews: renewMs > 0,

    get(keyHash, target) {
      const entry = store.get(keyHash, target);
      if (entry && !isExpired(entry)) return toCached(entry);
      if (entry) store.delete(keyHash, target);
      return undefined;
    },

    hasAny: store.hasAny,
    usage: store.usage,

    set(keyHash, target, response) {
      put(keyHash, target, response, JUST_READ);
    },

    adopt: put,

    confirm(keyHash, target, version, { confirmedAgeMs, isOutdated }) {
      const entry = store.peek(keyHash, target);
      if (entry?.version !== version) return;
      if (isOutdated && !entry.isOutdated) store.dropDerived(keyHash);
      entry.isOutdated ||= isOutdated;
      if (confirmedAgeMs < toAgeMs(entry.confirmedAt, clock)) entry.confirmedAt = toInstant(confirmedAgeMs, clock);
    },

    foresee(response, state) {
      const entry = { ...toEntry(response, state, clock), ...createChangeState(response, undefined, marks) };
      return isExpired(entry) ? undefined : toCached(entry);
    },

    identify: store.peek,

    renew(keyHash, target, updatedAt) {
      const entry = store.peek(keyHash, target);
      if (!entry || entry.updatedAt === null) return;
      // An earlier time comes from a list that was read before the change.
      if (updatedAt > entry.updatedAt) entry.isOutdated = true;
      else if (updatedAt === entry.updatedAt && canRenew(entry)) entry.confirmedAt = readInstant(clock);
      store.dropDerived(keyHash);
    },

    retainForRetry(keyHash, targets, untilMs) {
      for (const target of targets) retain(store.peek(keyHash, target), untilMs);
    },

    ...createResults(store, marks, clock),

    dropKey(keyHash) {
      // Invented keys are dropped, too: an API key without any data must not take up memory.
      if (!store.hasAny(keyHash) && !dropped.has(keyHash)) return;
      store.clear(keyHash);
      dropped.add(keyHash);
    },
  };
}

function retain(entry: Entry | undefined, untilMs: number): void {
  if (entry) entry.retainedUntilMs = Math.max(entry.retainedUntilMs, untilMs);
}

/** In how many milliseconds an entry is outdated; 0 or less: it is. */
function toOutdatedInMs(entry: Entry, marks: ChangeMarks, clock: Clock): number {
  if (entry.isOutdated) return 0;
  return checkChange(entry, marks) ? entry.settledUntilMs - clock.nowMs() : Number.POSITIVE_INFINITY;
}

/** The entry of a response that was read and confirmed some time ago. */
function toEntry(
  response: NewResponse,
  { readAgeMs, confirmedAgeMs, isOutdated }: SharedState,
  clock: Clock,
): Omit<Entry, keyof ChangeState> {
  const readAt = toInstant(readAgeMs, clock);
  const confirmedAt = toInstant(confirmedAgeMs, clock);
  return { ...response, readAt, confirmedAt, isOutdated, retainedUntilMs: Number.NEGATIVE_INFINITY };
}

/** The moment so long ago. */
function toInstant(ageMs: number, clock: Clock): Instant {
  const { atMs, epochMs } = readInstant(clock);
  return { atMs: atMs - ageMs, epochMs: epochMs - ageMs };
}
