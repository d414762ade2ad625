import { AdmissionQueue } from './queue/admission-queue.ts';
import { type BudgetParts, QueuedCall, type QueuedCallOptions } from './queue/queued-call.ts';
import { toLastSlotAtMs, toServedAtMs, toServedFromIdleMs, toSlotAtMs } from './queue/queue-forecast.ts';
import { RateLimiter } from './rate-limiter.ts';
import type { RateLimiterOptions } from './rate-limiter-view.ts';
import type { RouteClass } from '../postman/route-class.ts';
import type { FairShare } from './queue/fair-share.ts';
import { SlotReservations } from './queue/slot-reservations.ts';
import type { CreateSlotSource, SlotSource, SlotsSnapshot } from './slot-source.ts';

/** What every budget of the process is made with. */
export interface BudgetOptions extends RateLimiterOptions {
  /** Where the slots come from. Default: from this process alone. */
  readonly createSlots?: CreateSlotSource;
}

/** The state of one key's budget at a moment. */
export interface BudgetSnapshot extends SlotsSnapshot {
  /** Calls waiting for their turn, of all operations. */
  readonly queuedCalls: number;
}

const MAX_WAITING_CALLS = 20_000;
// Each may have to find out when its turn is: a fifth of a millisecond.
const DELAYS_PER_ROUND = 50;

/** What can be asked of a budget without changing it. */
export class BudgetView {
  readonly #parts: BudgetParts;

  constructor(parts: BudgetParts) {
    this.#parts = parts;
  }

