import { type Announcement, announce, type Refusal, refuse, TRUE_REFUSALS, type WindowState } from './announcements.ts';
import { type Arrival, isOver, type Judge, type Limits } from './judge.ts';
import type { Figures } from './figures.ts';
import type { Random } from './random.ts';
import { createRollingCount } from './rolling-count.ts';
import type { Timeline } from './timeline.ts';

/** A response on its way back. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
  readonly arrival: Arrival;
  /** Number of limit changes before it was sent. */
  readonly generation: number;
  /** Set for a 429 requested by `refuseNext`. */
  readonly ordered?: { readonly refusal: Refusal; readonly waitMs: number };
}

/** The simulated Postman API: counts arrivals per user, and responds. */
export interface Upstream {
  receive(call: {
    readonly user: string;
    readonly isBurst: boolean;
    readonly isOurs: boolean;
    readonly sentAtMs: number;
  }): UpstreamResponse;
  readonly limits: Limits;
  setGeneralLimit(limit: number): void;
  readonly generation: number;
  /** Refuses our next call, whatever the count. */
  refuseNext(refusal: Refusal, waitMs: number): void;
  /** From now on this fraction of the calls gets one of these statuses. */
  fail(fraction: number, statuses: readonly [number, ...number[]]): void;
  epochMs(): number;
}

/** Settings of the simulated upstream. */
export interface UpstreamOptions {
  readonly limits: Limits;
  readonly announcement: Announcement;
  /** Meaning of the announced reset: when the next slot is free, or when the whole window is. */
  readonly reset: 'next slot' | 'whole window';
  /** Whether a refused call counts in the windows like a served one. */
  readonly countsRefused: boolean;
}

/** Creates the simulated upstream. It refuses calls that exceed a rolling window when they arrive. */
export function createUpstream(
  { limits, announcement, reset, countsRefused }: UpstreamOptions,
  { timeline, random, judge, figures }: { timeline: Timeline; random: Random; judge: Judge; figures: Figures },
): Upstream {
  const startEpochMs = Date.UTC(2026, 0, 15, 12, 0, 0) - timeline.nowMs();
  const users = new Map<
    string,
    { general: ReturnType<typeof createRollingCount>; burst: ReturnType<typeof createRollingCount> }
  >();
  let generation = 0;
  let ordered: UpstreamResponse['ordered'];
  let failing: { fraction: number; statuses: readonly [number, ...number[]] } | undefined;

  const epochMs = () => startEpochMs + timeline.nowMs();

  const stateOf = (
    rolling: ReturnType<typeof createRollingCount>,
    limit: number,
    windowMs: number,
    nowMs: number,
  ): WindowState => {
    const used = rolling.count(nowMs);
    const resetAtMs = rolling.leavesAtMs(nowMs, reset === 'whole window' ? Math.min(1, used) : used);
    return { limit, windowMs, remaining: Math.max(0, limit - used), resetMs: resetAtMs - nowMs };
  };

  return {
    limits,
    epochMs,
    get generation() {
      return generation;
    },
    setGeneralLimit(limit) {
      limits.general = limit;
      generation++;
    },
    refuseNext(refusal, waitMs) {
      ordered = { refusal, waitMs };
    },
    fail(fraction, statuses) {
      failing = { fraction, statuses };
    },
    receive({ user, isBurst, isOurs, sentAtMs }) {
      const nowMs = timeline.nowMs();
      const arrival = judge.arrive({ atMs: nowMs, user, isBurst, isOurs, sentAtMs });
      let windows = users.get(user);
      if (!windows) {
        windows = { general: createRollingCount(limits.generalMs), burst: createRollingCount(limits.burstMs) };
        users.set(user, windows);
      }
      const order = isOurs ? ordered : undefined;
      if (order) ordered = undefined;
      const isTooMany =
        windows.general.count(nowMs) >= limits.general || (isBurst && windows.burst.count(nowMs) >= limits.burst);
      const isRefused = isTooMany || order !== undefined;
      // The time until a slot is free, without this call, in the window that takes longest.
      const generalWaitMs = windows.general.leavesAtMs(nowMs, limits.general) - nowMs;
      const burstWaitMs = isBurst ? windows.burst.leavesAtMs(nowMs, limits.burst) - nowMs : 0;
      const full =
        burstWaitMs > generalWaitMs
          ? { limit: limits.burst, windowMs: limits.burstMs }
          : { limit: limits.general, windowMs: limits.generalMs };
      if (!isRefused || countsRefused) {
        windows.general.add(nowMs);
        if (isBurst) windows.burst.add(nowMs);
      }
      const announced = announce(
        announcement,
        stateOf(windows.general, limits.general, limits.generalMs, nowMs),
        isBurst ? stateOf(windows.burst, limits.burst, limits.burstMs, nowMs) : undefined,
        epochMs(),
      );
      const common = { arrival, generation, ...(order && { ordered: order }) };
      const json = { 'content-type': 'application/json' };
      if (isOurs) {
        figures.add('calls');
        if (isOver(arrival)) figures.add('calls above a window');
        if (isRefused && !order) figures.add('429');
        if (isOver(arrival) && generation === 0) judge.freezeTrace();
      }
      if (isRefused) {
        arrival.status = 429;
        const refusal = order
          ? refuse(order.refusal, order.waitMs, full, epochMs())
          : refuse(random.pick(TRUE_REFUSALS), Math.max(generalWaitMs, burstWaitMs), full, epochMs());
        return { ...common, status: 429, headers: { ...json, ...refusal.headers }, text: refusal.text };
      }
      if (failing && random.chance(failing.fraction)) {
        const status = random.pick(failing.statuses);
        arrival.status = status;
        const text = JSON.stringify({ error: { name: 'serverError', message: 'Something went wrong' } });
        return { ...common, status, headers: { ...json, ...announced }, text };
      }
      arrival.status = 200;
      return { ...common, status: 200, headers: { ...json, ...announced }, text: '{}' };
    },
  };
}
