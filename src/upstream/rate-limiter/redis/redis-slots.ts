/**
 * Entry of the module `redis`: a slot source whose slots several processes share in one Redis, counted by Lua scripts.
 * It exports `RedisSlots`, one per API key or user; `slot-store.ts` holds the process's connection and
 * `redis-connection.ts` the client. The module knows no queue, budget or HTTP, and nothing outside imports its other
 * files except the server's wiring (`server/shared-slots.ts`) and, for one type, the configuration. Only
 * `redis-connection.ts` imports `@redis/client`, which is optional and loaded on first use.
 */
import type { AnnouncedRateLimit } from '../../http/rate-limit-headers.ts';
import type { RateLimiter } from '../rate-limiter.ts';
import type { RateLimiterOptions } from '../rate-limiter-view.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import type { SlotGrant, SlotRequest, SlotSource, SlotView } from '../slot-source.ts';
import type { Granted, StoredSlots } from './exchange.ts';
import { LeaseRenewal } from './lease-renewal.ts';
import { createLocalLimiter } from './local-slots.ts';
import { Outbox } from './outbox.ts';
import { createSharedView, type SharedView } from './shared-view.ts';
import { SlotMirror } from './slot-mirror.ts';
import type { SlotStore } from './slot-store.ts';

type Done = (grant: SlotGrant | undefined) => void;

// A grant that arrives later than this has lost part of its lease, for instance because the process was suspended.
const LATE_MS = 2_000;

/**
 * The slots of one key or user, shared by several instances through Redis, the store, which grants them. The view shows
 * the store's last reply plus the changes made here since. While the store cannot be reached, slots come from this
 * instance's part of each limit, or there are none (`withoutStore`).
 */
export class RedisSlots implements SlotSource {
  readonly view: SlotView;
  readonly isShared = true;
  readonly #store: SlotStore;
  readonly #options: RateLimiterOptions;
  readonly #onDelay: () => void;
  readonly #mirror: SlotMirror;
  readonly #outbox: Outbox;
  readonly #shared: SharedView;
  readonly #grants = new Map<SlotGrant, Granted>();
  #callsInFlight = 0;
  #local: RateLimiter | undefined;
  readonly #renewal: LeaseRenewal;