  snapshot(): BudgetSnapshot {
    return { ...this.#parts.slots.view.snapshot(), queuedCalls: this.#parts.queued.size };
  }

  /** When so many calls of each class, asked for now by one operation, would all have been answered (monotonic ms), behind everything that waits. */
  servedAtMs(calls: Readonly<Record<RouteClass, number>>): number {
    return toServedAtMs(this.#parts, calls);
  }

  /** After how long the last of so many calls of each class gets its slots that one operation asks for while nothing is in use or waits, in milliseconds; answers take no time. */
  servedFromIdleMs(calls: Readonly<Record<RouteClass, number>>): number {
    return toServedFromIdleMs(this.#parts, calls);
  }

  /** Whether a call that nobody waits for can be sent without being in anybody's way: nothing waits, and half of every window is free. */
  hasSpareSlot(routeClass: RouteClass): boolean {
    return this.#parts.queued.size === 0 && this.#parts.slots.view.hasSpareSlot(routeClass);
  }

  /** No more than this may wait. */
  isFull(): boolean {
    return this.#parts.queued.size >= MAX_WAITING_CALLS;
  }

  /** True when no call waits or is out. */
  isQuiet(): boolean {
    const { general, burst } = this.#parts.queue.ahead();
    return this.#parts.slots.view.callsInFlight() + general + burst === 0;
  }

  /** True when forgetting this budget loses nothing: no call waits or is out, and every window is unused. */
  isIdle(): boolean {
    const { view } = this.#parts.slots;
    const { burst, learned, ...general } = view.snapshot();
    const windows = [general, ...(burst ? [burst] : []), ...learned];
    return this.isQuiet() && !view.isMonthlyQuotaExhausted() && windows.every(({ restoredInMs }) => restoredInMs <= 0);
  }
}

/** Rate limiter of one API key. Calls wait only as long as upstream's limits require. */
export class Budget {
  readonly slots: SlotSource;
  readonly view: BudgetView;
  readonly #parts: BudgetParts;

  constructor(options: BudgetOptions) {
    const { reservedCalls, clock } = options;
    const onDelay = () => {
      announceDelay(parts);
      parts.queue.pump();
    };
    const slots = options.createSlots?.(onDelay) ?? new RateLimiter(options, onDelay);
    const queue = new AdmissionQueue(slots, reservedCalls, clock);
    const reservations = new SlotReservations(slots, queue, clock);
    const parts: BudgetParts = { slots, queue, reservations, queued: new Set(), inFlight: new Set(), clock };
    this.#parts = parts;
    this.slots = slots;
    this.view = new BudgetView(parts);
  }

  /** When a call asked for now would get its turn (monotonic ms). */
  expectedSlotAtMs(routeClass: RouteClass, fairShare: FairShare, key: string): number {
    const { slots, queue, reservations, clock } = this.#parts;
    const reserved = reservations.find(key);
    const position = reserved?.position ?? queue.nextPosition(routeClass, fairShare);
    // Whatever waits could not be sent when it was last tried; if this one can, nobody is ahead of it.
    const freeSlots = slots.view.freeSlots(routeClass);
    if (position.isFirstCall ? freeSlots.forFirstCalls : freeSlots.forLaterCalls) return clock.nowMs();
    return reserved?.grant ? slots.view.outlook(true).startMs : toSlotAtMs(this.#parts, routeClass, position);
  }

  /**
   * The time to name to a caller that is refused: its own turn, as if it had queued, behind everybody who waits and everybody refused before.
   * Its slots are reserved: a call of the same key that comes back then has them.
   */
  reserveSlotAtMs(routeClass: RouteClass, fairShare: FairShare, key: string): number {
    const { queue, reservations } = this.#parts;
    const position = reservations.find(key)?.position ?? queue.nextPosition(routeClass, fairShare);
    queue.count(routeClass, fairShare, position);
    const retryAtMs = toSlotAtMs(this.#parts, routeClass, position);
    reservations.add(key, { routeClass, position, retryAtMs });
    return retryAtMs;
  }

  /**
   * Asks whether another process has reserved slots for a call whose turn would come too late here, and has them serve it.
   *
   * @returns undefined where nobody has to be asked.
   */
  redeemReservation(
    routeClass: RouteClass,
    fairShare: FairShare,
    key: string,
    deadlineMs: number,
  ): Promise<void> | undefined {
    const { slots, queue, reservations, clock } = this.#parts;
    if (!slots.isShared || this.expectedSlotAtMs(routeClass, fairShare, key) <= deadlineMs) return undefined;
    const position = queue.nextPosition(routeClass, fairShare);
    const { virtualTime } = position;
    return new Promise((resolve) => {
      slots.redeem({ routeClass, key, virtualTime, usesReserve: true }, (grant) => {
        if (grant) reservations.adopt(key, { routeClass, position, retryAtMs: clock.nowMs() }, grant);
        resolve();
      });
    });
  }

  /**
   * Queues a call.
   *
   * @param key - Tells what is called; slots that are reserved for it are its own.
   * @param onDelay - Is called after everything that can put its turn off, with the time (monotonic ms) at which the last in its line has its turn now.
   * @param isRetry - It has had its turn and failed, so it goes first.
   */
  enter(
    routeClass: RouteClass,
    fairShare: FairShare,
    key: string,
    onDelay: QueuedCallOptions['onDelay'],
    isRetry = false,
  ): QueuedCall {
    return new QueuedCall(this.#parts, { routeClass, fairShare, key, onDelay, isRetry });
  }

  /** Its key turns out to be of the same user as another: what waits and what is in use moves there, and everything to come has to go there. */
  moveTo(other: Budget): void {
    const { reservations, queued, inFlight } = this.#parts;
    reservations.clear();
    other.slots.absorb(this.slots);
    const moving = [...inFlight, ...queued];
    for (const call of moving) call.detach();
    for (const call of moving) call.attachTo(other.#parts);
  }
}

/** Tells everything that waits that turns have been put off. Calls that came last first: what they are told holds for others of their operation. */
function announceDelay(parts: BudgetParts): void {
  const { queued } = parts;
  if (queued.size === 0) return;
  // To find it out for each is a walk for each.
  const lastSlotAtMs = toLastSlotAtMs(parts);
  const calls = [...queued].reverse();
  const reportDelays = (from: number) => {
    for (const call of calls.slice(from, from + DELAYS_PER_ROUND)) if (queued.has(call)) call.reportDelay(lastSlotAtMs);
    if (from + DELAYS_PER_ROUND < calls.length) setImmediate(reportDelays, from + DELAYS_PER_ROUND);
  };
  reportDelays(0);
}
