import PQueue from 'p-queue';
import type { Clock } from './clock.ts';
import type { AnnouncedRateLimit } from './rate-limit-headers.ts';
import { createRateWindow, type RateWindow } from './rate-window.ts';
import { type LineOptions, type WaitingCall, WaitingLine } from './waiting-line.ts';

/** Upstream's two rate classes: `burst` routes count against both windows, all others against the general one alone. */
export type RouteClass = 'general' | 'burst';

/** What every budget of the process is made with. */
export interface BudgetOptions {
  /** The window of every call. `isCap`: announced limits above it are not followed. */
  readonly general: { readonly limit: number; readonly windowMs: number; readonly isCap: boolean };
  /** The second window of `burst` routes; absent: there is none. */
  readonly burst?: { readonly limit: number; readonly windowMs: number };
  /** Calls an operation makes before it has to leave this many slots of the general window (and one of the burst window) to newcomers. */
  readonly reservedCalls: number;
  /** Calls of one key that are out at the same time, at most. */
  readonly maxConcurrentCalls: number;
  readonly clock: Clock;
}

/** One operation's standing in the fair queue. Made by `Budget.newShare`, one per operation. */
export interface Share {
  /** Virtual time of its newest call. */
  lastTag: number;
  /** Calls sent so far. */
  sentCalls: number;
}

/** A call's place in the queue. */
export interface Place {
  /** Resolves when the call has to be sent at once: its slot is taken. Never rejects. */
  readonly admitted: Promise<void>;
  /** When its turn is expected (monotonic ms), as things stand. */
  turnAtMs(): number;
  /** Gives the place up. Without effect once admitted. */
  leave(): void;
}

/** The state of one key's budget at a moment. */
export interface BudgetSnapshot {
  readonly limit: number;
  readonly windowMs: number;
  readonly remaining: number;
  /** Milliseconds until the whole window is free again, if nothing more is sent. */
  readonly restoredInMs: number;
  /** The same of the burst window, where there is one. */
  readonly burst?: {
    readonly limit: number;
    readonly windowMs: number;
    readonly remaining: number;
    readonly restoredInMs: number;
  };
  /** Calls waiting for their turn, of all operations. */
  readonly queuedCalls: number;
  /** Whether upstream has answered under this key yet. */
  readonly hasAnswer: boolean;
  readonly monthLimit?: number;
  readonly monthRemaining?: number;
}

/** Keeps the calls of one API key inside upstream's rate limits, and lets nobody wait for longer than that takes. */
export interface Budget {
  newShare(): Share;
  /** When a call asked for now would get its turn (monotonic ms). */
  expectedTurnAtMs(routeClass: RouteClass, share: Share): number;
  /**
   * The time to name to a caller that is refused: its own turn behind everybody who waits and everybody refused before,
   * so that the refused do not all come back at the same moment. Each call of this takes one such turn.
   */
  promiseTurnAtMs(routeClass: RouteClass): number;
  /** Queues a call. `isRepeat`: it has had its turn and was refused by upstream, so it goes first. */
  enter(routeClass: RouteClass, share: Share, isRepeat?: boolean): Place;
  /** An admitted call has been answered, and this announced with it, or was given up (nothing announced). */
  settle(routeClass: RouteClass, sentAtMs: number, announced?: AnnouncedRateLimit): void;
  /** Upstream said 429: nothing is sent before `untilMs` (monotonic). */
  pause(untilMs: number): void;
  /** Is told after everything that can put turns off: a pause, a lower limit, slots used by others. */
  onDelay(listener: () => void): () => void;
  snapshot(): BudgetSnapshot;
  /** True when forgetting this budget loses nothing: no call waits or is out, and every window is unused. */
  isIdle(): boolean;
}

// Before anything is measured; a large collection takes longer, a list less.
const FIRST_LATENCY_MS = 300;
const MAX_PROMISED_TURNS = 10_000;

/**
 * Makes the budget of one API key.
 *
 * p-queue holds what waits, one queue per route class; both stay paused and are opened for exactly one call at a time,
 * when the windows say that it can be sent. The p-queue task ends as soon as the call is admitted: the windows, not p-queue's
 * own count, know what is out, because a slot outlives its call by one window.
 */
