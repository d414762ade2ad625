import PQueue from 'p-queue';
import { type CautionOptions, createCaution } from './caution.ts';
import { createMonthAllowance } from './month-allowance.ts';
import type { AnnouncedRateLimit } from './rate-limit-headers.ts';
import type { RateWindow } from './rate-window.ts';
import { createPromisedTurns } from './promised-turns.ts';
import { createRateWindows, type RateWindows, type RateWindowsOptions, type TakenSlots } from './rate-windows.ts';
import { otherClass, ROUTE_CLASSES, type RouteClass, type Share } from './share.ts';
import { foretellTurnMs } from './turn-forecast.ts';
import { type LineOptions, type Room, type Standing, type WaitingCall, WaitingLine } from './waiting-line.ts';

/** What every budget of the process is made with. */
export interface BudgetOptions extends RateWindowsOptions, CautionOptions {
  /**
   * Calls an operation makes before it has to leave this many slots of the general window (and one of every other, and one connection) to
   * newcomers. When that many have passed it, it takes the next slot itself: a stream of newcomers may slow it, not stop it.
   */
  readonly reservedCalls: number;
  /** Calls of one key that are out at the same time, at most. */
  readonly maxConcurrentCalls: number;
}

type OnDelay = (latestTurnAtMs: number) => void;

/** A call's place in the queue, and then its slots. */
export interface Place {
  /** Resolves when the call has to be sent at once: its slots are taken. Never rejects. */
  readonly admitted: Promise<void>;
  isAdmitted(): boolean;
  /** When its turn is expected (monotonic ms), as things stand. */
  readonly turnAtMs: () => number;
  /** Gives the place up. Without effect once admitted. */
  leave(): void;
  /** Whether the next call of another operation might have its turn before. */
  isBehind(share: Share): boolean;
  /** Gives the place up and, as `Budget.promiseTurnAtMs` does, keeps its turn for the call to come back for at the time that is named (monotonic ms). */
  exchange(toldAtMs: number): void;
  /** The admitted call has been answered, and this announced with it, or was given up (nothing announced). `isRefused`: with a 429, after which the budget has been paused. */
  settle(announced?: AnnouncedRateLimit, isRefused?: boolean): void;
  /** The admitted call has reached nobody: its slots are free again. */
  giveBack(): void;
}

/** How full one window is. */
export interface WindowSnapshot {
  readonly limit: number;
  readonly windowMs: number;
  /** Calls that can be sent now. */
  readonly remaining: number;
  /** Milliseconds until the whole window is free again, if nothing more is sent. */
  readonly restoredInMs: number;
}

/** The state of one key's budget at a moment: of the general window, and of the others where there are any. */
export interface BudgetSnapshot extends WindowSnapshot {
  /** Calls of the general class that can be sent now, as far as any window goes. */
  readonly remaining: number;
  readonly burst?: WindowSnapshot;
  /** Windows that are known from answers alone. */
  readonly learned: readonly WindowSnapshot[];
  /** Calls waiting for their turn, of all operations. */
  readonly queuedCalls: number;
  /** Whether upstream has answered under this key yet. */
  readonly hasAnswer: boolean;
  readonly monthLimit?: number;
  readonly monthRemaining?: number;
}

