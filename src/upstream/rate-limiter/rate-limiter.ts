import { createMonthlyQuota } from './monthly-quota.ts';
import { createProbeGate } from './probe-gate.ts';
import type { AnnouncedRateLimit } from '../http/rate-limit-headers.ts';
import { createRateLimiterView, type RateLimiterOptions, type RateLimiterState } from './rate-limiter-view.ts';
import type { RateWindow } from './windows/rate-window.ts';
import { createRateWindows, type TakenSlots } from './windows/rate-windows.ts';
import { ROUTE_CLASSES, type RouteClass } from '../postman/route-class.ts';
import type { SlotGrant, SlotRequest, SlotSource, SlotView } from './slot-source.ts';

// A reserved slot is idle until it is redeemed, so of windows shorter than this a smaller fraction may be reserved.
const RESERVABLE_WINDOW_MS = 30_000;
// Avoids a busy loop if Postman announces a wait of 0.
const MIN_PAUSE_MS = 1_000;
const MAX_BACKOFF_MS = 32_000;

/** Slots of one key or user, counted in this process. Every request is granted or refused synchronously. */
export class RateLimiter implements SlotSource {
  readonly view: SlotView;
  readonly isShared = false;
  readonly #clock: RateLimiterOptions['clock'];
  readonly #onDelay: () => void;
  readonly #state: RateLimiterState;
  readonly #reservations: Record<RouteClass, number> = { general: 0, burst: 0 };
  #consecutive429s = 0;

  /** @param onDelay - Called when slots that were predicted before are delayed, see `SlotSource`. */
  constructor(options: RateLimiterOptions, onDelay: () => void) {
    const windows = createRateWindows(options);
    this.#clock = options.clock;
    this.#onDelay = onDelay;
    this.#state = {
      windows,
      probes: createProbeGate(windows, options),
      quota: createMonthlyQuota(options.clock),
      granted: new Map(),
      callsInFlight: { general: 0, burst: 0 },
      virtualTime: { general: 0, burst: 0 },
      pausedUntilMs: Number.NEGATIVE_INFINITY,
      latencyMs: undefined,
      hasResponse: false,
    };
    this.view = createRateLimiterView(this.#state, options);
  }

  take(request: SlotRequest, done: (grant: SlotGrant | undefined) => void): void {
    const { forFirstCalls, forLaterCalls } = this.view.freeSlots(request.routeClass);
    if (!(request.usesReserve ? forFirstCalls : forLaterCalls)) return done(undefined);
    this.#state.callsInFlight[request.routeClass]++;
    const grant = this.#grant(request, false);
    this.#state.probes.onSent(grant.grantedAtMs);
    done(grant);
  }

  settle(grant: SlotGrant, announced?: AnnouncedRateLimit, isRateLimited = false): void {
    const state = this.#state;
    const slots = this.#takeBack(grant);
    const nowMs = this.#clock.nowMs();
    const tookMs = nowMs - grant.grantedAtMs;
    state.callsInFlight[grant.routeClass]--;
    state.latencyMs = state.latencyMs === undefined ? tookMs : state.latencyMs + (tookMs - state.latencyMs) / 8;
    if (announced) this.#learn(slots, grant.grantedAtMs, announced, nowMs);
    if (announced && !isRateLimited) this.#consecutive429s = 0;
    if (isRateLimited) state.windows.refused(slots, announced?.windows ?? [], state.pausedUntilMs, nowMs);
    state.windows.release(slots, nowMs);
  }

  giveBack(grant: SlotGrant, done?: (wasUsed: boolean) => void): void {
    const counted = grant.isReservation ? this.#reservations : this.#state.callsInFlight;
    this.#state.windows.giveBack(this.#takeBack(grant));
    counted[grant.routeClass]--;
    done?.(false);
  }

  redeem(_: SlotRequest, done: (grant: undefined) => void): void {
    done(undefined);
  }

  reserve(request: SlotRequest, maxFraction: number, done: (grant: SlotGrant | undefined) => void): void {
    const { routeClass } = request;
    const toMaxReserved = ({ limit, windowMs }: RateWindow) =>
      Math.floor(limit * maxFraction * Math.min(1, windowMs / RESERVABLE_WINDOW_MS));
    const maxReserved = Math.min(...this.#state.windows.of(routeClass).map(toMaxReserved));
    if (!this.view.freeSlots(routeClass).forFirstCalls || this.#reservations[routeClass] >= maxReserved)
      return done(undefined);
    this.#reservations[routeClass]++;
    done(this.#grant(request, true));
  }

  pause(untilMs: number): void {
    const state = this.#state;
    const nowMs = this.#clock.nowMs();
    // Another 429 after a pause: another client uses the slots that become free, so back off.
    if (nowMs >= state.pausedUntilMs) this.#consecutive429s++;
    const leastMs = Math.min(MAX_BACKOFF_MS, MIN_PAUSE_MS * 2 ** (this.#consecutive429s - 1));
    state.pausedUntilMs = Math.max(state.pausedUntilMs, untilMs, nowMs + leastMs);
    state.probes.suspect(state.pausedUntilMs);
    this.#onDelay();
  }

  exhaustMonthlyQuota(): void {
    this.#state.quota.exhaust();
    this.#onDelay();
  }

  absorb(other: this): void {
    const state = this.#state;
    const { windows, granted, callsInFlight, pausedUntilMs } = other.#state;
    state.windows.absorb(windows, [...granted.values()], this.#clock.nowMs());
    for (const [grant, slots] of granted) state.granted.set(grant, slots);
    for (const routeClass of ROUTE_CLASSES) {
      state.callsInFlight[routeClass] += callsInFlight[routeClass];
      this.#reservations[routeClass] += other.#reservations[routeClass];
      callsInFlight[routeClass] = other.#reservations[routeClass] = 0;
    }
    granted.clear();
    state.pausedUntilMs = Math.max(state.pausedUntilMs, pausedUntilMs);
    this.#onDelay();
  }

  #grant({ routeClass, virtualTime }: SlotRequest, isReservation: boolean): SlotGrant {
    const state = this.#state;
    const grantedAtMs = this.#clock.nowMs();
    const grant = { routeClass, grantedAtMs, isReservation };
    state.virtualTime[routeClass] = Math.max(state.virtualTime[routeClass], virtualTime);
    state.granted.set(grant, state.windows.take(routeClass, grantedAtMs));
    return grant;
  }

  #takeBack(grant: SlotGrant): TakenSlots {
    const slots = this.#state.granted.get(grant);
    if (!slots) throw new TypeError('A grant is settled or given back once, at the source that made it');
    this.#state.granted.delete(grant);
    return slots;
  }

  #learn(slots: TakenSlots, sentAtMs: number, announced: AnnouncedRateLimit, nowMs: number): void {
    const { quota, windows, probes } = this.#state;
    this.#state.hasResponse = true;
    quota.read(announced, sentAtMs);
    const { isDelay, reportsBurst } = windows.learn(slots, announced.windows, nowMs);
    probes.onResponse(sentAtMs, reportsBurst);
    if (isDelay || quota.isExhausted()) this.#onDelay();
  }
}
