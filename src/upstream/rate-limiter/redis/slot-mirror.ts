import { createReleaseSchedule } from '../windows/release-schedule.ts';
import type { RateLimiterOptions, ViewedState, ViewedWindow } from '../rate-limiter-view.ts';
import { ROUTE_CLASSES, type RouteClass } from '../../postman/route-class.ts';
import type { StoredSlots, StoredWindow } from './exchange.ts';

// As in `RateLimiter`, `MonthlyQuota` and `ProbeGate`.
const MIN_PAUSE_MS = 1_000;
const MAX_BACKOFF_MS = 32_000;
const QUOTA_PROBE_INTERVAL_MS = 600_000;
const PROBE_TIMEOUT_MS = 1_000;

/** One window as of the store's last reply, plus the changes made here since. */
export class MirroredWindow implements ViewedWindow {
  readonly class: RouteClass;
  readonly limit: number;
  readonly windowMs: number;
  /** Calls at other instances that take the next free slots first. */
  callsAhead = 0;
  #inFlight = 0;
  /** Slots in use whose release times the store did not list. */
  #unlisted = 0;
  readonly #releases = createReleaseSchedule();

  constructor(window: Pick<StoredWindow, 'class' | 'limit' | 'windowMs'>) {
    this.class = window.class;
    this.limit = window.limit;
    this.windowMs = window.windowMs;
  }

  /** Reads a window of a reply; `atMs`: when the script ran (monotonic). */
  static from(stored: StoredWindow, atMs: number, callsAhead: number): MirroredWindow {
    const window = new MirroredWindow(stored);
    const times = stored.releasesInMs === '' ? [] : stored.releasesInMs.split(' ').map((inMs) => atMs + Number(inMs));
    window.callsAhead = callsAhead;
    window.#inFlight = stored.inFlight;
    window.#unlisted = Math.max(0, stored.used - stored.inFlight - times.length);
    window.#releases.addAll(times);
    return window;
  }

  settle(settledAtMs: number): void {
    this.giveBack();
    this.#releases.add(settledAtMs + this.windowMs, 1);
  }

  giveBack(): void {
    this.#inFlight = Math.max(0, this.#inFlight - 1);
  }

  absorb(other: MirroredWindow): void {
    this.#inFlight += other.#inFlight;
    this.#unlisted += other.#unlisted;
    this.#releases.addAll(other.#releases.times());
  }

  free(nowMs: number): number {
    return Math.max(0, this.#unused(nowMs));
  }

  nextReleaseAtMs(nowMs: number): number {
    this.#releases.forgetPast(nowMs);
    return this.#releases.atMs(Math.min(this.callsAhead, Math.max(0, this.#releases.size - 1)));
  }

  slotAtMs(nowMs: number, index: number, latencyMs: number): number {
    const free = this.#unused(nowMs);
    if (index < free) return nowMs;
    const atMs = this.#releases.atMs(index - free);
    return atMs === Number.POSITIVE_INFINITY ? nowMs + latencyMs + this.windowMs : atMs;
  }

  restoredAtMs(nowMs: number): number {
    return Math.max(
      nowMs,
      this.#releases.lastAtMs(),
      this.#inFlight + this.#unlisted > 0 ? nowMs + this.windowMs : nowMs,
    );
  }

  #unused(nowMs: number): number {
    this.#releases.forgetPast(nowMs);
    return this.limit - this.#inFlight - this.#unlisted - this.#releases.size;
  }
}