/** Keeps the calls of one API key inside upstream's rate limits, and lets nobody wait for longer than that takes. */
export interface Budget {
  /** When a call asked for now would get its turn (monotonic ms). */
  expectedTurnAtMs(routeClass: RouteClass, share: Share, key: string): number;
  /**
   * The time to name to a caller that is refused: its own turn, as if it had queued, behind everybody who waits and everybody refused before.
   * The turn is kept: a call of the same key that comes back then has it.
   */
  promiseTurnAtMs(routeClass: RouteClass, share: Share, key: string): number;
  /**
   * Queues a call.
   *
   * @param key - Tells what is called; the turn that was promised to it, if it was, is taken.
   * @param onDelay - Is told after everything that can put its turn off: a pause, a lower limit, slots used by others, an allowance used up; and when
   *   the last in its line has its turn now (monotonic ms), because to find that out for each is a walk for each.
   * @param isRepeat - It has had its turn and failed, so it goes first.
   */
  enter(routeClass: RouteClass, share: Share, key: string, onDelay: OnDelay, isRepeat?: boolean): Place;
  /** Upstream said 429: nothing is sent before `untilMs` (monotonic) and for at least a second, twice as long each time in a row; then one call alone, to see whether it is over. */
  pause(untilMs: number): void;
  /** Upstream said that the monthly allowance is used up. */
  spendMonth(): void;
  /** Whether there is nothing left of the month, as far as is known. Now and then it is not, so that one call can find out. */
  isMonthSpent(): boolean;
  /** No more than this may wait. */
  isFull(): boolean;
  /** When so many calls of each class, asked for now by one operation, would all have been answered (monotonic ms), behind everything that waits. */
  servedAtMs(calls: Readonly<Record<RouteClass, number>>): number;
  /** After how long the last of so many calls of each class has its turn that one operation asks for while nothing is in use or waits, in milliseconds; answers take no time. */
  servedFromIdleMs(calls: Readonly<Record<RouteClass, number>>): number;
  /** Whether a call that nobody waits for can be sent without being in anybody's way: nothing waits, and half of every window is free. */
  hasSpareSlot(routeClass: RouteClass): boolean;
  snapshot(): BudgetSnapshot;
  /** Its key turns out to be of the same user as another: what waits and what is in use moves there, and everything to come has to go there. */
  bequeath(heir: Budget): void;
  /** Counts what is in use of another budget, and keeps to its pause. */
  inherit(windows: RateWindows, pausedUntilMs: number): void;
  /** A call that was out when it was inherited has been answered. */
  settleInherited(routeClass: RouteClass): void;
  /** True when no call waits or is out. */
  isQuiet(): boolean;
  /** True when forgetting this budget loses nothing: no call waits or is out, and every window is unused. */
  isIdle(): boolean;
}

// Before anything is measured.
const FIRST_LATENCY_MS = 300;
// What is held for a moment is idle so long: of a short window that would be too much.
const HOLDABLE_WINDOW_MS = 30_000;
const MAX_WAITING_CALLS = 20_000;
// A pause shorter than this would be a busy loop against an upstream that says "0".
const MIN_PAUSE_MS = 1_000;
const MAX_BACKOFF_MS = 32_000;
// Each may have to find out when its turn is: a fifth of a millisecond.
const TOLD_AT_ONCE = 50;
const NO_ROOM: Room = { forNewcomers: false, forRegulars: false };

/**
 * Makes the budget of one API key.
 *
 * p-queue holds what waits, one queue per route class; both stay paused and are opened for exactly one call at a time,
 * when the windows say that it can be sent. Within a queue operations share by virtual time; the two queues take turns, so
 * that neither what waits for the burst window nor what passes it is ever far behind. The p-queue task ends as soon as the call is admitted: the windows, not p-queue's
 * own count, know what is out, because a slot outlives its call by one window.
 */
