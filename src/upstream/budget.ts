import PQueue from 'p-queue';
import type { Clock } from './clock.ts';
import type { AnnouncedRateLimit } from './rate-limit-headers.ts';
import { createRateWindow, type RateWindow } from './rate-window.ts';
import type { RouteClass, Share } from './share.ts';
import { type LineOptions, type WaitingCall, WaitingLine } from './waiting-line.ts';

/** What every budget of the process is made with. */
export interface BudgetOptions {
  /** The window of every call. `isCap`: announced limits above it are not followed. */
  readonly general: { readonly limit: number; readonly windowMs: number; readonly isCap: boolean };
  /** The second window of `burst` routes; absent: there is none. */
  readonly burst?: { readonly limit: number; readonly windowMs: number };
  /**
   * Calls an operation makes before it has to leave this many slots of the general window (and one of the burst window) to
   * newcomers. When that many have passed it, it takes the next slot itself: a stream of newcomers may slow it, not stop it.
   */
  readonly reservedCalls: number;
  /** Calls of one key that are out at the same time, at most. */
  readonly maxConcurrentCalls: number;
  readonly clock: Clock;
}

/** A call's place in the queue. */
export interface Place {
  /** Resolves when the call has to be sent at once: its slot is taken. Never rejects. */
  readonly admitted: Promise<void>;
  isAdmitted(): boolean;
  /** When its turn is expected (monotonic ms), as things stand. */
  turnAtMs(): number;
  /** Gives the place up. Without effect once admitted. */
  leave(): void;
  /** Gives the place up and, as `Budget.promiseTurnAtMs` does, names the turn it had. */
  exchange(): number;
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
  promiseTurnAtMs(routeClass: RouteClass, share: Share): number;
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
const MAX_PROMISED_TURNS = 1_000;
// Of what upstream announces; the most that can be configured, too.
const MAX_LIMIT = 100_000;

const CLASSES = ['general', 'burst'] as const;
const otherClass = (routeClass: RouteClass): RouteClass => (routeClass === 'general' ? 'burst' : 'general');

/**
 * Makes the budget of one API key.
 *
 * p-queue holds what waits, one queue per route class; both stay paused and are opened for exactly one call at a time,
 * when the windows say that it can be sent. Within a queue operations share by virtual time; the two queues take turns, so
 * that neither what waits for the burst window nor what passes it is ever far behind. The p-queue task ends as soon as the call is admitted: the windows, not p-queue's
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
  const lines = { general: createLine(), burst: createLine() };
  const delayListeners = new Set<() => void>();
  const promisedTurns: Record<RouteClass, number[]> = { general: [], burst: [] };

  let nextId = 0;
  let preferredClass: RouteClass = 'general';
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
    if (share.sentCalls < reservedCalls || share.yieldedSlots >= reservedCalls) return 0;
    return Math.min(window === general ? reservedCalls : 1, window.limit - 1);
  };

  const canSend = (routeClass: RouteClass, slotsToLeave: (window: RateWindow) => number) => {
    const nowMs = clock.nowMs();
    return (
      nowMs >= pausedUntilMs &&
      callsOut < maxConcurrentCalls &&
      windowsOf(routeClass).every((window) => window.free(nowMs) > slotsToLeave(window))
    );
  };

  const isAdmissible = (routeClass: RouteClass, share: Share) =>
    canSend(routeClass, (window) => slotsLeftToNewcomers(window, share));

  /** Sends what can be sent now, then sets the timer for the next time something can. */
  const pump = () => {
    for (;;) {
      const turn = [preferredClass, otherClass(preferredClass)].find((routeClass) => lines[routeClass].line.next());
      if (!turn) break;
      const passed = CLASSES.flatMap((routeClass) => {
        const first = lines[routeClass].line.first();
        return first && !first.isAdmissible() && canSend(routeClass, () => 0) ? [first.share] : [];
      });
      lines[turn].queue.start();
      for (const share of passed) share.yieldedSlots++;
      preferredClass = otherClass(turn);
    }
    scheduleWakeUp();
  };