/** What an instance knows of the slots of one key: the store's last reply, plus the changes made here since. */
export class SlotMirror implements ViewedState {
  readonly callsInFlight: Record<RouteClass, number> = { general: 0, burst: 0 };
  readonly virtualTime: Record<RouteClass, number> = { general: 0, burst: 0 };
  pausedUntilMs = Number.NEGATIVE_INFINITY;
  latencyMs: number | undefined;
  hasResponse = false;
  readonly #clock: RateLimiterOptions['clock'];
  readonly #maxConcurrentCalls: number;
  #windows: readonly MirroredWindow[];
  #burst: MirroredWindow | undefined;
  #consecutive429s = 0;
  isSuspect = false;
  #burstColdUntilMs = Number.NEGATIVE_INFINITY;
  #lastSentAtMs = Number.NEGATIVE_INFINITY;
  #monthlyQuota: { limit: number | undefined; remaining: number | undefined; probeAtMs: number } = {
    limit: undefined,
    remaining: undefined,
    probeAtMs: Number.NEGATIVE_INFINITY,
  };

  constructor({ general, burst, clock, maxConcurrentCalls }: RateLimiterOptions) {
    this.#clock = clock;
    this.#maxConcurrentCalls = maxConcurrentCalls;
    this.#burst = burst && new MirroredWindow({ ...burst, class: 'burst' });
    this.#windows = [new MirroredWindow({ ...general, class: 'general' }), ...(this.#burst ? [this.#burst] : [])];
  }

  get windows() {
    const [general] = this.#windows;
    if (!general) throw new TypeError('There is always a general window');
    return { general, burst: this.#burst, of: (ofClass: RouteClass) => this.#of(ofClass), all: () => this.#windows };
  }

  readonly probes = {
    untilMs: (routeClass: RouteClass) => {
      const nowMs = this.#clock.nowMs();
      const untilMs = this.#lastSentAtMs + PROBE_TIMEOUT_MS;
      if (nowMs >= untilMs) return undefined;
      if (this.isSuspect && this.callsInFlight.general + this.callsInFlight.burst > 0) return untilMs;
      return routeClass === 'burst' && this.callsInFlight.burst > 0 && nowMs < this.#burstColdUntilMs
        ? untilMs
        : undefined;
    },
  };

  get quota() {
    const { limit, remaining, probeAtMs } = this.#monthlyQuota;
    return {
      limit,
      remaining,
      isExhausted: () => remaining === 0 && this.#clock.nowMs() < probeAtMs,
      maxInFlight: (maxCalls: number) => Math.min(maxCalls, Math.max(1, remaining ?? maxCalls)),
    };
  }

  /** Reads a reply; `atMs`: when the script ran (monotonic). Returns whether it delays slots that were predicted. */
  read(stored: StoredSlots, atMs: number): boolean {
    const before = { windows: this.#windows, pausedUntilMs: this.pausedUntilMs };
    const windows = stored.windows.map((window) => MirroredWindow.from(window, atMs, stored.callsAhead));
    this.#windows = windows;
    this.#burst = windows.find((_, index) => stored.windows[index]?.name === 'burst');
    this.callsInFlight.general = stored.inFlightGeneral;
    this.callsInFlight.burst = stored.inFlightBurst;
    this.virtualTime.general = stored.virtualTimeGeneral;
    this.virtualTime.burst = stored.virtualTimeBurst;
    this.pausedUntilMs = atMs + Math.max(stored.pausedForMs, stored.closedForMs);
    this.#consecutive429s = stored.consecutive429s;
    this.isSuspect = stored.isSuspect;
    this.#burstColdUntilMs = atMs + stored.burstColdForMs;
    this.#lastSentAtMs = atMs - stored.sinceLastSentMs;
    this.hasResponse = stored.hasResponse;
    const { monthLimit: limit, monthRemaining: remaining } = stored;
    this.#monthlyQuota = { limit, remaining, probeAtMs: atMs + stored.monthProbeInMs };
    return (
      this.quota.isExhausted() ||
      (this.pausedUntilMs > this.#clock.nowMs() && this.pausedUntilMs > before.pausedUntilMs + 1) ||
      windows.length > before.windows.length ||
      windows.some((window, index) => this.#isWorse(window, before.windows[index], stored.isGranted))
    );
  }

  /** Adds the duration of a call to the mean latency. */
  measure(tookMs: number): void {
    this.latencyMs = this.latencyMs === undefined ? tookMs : this.latencyMs + (tookMs - this.latencyMs) / 8;
  }

  /** @param isServed - Postman responded, and not with a 429. */
  settle(routeClass: RouteClass, settledAtMs: number, isServed: boolean): void {
    if (isServed) this.#consecutive429s = 0;
    for (const window of this.#of(routeClass)) window.settle(settledAtMs);
    this.callsInFlight[routeClass] = Math.max(0, this.callsInFlight[routeClass] - 1);
  }

  giveBack(routeClass: RouteClass, isReservation: boolean): void {
    for (const window of this.#of(routeClass)) window.giveBack();
    if (!isReservation) this.callsInFlight[routeClass] = Math.max(0, this.callsInFlight[routeClass] - 1);
  }

  pause(untilMs: number): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs >= this.pausedUntilMs) this.#consecutive429s++;
    const leastMs = Math.min(MAX_BACKOFF_MS, MIN_PAUSE_MS * 2 ** (this.#consecutive429s - 1));
    this.pausedUntilMs = Math.max(this.pausedUntilMs, untilMs, nowMs + leastMs);
    this.isSuspect = true;
  }

  exhaustMonthlyQuota(): void {
    this.#monthlyQuota = {
      ...this.#monthlyQuota,
      remaining: 0,
      probeAtMs: this.#clock.nowMs() + QUOTA_PROBE_INTERVAL_MS,
    };
  }

  absorb(other: SlotMirror): void {
    for (const window of this.#windows) {
      const same = other.#windows.find(({ windowMs }) => windowMs === window.windowMs);
      if (same) window.absorb(same);
    }
    for (const routeClass of ROUTE_CLASSES) {
      this.callsInFlight[routeClass] += other.callsInFlight[routeClass];
      other.callsInFlight[routeClass] = 0;
    }
    this.pausedUntilMs = Math.max(this.pausedUntilMs, other.pausedUntilMs);
  }

  /** Whether as many calls are in flight as allowed. */
  isBusy(): boolean {
    return this.callsInFlight.general + this.callsInFlight.burst >= this.quota.maxInFlight(this.#maxConcurrentCalls);
  }

  #of(routeClass: RouteClass): readonly MirroredWindow[] {
    return this.#windows.filter((window) => window.class === 'general' || routeClass === 'burst');
  }

  #isWorse(window: MirroredWindow, before: MirroredWindow | undefined, isGranted: boolean): boolean {
    const nowMs = this.#clock.nowMs();
    if (!before || window.limit < before.limit) return true;
    return window.free(nowMs) < before.free(nowMs) - (isGranted ? 1 : 0);
  }
}