export function createBudget(options: BudgetOptions): Budget {
  const { reservedCalls, maxConcurrentCalls, clock } = options;
  const windows = createRateWindows(options);
  const caution = createCaution(windows, options);
  const month = createMonthAllowance(clock);
  const lines = { general: createLine('general'), burst: createLine('burst') };
  const waiting = new Map<
    string,
    { readonly routeClass: RouteClass; readonly onDelay: OnDelay; readonly move: (to: Budget) => void }
  >();
  const promisedTurns = createPromisedTurns({ clock, enqueue, pump, hold, giveBack });

  let nextOrder = 0;
  let preferredClass: RouteClass = 'general';
  const callsOut: Record<RouteClass, number> = { general: 0, burst: 0 };
  const heldCalls: Record<RouteClass, number> = { general: 0, burst: 0 };
  let hasAnswer = false;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  let refusalsInARow = 0;
  let latencyMs: number | undefined;
  let heir: Budget | undefined;
  let wakeUp: { readonly atMs: number; readonly cancel: () => void } | undefined;

  /** A p-queue that starts nothing by itself, and the line it keeps its waiting calls in. */
  function createLine(routeClass: RouteClass) {
    const line = new WaitingLine(reservedCalls, () => roomFor(routeClass));
    // p-queue makes its queue itself, and the budget has to read that very one.
    const queueClass = function takeLine() {
      return line;
    } as unknown as new () => WaitingLine;
    return { line, queue: new PQueue<WaitingLine, LineOptions>({ autoStart: false, queueClass }) };
  }

  /** Puts a promised turn in the line. */
  function enqueue(routeClass: RouteClass, standing: Standing, onTurn: () => void): () => void {
    const { queue } = lines[routeClass];
    const id = `turn ${standing.order}`;
    const leaving = new AbortController();
    const start = () => {
      queue.pause();
      onTurn();
    };
    queue.add(start, { id, call: { id, ...standing }, signal: leaving.signal }).catch(() => undefined);
    return () => leaving.abort('left');
  }

  /** Takes slots for somebody who is about to come back. */
  function hold(routeClass: RouteClass, share: number): TakenSlots | undefined {
    const mostOf = ({ limit, windowMs }: RateWindow) =>
      Math.floor(limit * share * Math.min(1, windowMs / HOLDABLE_WINDOW_MS));
    if (heldCalls[routeClass] >= Math.min(...windows.of(routeClass).map(mostOf))) return undefined;
    heldCalls[routeClass]++;
    return windows.take(routeClass, clock.nowMs());
  }

  function stopHolding(slots: TakenSlots) {
    heldCalls[slots.routeClass]--;
    windows.giveBack(slots);
  }

  function giveBack(slots: TakenSlots) {
    stopHolding(slots);
    pump();
  }

  const slotsToLeave = (window: RateWindow) =>
    Math.min(window === windows.general ? reservedCalls : Math.min(1, reservedCalls), window.limit - 1);

  const queuedCalls = () => lines.general.line.size + lines.burst.line.size - promisedTurns.inLine;

  const totalOut = () => callsOut.general + callsOut.burst;

  const isQuiet = () => totalOut() === 0 && lines.general.line.size + lines.burst.line.size === 0;

  const concurrency = () => month.mostOut(maxConcurrentCalls);

  const roomFor = (routeClass: RouteClass): Room => {
    const nowMs = clock.nowMs();
    if (nowMs < pausedUntilMs || totalOut() >= concurrency() || caution.untilMs(routeClass, callsOut) !== undefined)
      return NO_ROOM;
    // Of the connections one is left to newcomers, too.
    let forRegulars = totalOut() < concurrency() - Math.min(1, reservedCalls, concurrency() - 1);
    for (const window of windows.of(routeClass)) {
      const free = window.free(nowMs);
      if (free === 0) return NO_ROOM;
      if (free <= slotsToLeave(window)) forRegulars = false;
    }
    return { forNewcomers: true, forRegulars };
  };

  /** Sends what can be sent now, then sets the timer for the next time something can. */
  function pump() {
    for (;;) {
      const turn = [preferredClass, otherClass(preferredClass)].find((routeClass) => lines[routeClass].line.hasNext());
      if (!turn) break;
      const heldBack = ROUTE_CLASSES.filter((routeClass) => lines[routeClass].line.isHeldBack());
      lines[turn].queue.start();
      for (const routeClass of heldBack) lines[routeClass].line.countPass();
      preferredClass = otherClass(turn);
    }
    scheduleWakeUp();
  }

  /** The next moment at which a call of the class can be sent without an answer coming first. */
  const nextRoomAtMs = (routeClass: RouteClass): number => {
    const nowMs = clock.nowMs();
    // With all connections busy the next thing to happen is an answer, and `settle` pumps by itself.
    if (lines[routeClass].line.size === 0 || totalOut() >= concurrency()) return Number.POSITIVE_INFINITY;
    if (nowMs < pausedUntilMs) return pausedUntilMs;
    const cautiousUntilMs = caution.untilMs(routeClass, callsOut);
    if (cautiousUntilMs !== undefined) return cautiousUntilMs;
    const full = windows.of(routeClass).filter((window) => window.free(nowMs) === 0);
    const toReleaseAtMs = (window: RateWindow) => window.nextReleaseAtMs(nowMs);
    // Where none is full, slots are kept for newcomers.
    return full.length > 0
      ? Math.max(...full.map(toReleaseAtMs))
      : Math.min(...windows.of(routeClass).map(toReleaseAtMs));
  };

  const scheduleWakeUp = () => {
    const atMs = Math.min(nextRoomAtMs('general'), nextRoomAtMs('burst'));
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

  /** When a call gets its turn that has so many others ahead of it. */
  const turnAtMs = (routeClass: RouteClass, ahead: Readonly<Record<RouteClass, number>>, isNewcomer: boolean) => {
    const nowMs = clock.nowMs();
    const toUsable = (window: RateWindow) => ({ window, slotsToLeave: isNewcomer ? 0 : slotsToLeave(window) });
    return foretellTurnMs(routeClass, {
      general: windows.of('general').map(toUsable),
      burst: windows
        .of('burst')
        .filter((window) => !windows.of('general').includes(window))
        .map(toUsable),
      connections: { free: concurrency() - totalOut(), total: concurrency() },
      ahead,
      preferred: preferredClass,
      nowMs,
      startMs: Math.max(nowMs, pausedUntilMs),
      latencyMs: latencyMs ?? FIRST_LATENCY_MS,
    });
  };

  const aheadOf = (routeClass: RouteClass, standing: Standing): Record<RouteClass, number> => ({
    general: lines.general.line.size,
    burst: lines.burst.line.size,
    [routeClass]: lines[routeClass].line.countAhead(standing),
  });

  const promiseTurn = (routeClass: RouteClass, standing: Standing, key: string) => {
    const atMs = turnAtMs(routeClass, aheadOf(routeClass, standing), standing.isNewcomer);
    promisedTurns.keep(key, routeClass, standing, atMs);
    return atMs;
  };

  /** Where the next call of an operation would come to stand. */
  const nextStanding = (routeClass: RouteClass, share: Share): Standing => ({
    tag: Math.max(lines[routeClass].line.virtualTime, share.lastTag[routeClass]) + 1,
    order: nextOrder,
    isNewcomer: share.askedCalls < reservedCalls,
  });

  /** A call of the operation has come to stand there. */
  const count = (routeClass: RouteClass, share: Share, { tag }: Standing) => {
    nextOrder++;
    share.lastTag[routeClass] = Math.max(share.lastTag[routeClass], tag);
    share.askedCalls++;
  };

  const announceDelay = () => {
    const inLine = { general: lines.general.line.size, burst: lines.burst.line.size };
    const latestAtMs = {
      general: turnAtMs('general', inLine, false),
      burst: turnAtMs('burst', inLine, false),
    };
    // Those that came last first: what they are told holds for others of their operation.
    const told = [...waiting].reverse();
    const tell = (from: number) => {
      for (const [id, { routeClass, onDelay }] of told.slice(from, from + TOLD_AT_ONCE)) {
        if (waiting.has(id)) onDelay(latestAtMs[routeClass]);
      }
      if (from + TOLD_AT_ONCE < told.length) setImmediate(tell, from + TOLD_AT_ONCE);
    };
    tell(0);
  };

  const learn = (slots: TakenSlots, sentAtMs: number, announced: AnnouncedRateLimit) => {
    hasAnswer = true;
    month.read(announced, sentAtMs);
    const { isDelay, toldOfBurst } = windows.learn(slots, announced.windows, clock.nowMs());
    caution.answered(sentAtMs, toldOfBurst);
    if (isDelay || month.isSpent()) announceDelay();
  };

  return {
    expectedTurnAtMs(routeClass, share, key) {
      const claim = promisedTurns.find(key);
      const standing = claim?.standing ?? nextStanding(routeClass, share);
      // Whatever waits could not be sent when it was last tried; if this one can, nobody is ahead of it.
      const room = roomFor(routeClass);
      if (standing.isNewcomer ? room.forNewcomers : room.forRegulars) return clock.nowMs();
      if (claim?.slots) return Math.max(clock.nowMs(), pausedUntilMs);
      return turnAtMs(routeClass, aheadOf(routeClass, standing), standing.isNewcomer);
    },

    promiseTurnAtMs(routeClass, share, key) {
      const standing = promisedTurns.find(key)?.standing ?? nextStanding(routeClass, share);
      count(routeClass, share, standing);
      return promiseTurn(routeClass, standing, key);
    },

    enter(routeClass, share, key, onDelay, isRepeat = false) {
      const claim = isRepeat ? undefined : promisedTurns.claim(key);
      if (claim?.slots) stopHolding(claim.slots);
      const isFirst = isRepeat || claim?.slots !== undefined;
      const standing = isFirst
        ? { tag: Number.NEGATIVE_INFINITY, order: nextOrder, isNewcomer: true }
        : (claim?.standing ?? nextStanding(routeClass, share));
      const id = String(nextOrder);
      const { queue } = lines[routeClass];
      if (isFirst) preferredClass = routeClass;
      if (isRepeat) nextOrder++;
      else count(routeClass, share, standing);
      const call: WaitingCall = { id, ...standing };
      const leaving = new AbortController();
      let slots: TakenSlots | undefined;
      let sentAtMs = 0;
      let moved: Place | undefined;
      const leave = () => {
        if (slots) return;
        waiting.delete(id);
        leaving.abort('left');
        scheduleWakeUp();
      };
      const admitted = new Promise<void>((admit) => {
        const start = () => {
          queue.pause();
          waiting.delete(id);
          callsOut[routeClass]++;
          sentAtMs = clock.nowMs();
          caution.sent();
          slots = windows.take(routeClass, sentAtMs);
          admit();
        };
        const move = (to: Budget) => {
          leave();
          // It has been counted, and there is another virtual time there.
          share.lastTag[routeClass] = 0;
          if (!isRepeat) share.askedCalls--;
          moved = to.enter(routeClass, share, key, onDelay, isRepeat);
          void moved.admitted.then(admit);
        };
        waiting.set(id, { routeClass, onDelay, move });
        // It rejects only for our own abort in `leave`, which whoever left knows of.
        queue.add(start, { id, call, signal: leaving.signal }).catch(() => undefined);
      });
      pump();
      return {
        admitted,
        isAdmitted: () => moved?.isAdmitted() ?? slots !== undefined,
        turnAtMs() {
          if (moved) return moved.turnAtMs();
          return slots ? clock.nowMs() : turnAtMs(routeClass, aheadOf(routeClass, standing), standing.isNewcomer);
        },
        leave: () => (moved ? moved.leave() : leave()),
        isBehind(newShare) {
          if (moved) return moved.isBehind(newShare);
          const other = nextStanding(routeClass, newShare);
          return (
            promisedTurns.find(key) !== undefined ||
            other.tag < standing.tag ||
            (other.isNewcomer && !standing.isNewcomer)
          );
        },
        exchange(toldAtMs) {
          if (moved) return moved.exchange(toldAtMs);
          leave();
          promisedTurns.keep(key, routeClass, standing, toldAtMs);
        },
        giveBack() {
          if (moved) return moved.giveBack();
          if (!slots) throw new TypeError('A call gives its slots back once it has been admitted');
          callsOut[routeClass]--;
          windows.giveBack(slots);
          heir?.settleInherited(routeClass);
          pump();
        },
        settle(announced, isRefused = false) {
          if (moved) return moved.settle(announced, isRefused);
          if (!slots) throw new TypeError('A call is settled once it has been admitted');
          const nowMs = clock.nowMs();
          callsOut[routeClass]--;
          latencyMs = latencyMs === undefined ? nowMs - sentAtMs : latencyMs + (nowMs - sentAtMs - latencyMs) / 8;
          if (announced) learn(slots, sentAtMs, announced);
          if (announced && !isRefused) refusalsInARow = 0;
          if (isRefused) windows.refused(slots, announced?.windows ?? [], pausedUntilMs, nowMs);
          windows.release(slots, nowMs);
          heir?.settleInherited(routeClass);
          pump();
        },
      };
    },

    pause(untilMs) {
      const nowMs = clock.nowMs();
      // Refused again after a pause: somebody else takes what comes back, and asking as often would only add to it.
      if (nowMs >= pausedUntilMs) refusalsInARow++;
      const leastMs = Math.min(MAX_BACKOFF_MS, MIN_PAUSE_MS * 2 ** (refusalsInARow - 1));
      pausedUntilMs = Math.max(pausedUntilMs, untilMs, nowMs + leastMs);
      caution.doubt(pausedUntilMs);
      announceDelay();
      scheduleWakeUp();
    },

    spendMonth() {
      month.spend();
      announceDelay();
    },
    isMonthSpent: month.isSpent,
    isFull: () => queuedCalls() >= MAX_WAITING_CALLS,

    servedAtMs(calls) {
      const inLine = {
        general: lines.general.line.size + calls.general,
        burst: lines.burst.line.size + calls.burst,
      };
      const isNewcomer = calls.general + calls.burst <= reservedCalls;
      const toLastTurnMs = (routeClass: RouteClass) =>
        turnAtMs(routeClass, { ...inLine, [routeClass]: inLine[routeClass] - 1 }, isNewcomer);
      const asked = ROUTE_CLASSES.filter((routeClass) => calls[routeClass] > 0);
      return asked.length === 0
        ? clock.nowMs()
        : Math.max(...asked.map(toLastTurnMs)) + (latencyMs ?? FIRST_LATENCY_MS);
    },

    servedFromIdleMs({ general, burst }) {
      const eachMs = windows.all().map((window) => {
        const count = windows.of('general').includes(window) ? general + burst : burst;
        const usable = window.limit - slotsToLeave(window);
        const isNewcomer = general + burst <= Math.min(reservedCalls, window.limit);
        return isNewcomer ? 0 : Math.max(0, Math.ceil(count / usable) - 1) * window.windowMs;
      });
      return Math.max(...eachMs);
    },

    hasSpareSlot(routeClass) {
      const nowMs = clock.nowMs();
      return (
        queuedCalls() === 0 &&
        !month.isSpent() &&
        roomFor(routeClass).forRegulars &&
        windows.of(routeClass).every((window) => window.free(nowMs) > window.limit / 2)
      );
    },

    snapshot() {
      const nowMs = clock.nowMs();
      const isHeld = nowMs < pausedUntilMs || month.isSpent();
      const free = (window: RateWindow) => (isHeld ? 0 : window.free(nowMs));
      const toState = (window: RateWindow) => ({
        limit: window.limit,
        windowMs: window.windowMs,
        remaining: free(window),
        restoredInMs: Math.max(window.restoredAtMs(nowMs), pausedUntilMs) - nowMs,
      });
      const { general, burst } = windows;
      return {
        ...toState(general),
        remaining: Math.min(...windows.of('general').map(free)),
        ...(burst && { burst: toState(burst) }),
        learned: windows
          .all()
          .filter((window) => window !== general && window !== burst)
          .map(toState),
        queuedCalls: queuedCalls(),
        hasAnswer,
        ...(month.limit !== undefined && { monthLimit: month.limit }),
        ...(month.remaining !== undefined && { monthRemaining: month.remaining }),
      };
    },

    bequeath(to) {
      heir = to;
      promisedTurns.clear();
      to.inherit(windows, pausedUntilMs);
      for (const { move } of [...waiting.values()]) move(to);
    },

    inherit(others, othersPausedUntilMs) {
      windows.absorb(others, clock.nowMs());
      pausedUntilMs = Math.max(pausedUntilMs, othersPausedUntilMs);
      announceDelay();
      scheduleWakeUp();
    },

    settleInherited(routeClass) {
      windows.releaseInherited(routeClass, clock.nowMs());
      pump();
    },

    isQuiet,

    isIdle() {
      const nowMs = clock.nowMs();
      return (
        isQuiet() &&
        nowMs >= pausedUntilMs &&
        !month.isSpent() &&
        windows.all().every((window) => window.restoredAtMs(nowMs) <= nowMs)
      );
    },
  };
}