  const scheduleWakeUp = () => {
    const nowMs = clock.nowMs();
    let atMs = Number.POSITIVE_INFINITY;
    for (const routeClass of CLASSES) {
      // With all connections busy the next thing to happen is an answer, and `settle` pumps by itself.
      if (lines[routeClass].line.size === 0 || callsOut >= maxConcurrentCalls) continue;
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

  /**
   * When a call gets its turn that has so many calls ahead of it in its own line, and so many in the other one: plays
   * through what `pump` will do if every call is answered after the mean latency and nobody else comes.
   */
  const turnAtMs = (routeClass: RouteClass, ahead: Readonly<Record<RouteClass, number>>, share?: Share) => {
    const nowMs = clock.nowMs();
    const startMs = Math.max(nowMs, pausedUntilMs);
    const createTurns = (window: RateWindow) => {
      const reserved = share ? slotsLeftToNewcomers(window, share) : 0;
      const usable = window.limit - reserved;
      const takenAtMs: number[] = [];
      return {
        next: () => {
          const again = takenAtMs[takenAtMs.length - usable];
          return again === undefined
            ? window.slotAtMs(nowMs, takenAtMs.length + reserved, latencyMs)
            : again + latencyMs + window.windowMs;
        },
        take: (atMs: number) => takenAtMs.push(atMs),
      };
    };
    const generalTurns = createTurns(general);
    const burstTurns = burst && createTurns(burst);
    const left = { ...ahead };
    let preferred = preferredClass;
    for (;;) {
      const generalMs = Math.max(startMs, generalTurns.next());
      const burstMs = Math.max(generalMs, burstTurns?.next() ?? startMs);
      const waits = {
        general: routeClass === 'general' || left.general > 0,
        burst: routeClass === 'burst' || left.burst > 0,
      };
      const isBurst = waits.burst && (!waits.general || (preferred === 'burst' && burstMs <= generalMs));
      const sent = isBurst ? 'burst' : 'general';
      const atMs = isBurst ? burstMs : generalMs;
      if (sent === routeClass && left[sent] === 0) return atMs;
      left[sent]--;
      generalTurns.take(atMs);
      if (isBurst) burstTurns?.take(atMs);
      preferred = otherClass(sent);
    }
  };

  const aheadOf = (routeClass: RouteClass, tag: number, id?: string): Record<RouteClass, number> => ({
    general: lines.general.line.size,
    burst: lines.burst.line.size,
    [routeClass]: lines[routeClass].line.countAhead(tag, id),
  });

  const promiseTurn = (routeClass: RouteClass, ahead: Readonly<Record<RouteClass, number>>, share: Share) => {
    const nowMs = clock.nowMs();
    for (const promised of Object.values(promisedTurns)) {
      let past = 0;
      while (past < promised.length && (promised[past] ?? 0) <= nowMs) past++;
      promised.splice(0, past);
    }
    const own = promisedTurns[routeClass];
    const withPromised = {
      general: ahead.general + promisedTurns.general.length,
      burst: ahead.burst + promisedTurns.burst.length,
    };
    // Behind the slots it has to leave to others: they may be free now, and still not for this one.
    const atMs = turnAtMs(routeClass, withPromised, share);
    const promisedAtMs = Math.max(atMs, own.at(-1) ?? atMs);
    if (own.length < MAX_PROMISED_TURNS) own.push(promisedAtMs);
    return promisedAtMs;
  };

  const nextTag = (routeClass: RouteClass, share: Share) =>
    Math.max(lines[routeClass].virtualTime, share.lastTag[routeClass]) + 1;

  const announceDelay = () => {
    for (const listener of [...delayListeners]) listener();
  };

  const learn = (routeClass: RouteClass, announced: AnnouncedRateLimit) => {
    const nowMs = clock.nowMs();
    monthLimit = announced.monthLimit ?? monthLimit;
    monthRemaining = announced.monthRemaining ?? monthRemaining;
    const describesBurst =
      burst !== undefined &&
      (announced.windowMs === undefined || burst.windowMs === general.windowMs
        ? routeClass === 'burst' && announced.limit !== undefined && announced.limit <= (burstLimit?.limit ?? 0)
        : announced.windowMs === burst.windowMs);
    const window = describesBurst ? burst : general;
    const announcedWindowMs = announced.windowMs ?? window.windowMs;
    const before = { limit: window.limit, free: window.free(nowMs) };
    if (announced.limit !== undefined && announcedWindowMs === window.windowMs) {
      const cap = describesBurst ? burstLimit?.limit : generalLimit.isCap ? generalLimit.limit : undefined;
      window.setLimit(Math.min(announced.limit, cap ?? MAX_LIMIT));
    }
    // Headers can take away, not give: our own count already has every call that is still out, upstream's may not, and
    // answers overtake each other.
    const foreignCalls = window.free(nowMs) - (announced.remaining ?? Number.POSITIVE_INFINITY);
    if (foreignCalls > 0) {
      // No window keeps a call for longer than it lasts, whatever is said of its reset.
      window.hold(foreignCalls, nowMs + Math.min(announced.resetInMs ?? announcedWindowMs, announcedWindowMs));
    }
    if (window.limit < before.limit || window.free(nowMs) < before.free) announceDelay();
  };

  return {
    newShare: () => ({ lastTag: { general: 0, burst: 0 }, sentCalls: 0, yieldedSlots: 0 }),

    expectedTurnAtMs(routeClass, share) {
      // Whatever waits could not be sent when it was last tried; if this one can, nobody is ahead of it.
      if (isAdmissible(routeClass, share)) return clock.nowMs();
      return turnAtMs(routeClass, aheadOf(routeClass, nextTag(routeClass, share)), share);
    },

    promiseTurnAtMs: (routeClass, share) =>
      promiseTurn(routeClass, aheadOf(routeClass, Number.POSITIVE_INFINITY), share),

    enter(routeClass, share, isRepeat = false) {
      const id = String(nextId++);
      const line = lines[routeClass];
      const tag = isRepeat ? Number.NEGATIVE_INFINITY : nextTag(routeClass, share);
      if (isRepeat) preferredClass = routeClass;
      else share.lastTag[routeClass] = tag;
      const call: WaitingCall = { id, share, tag, isAdmissible: () => isAdmissible(routeClass, share) };
      const leaving = new AbortController();
      let isAdmitted = false;
      const admitted = new Promise<void>((admit) => {
        const start = () => {
          line.queue.pause();
          isAdmitted = true;
          line.virtualTime = Math.max(line.virtualTime, tag);
          share.sentCalls++;
          share.yieldedSlots = 0;
          callsOut++;
          for (const window of windowsOf(routeClass)) window.take();
          admit();
        };
        // It rejects only for our own abort in `leave`, which whoever left knows of.
        line.queue.add(start, { id, call, signal: leaving.signal }).catch(() => undefined);
      });
      pump();
      const leave = () => {
        if (isAdmitted) return;
        leaving.abort('left');
        scheduleWakeUp();
      };
      return {
        admitted,
        isAdmitted: () => isAdmitted,
        turnAtMs: () => (isAdmitted ? clock.nowMs() : turnAtMs(routeClass, aheadOf(routeClass, tag, id), share)),
        leave,
        exchange() {
          const atMs = promiseTurn(routeClass, aheadOf(routeClass, tag, id), share);
          leave();
          return atMs;
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
        queuedCalls: lines.general.line.size + lines.burst.line.size,
        hasAnswer,
        ...(monthLimit !== undefined && { monthLimit }),
        ...(monthRemaining !== undefined && { monthRemaining }),
      };
    },

    isIdle() {
      const nowMs = clock.nowMs();
      return (
        callsOut === 0 &&
        lines.general.line.size + lines.burst.line.size === 0 &&
        nowMs >= pausedUntilMs &&
        [general, burst].every((window) => window === undefined || window.restoredAtMs(nowMs) <= nowMs)
      );
    },
  };
}

/** A p-queue that starts nothing by itself, the line it keeps its waiting calls in, and the virtual time of what it started last. */
function createLine() {
  const line = new WaitingLine();
  // p-queue makes its queue itself, and the budget has to read that very one.
  const queueClass = function takeLine() {
    return line;
  } as unknown as new () => WaitingLine;
  return { line, queue: new PQueue<WaitingLine, LineOptions>({ autoStart: false, queueClass }), virtualTime: 0 };
}