  /**
   * @param name - Name of the key or user in the store, see `SlotStore.toName`.
   * @param onDelay - Called when slots that were predicted before are delayed, see `SlotSource`.
   * @param formerName - Name under which slots of the same owner may still be in use. Default: none.
   */
  constructor(store: SlotStore, name: string, options: RateLimiterOptions, onDelay: () => void, formerName?: string) {
    const mirror = new SlotMirror(options);
    const { clock } = options;
    const onRecovered = () => this.#rejoin();
    this.#store = store;
    this.#options = options;
    this.#onDelay = onDelay;
    this.#mirror = mirror;
    this.#renewal = new LeaseRenewal(clock, () => this.#renew());
    this.#outbox = new Outbox(name, { store, mirror, clock, onDelay, onRecovered });
    this.#shared = createSharedView(mirror, options, store, {
      local: () => this.#useLocal()?.view,
      localCallsInFlight: () => this.#callsInFlight,
      onUnreached: this.#outbox.wait,
    });
    this.view = this.#shared.view;
    if (formerName !== undefined) this.#outbox.importFrom(formerName);
  }

  take(request: SlotRequest, done: Done): void {
    const local = this.#useLocal();
    if (local) local.take(request, this.#toLocalGrant(done));
    else this.#request(request, done);
  }

  reserve(request: SlotRequest, maxFraction: number, done: Done): void {
    const key = this.#store.toName(request.key);
    const local = this.#useLocal();
    if (local) local.reserve(request, maxFraction, this.#toLocalGrant(done, key));
    else this.#request(request, done, { key, maxFraction });
  }

  settle(grant: SlotGrant, announced?: AnnouncedRateLimit, isRateLimited = false): void {
    const { id, usageAtGrant, isLocal } = this.#takeBack(grant);
    const { routeClass, grantedAtMs } = grant;
    const atMs = this.#options.clock.nowMs();
    this.#mirror.measure(atMs - grantedAtMs);
    if (isLocal) this.#local?.settle(grant, announced, isRateLimited);
    this.#outbox.change({
      toStored: (nowMs) => ({
        kind: 'settle',
        id,
        class: routeClass,
        agoMs: nowMs - atMs,
        usageAtGrant,
        ...announced,
        isRateLimited,
      }),
      show: (mirror) => mirror.settle(routeClass, atMs, announced !== undefined && !isRateLimited),
    });
  }

  giveBack(grant: SlotGrant, done: (wasUsed: boolean) => void = () => {}): void {
    const { id, key, isLocal } = this.#takeBack(grant);
    const { routeClass, isReservation } = grant;
    if (isLocal) this.#local?.giveBack(grant);
    this.#outbox.change({
      toStored: () => ({ kind: 'giveBack', id, key, class: routeClass }),
      show: (mirror) => mirror.giveBack(routeClass, isReservation),
      done,
    });
  }

  redeem({ routeClass, key }: SlotRequest, done: Done): void {
    if (!this.#store.isUp()) return done(undefined);
    const granted = { id: this.#store.newId(), key: this.#store.toName(key), isLocal: false };
    this.#outbox.change({
      toStored: () => ({ kind: 'redeem', id: granted.id, key: granted.key, class: routeClass }),
      done: (isReserved) => done(isReserved ? this.#grant(routeClass, true, granted) : undefined),
      isTransient: true,
    });
  }

  pause(untilMs: number): void {
    const atMs = this.#options.clock.nowMs();
    this.#local?.pause(untilMs);
    this.#outbox.change({
      toStored: (nowMs) => ({ kind: 'pause', agoMs: nowMs - atMs, forMs: untilMs - atMs }),
      show: (mirror) => mirror.pause(untilMs),
    });
    this.#onDelay();
  }

  exhaustMonthlyQuota(): void {
    this.#local?.exhaustMonthlyQuota();
    this.#outbox.change({
      toStored: () => ({ kind: 'exhaustMonthlyQuota' }),
      show: (mirror) => mirror.exhaustMonthlyQuota(),
    });
    this.#onDelay();
  }

  absorb(other: this): void {
    const local = other.#local && this.#useLocal();
    if (other.#local) local?.absorb(other.#local);
    for (const [grant, granted] of other.#grants)
      this.#grants.set(grant, { ...granted, isLocal: granted.isLocal && local !== undefined });
    this.#callsInFlight += other.#callsInFlight;
    other.#grants.clear();
    other.#callsInFlight = 0;
    other.#renewal.stop();
    if (this.#callsInFlight > 0) this.#renewal.start();
    this.#outbox.absorb(other.#outbox);
    this.#onDelay();
  }

  /** Requests slots from the store. `reservation`: they are for a call that is expected again. */
  #request(
    request: SlotRequest,
    done: Done,
    reservation?: { readonly key: string; readonly maxFraction: number },
  ): void {
    const { routeClass, usesReserve, key } = request;
    const { forFirstCalls, forLaterCalls } = this.view.freeSlots(routeClass);
    if (!(usesReserve ? forFirstCalls : forLaterCalls)) return done(undefined);
    const id = this.#store.newId();
    const requestedAtMs = this.#options.clock.nowMs();
    const kind = reservation ? 'reserve' : 'take';
    this.#outbox.request({
      id,
      routeClass,
      key: reservation?.key,
      toStored: () => ({
        kind,
        id,
        key: this.#store.toName(key),
        maxFraction: reservation?.maxFraction,
        ...this.#shared.toStored(request),
      }),
      done: (slots) => {
        if (slots && !reservation) this.#shared.replied(request, slots);
        done(
          slots?.isGranted ? this.#receive(request, { id, key: reservation?.key }, slots, requestedAtMs) : undefined,
        );
      },
    });
  }

  #receive(
    { routeClass }: SlotRequest,
    { id, key }: Pick<Granted, 'id' | 'key'>,
    { usageAtGrant }: StoredSlots,
    requestedAtMs: number,
  ): SlotGrant | undefined {
    const grant = this.#grant(routeClass, key !== undefined, { id, key, usageAtGrant, isLocal: false });
    if (this.#options.clock.nowMs() <= requestedAtMs + LATE_MS) return grant;
    this.giveBack(grant);
    return undefined;
  }

  #grant(routeClass: RouteClass, isReservation: boolean, granted: Granted): SlotGrant {
    const grant = { routeClass, grantedAtMs: this.#options.clock.nowMs(), isReservation };
    this.#add(grant, granted);
    return grant;
  }

  #toLocalGrant(done: Done, key?: string): Done {
    return (grant) => {
      if (grant) this.#add(grant, { id: this.#store.newId(), key, isLocal: true });
      done(grant);
    };
  }

  #add(grant: SlotGrant, granted: Granted): void {
    this.#grants.set(grant, granted);
    if (!grant.isReservation) this.#callsInFlight++;
    if (this.#callsInFlight > 0) this.#renewal.start();
  }

  #takeBack(grant: SlotGrant): Granted {
    const granted = this.#grants.get(grant);
    if (!granted) throw new TypeError('A grant is settled or given back once, at the source that made it');
    this.#grants.delete(grant);
    if (!grant.isReservation) this.#callsInFlight--;
    if (this.#callsInFlight === 0) this.#renewal.stop();
    return granted;
  }

  #renew(): void {
    for (const [{ routeClass, isReservation }, { id, isLocal }] of this.#grants) {
      const toStored = () => ({ kind: 'renew', id, class: routeClass }) as const;
      if (!isReservation && !isLocal) this.#outbox.change({ toStored, isTransient: true });
    }
  }

  #useLocal(): RateLimiter | undefined {
    if (this.#store.isUp()) return undefined;
    this.#local ??= createLocalLimiter(this.#store, this.#mirror, this.#options, this.#onDelay);
    return this.#local;
  }

  /** The store can be reached again: it counts the grants that were made here without it from now on. */
  #rejoin(): void {
    this.#local = undefined;
    for (const granted of this.#grants.values()) granted.isLocal = false;
    this.#renew();
    this.#onDelay();
  }
}