export function createBudget({
  general: generalLimit,
  burst: burstLimit,
  reservedCalls,
  maxConcurrentCalls,
  clock,
}: BudgetOptions): Budget {
  const general = createRateWindow(generalLimit.limit, generalLimit.windowMs);
  const burst = burstLimit && createRateWindow(burstLimit.limit, burstLimit.windowMs);
  const queues = { general: createQueue(), burst: createQueue() };
  const delayListeners = new Set<() => void>();
  const promisedTurns: Record<RouteClass, number[]> = { general: [], burst: [] };

  let virtualTime = 0;
  let nextId = 0;
  let callsOut = 0;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  let latencyMs = FIRST_LATENCY_MS;
  let hasAnswer = false;
  let monthLimit: number | undefined;
  let monthRemaining: number | undefined;
  let wakeUp: { readonly atMs: number; readonly cancel: () => void } | undefined;

  const windowsOf = (routeClass: RouteClass): readonly RateWindow[] =>
    routeClass === 'burst' && burst ? [general, burst] : [general];

  const slotsLeftToNewcomers = (window: RateWindow, share: Share) => {
    if (share.sentCalls < reservedCalls) return 0;
    return Math.min(window === general ? reservedCalls : 1, window.limit - 1);
  };

  const isAdmissible = (routeClass: RouteClass, share: Share) => {
    const nowMs = clock.nowMs();
    return (
      nowMs >= pausedUntilMs &&
      callsOut < maxConcurrentCalls &&
      windowsOf(routeClass).every((window) => window.free(nowMs) > slotsLeftToNewcomers(window, share))
    );
  };

  /** Sends what can be sent now, in the order of virtual time over both queues, then sets the timer for the next time something can. */
  const pump = () => {
    for (;;) {
      const general = queues.general.line.next();
      const burst = queues.burst.line.next();
      if (!general && !burst) break;
      const chosen = general && (!burst || general.tag <= burst.tag) ? queues.general : queues.burst;
      chosen.queue.start();
    }
    scheduleWakeUp();
  };

  const scheduleWakeUp = () => {
    const nowMs = clock.nowMs();
    let atMs = Number.POSITIVE_INFINITY;
    for (const routeClass of ['general', 'burst'] as const) {
      // With all connections busy the next thing to happen is an answer, and `settle` pumps by itself.
      if (queues[routeClass].line.size === 0 || callsOut >= maxConcurrentCalls) continue;
      const releasesAtMs = windowsOf(routeClass).map((window) => window.nextReleaseAtMs(nowMs));
      atMs = Math.min(atMs, nowMs < pausedUntilMs ? pausedUntilMs : Math.min(...releasesAtMs));
    }
    if (wakeUp?.atMs === atMs) return;
    wakeUp?.cancel();
    wakeUp = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const cancel = clock.schedule(atMs, () => {
      wakeUp = undefined;
      pump();
    });
    wakeUp = { atMs, cancel };
  };

  /** When a call gets its turn that has so many calls of either class ahead of it. */
  const turnAtMs = (routeClass: RouteClass, aheadInGeneral: number, aheadInBurst: number, share?: Share) => {
    const nowMs = clock.nowMs();
    const startMs = Math.max(nowMs, pausedUntilMs);
    const turnIn = (window: RateWindow, ahead: number) => {
      const reserved = share ? slotsLeftToNewcomers(window, share) : 0;
      return Math.max(startMs, window.turnAtMs(nowMs, ahead + reserved + 1, latencyMs));
    };
    if (burst === undefined) return turnIn(general, aheadInGeneral + aheadInBurst);
    if (routeClass === 'burst') {
      return Math.max(turnIn(burst, aheadInBurst), turnIn(general, aheadInGeneral + aheadInBurst));
    }
    // Burst calls ahead of it only cost it what their own, tighter window lets through until then.
    let passing = 0;
    for (;;) {
      const atMs = turnIn(general, aheadInGeneral + passing);
      const through = Math.min(aheadInBurst, burst.turnsUntil(nowMs, atMs, latencyMs));
      if (through <= passing) return atMs;
      passing = through;
    }
  };

  const turnOfTag = (routeClass: RouteClass, tag: number, share: Share, own: 0 | 1) => {
    const inGeneral = queues.general.line.countAhead(tag) - (routeClass === 'general' ? own : 0);
    const inBurst = queues.burst.line.countAhead(tag) - (routeClass === 'burst' ? own : 0);
    return turnAtMs(routeClass, inGeneral, inBurst, share);
  };

  const nextTag = (share: Share) => Math.max(virtualTime, share.lastTag) + 1;

  const announceDelay = () => {
    for (const listener of [...delayListeners]) listener();
  };

  const learn = (routeClass: RouteClass, announced: AnnouncedRateLimit) => {
    const nowMs = clock.nowMs();
    monthLimit = announced.monthLimit ?? monthLimit;
    monthRemaining = announced.monthRemaining ?? monthRemaining;
    const describesBurst =
      routeClass === 'burst' &&
      burst !== undefined &&
      (announced.windowMs === undefined
        ? announced.limit !== undefined && announced.limit <= burst.limit
        : announced.windowMs === burst.windowMs && announced.windowMs !== general.windowMs);
    const window = describesBurst ? burst : general;
    const isSameWindow = announced.windowMs === undefined || announced.windowMs === window.windowMs;
    const before = { limit: window.limit, free: window.free(nowMs) };
    if (announced.limit !== undefined && isSameWindow) {
      const cap = describesBurst ? burstLimit?.limit : generalLimit.isCap ? generalLimit.limit : undefined;
      window.setLimit(Math.min(announced.limit, cap ?? announced.limit));
    }
    if (announced.remaining !== undefined) {
      // Headers can take away, not give: our own count already has every call that is still out, upstream's may not.
      window.hold(0, nowMs);
      const foreignCalls = window.free(nowMs) - announced.remaining;
      if (foreignCalls > 0) window.hold(foreignCalls, nowMs + (announced.resetInMs ?? window.windowMs));
    }
    if (window.limit < before.limit || window.free(nowMs) < before.free) announceDelay();
  };

  return {
    newShare: () => ({ lastTag: virtualTime, sentCalls: 0 }),

    expectedTurnAtMs(routeClass, share) {
      // Whatever waits could not be sent when it was last tried; if this one can, nobody is ahead of it.
      if (isAdmissible(routeClass, share)) return clock.nowMs();
      return turnOfTag(routeClass, nextTag(share), share, 0);
    },

    promiseTurnAtMs(routeClass) {
      const nowMs = clock.nowMs();
      for (const promised of Object.values(promisedTurns)) {
        let past = 0;
        while (past < promised.length && (promised[past] ?? 0) <= nowMs) past++;
        promised.splice(0, past);
      }
      const aheadInGeneral = queues.general.line.size + promisedTurns.general.length;
      const aheadInBurst = queues.burst.line.size + promisedTurns.burst.length;
      const atMs = turnAtMs(routeClass, aheadInGeneral, aheadInBurst);
      const own = promisedTurns[routeClass];
      if (own.length < MAX_PROMISED_TURNS) own.push(Math.max(atMs, own.at(-1) ?? 0));
      return atMs;
    },

    enter(routeClass, share, isRepeat = false) {
      const id = String(nextId++);
      const tag = isRepeat ? Number.NEGATIVE_INFINITY : nextTag(share);
      if (!isRepeat) share.lastTag = tag;
      const { queue } = queues[routeClass];
      const call: WaitingCall = { id, tag, isAdmissible: () => isAdmissible(routeClass, share) };
      const leaving = new AbortController();
      let isAdmitted = false;
      const admitted = new Promise<void>((admit) => {
        const start = () => {
          queue.pause();
          isAdmitted = true;
          virtualTime = Math.max(virtualTime, tag);
          share.sentCalls++;
          callsOut++;
          for (const window of windowsOf(routeClass)) window.take();
          admit();
        };
        // It rejects only for our own abort in `leave`, which whoever left knows of.
        queue.add(start, { id, call, signal: leaving.signal }).catch(() => undefined);
      });
      pump();
      return {
        admitted,
        turnAtMs: () => (isAdmitted ? clock.nowMs() : turnOfTag(routeClass, tag, share, 1)),
        leave() {
          if (isAdmitted) return;
          leaving.abort();
          scheduleWakeUp();
        },
      };
    },

    settle(routeClass, sentAtMs, announced) {
      const nowMs = clock.nowMs();
      callsOut--;
      for (const window of windowsOf(routeClass)) window.release(nowMs);
      latencyMs += (nowMs - sentAtMs - latencyMs) / 8;
      if (announced) {
        hasAnswer = true;
        learn(routeClass, announced);
      }
      pump();
    },

    pause(untilMs) {
      pausedUntilMs = Math.max(pausedUntilMs, untilMs);
      announceDelay();
      scheduleWakeUp();
    },

    onDelay(listener) {
      delayListeners.add(listener);
      return () => delayListeners.delete(listener);
    },

    snapshot() {
      const nowMs = clock.nowMs();
      const toState = (window: RateWindow) => ({
        limit: window.limit,
        windowMs: window.windowMs,
        remaining: nowMs < pausedUntilMs ? 0 : window.free(nowMs),
        restoredInMs: Math.max(window.restoredAtMs(nowMs), pausedUntilMs) - nowMs,
      });
      return {
        ...toState(general),
        ...(burst && { burst: toState(burst) }),
        queuedCalls: queues.general.line.size + queues.burst.line.size,
        hasAnswer,
        ...(monthLimit !== undefined && { monthLimit }),
        ...(monthRemaining !== undefined && { monthRemaining }),
      };
    },

    isIdle() {
      const nowMs = clock.nowMs();
      return (
        callsOut === 0 &&
        queues.general.line.size + queues.burst.line.size === 0 &&
        nowMs >= pausedUntilMs &&
        [general, burst].every((window) => window === undefined || window.restoredAtMs(nowMs) <= nowMs)
      );
    },
  };
}

/** A p-queue that starts nothing by itself, and the line it keeps its waiting calls in. */
function createQueue() {
  const line = new WaitingLine();
  // p-queue makes its queue itself, and the budget has to read that very one.
  const queueClass = function takeLine() {
    return line;
  } as unknown as new () => WaitingLine;
  return { line, queue: new PQueue<WaitingLine, LineOptions>({ autoStart: false, queueClass }) };
}
