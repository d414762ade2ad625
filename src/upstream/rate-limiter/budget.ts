/**
 * Entry of the module `rate-limiter`. It exports `Budget`, the rate limiter of one API key; `budget-registry.ts` holds
 * one per key. Below it, `windows/` counts slots in this process, `redis/` shares them between processes, and `queue/`
 * decides which waiting call gets the next one. The module counts calls but does not know what they read: it may not
 * import `collection-format`, `cache`, `calls`, Postman's resources, the HTTP client or undici.
 */
import { AdmissionQueue } from './queue/admission-queue.ts';
import { type BudgetParts, QueuedCall, type QueuedCallOptions } from './queue/queued-call.ts';
import { toLastSlotAtMs, toServedAtMs, toServedFromIdleMs, toSlotAtMs } from './queue/queue-forecast.ts';
import { RateLimiter } from './rate-limiter.ts';
import type { RateLimiterOptions } from './rate-limiter-view.ts';
import type { RouteClass } from '../postman/route-class.ts';
import type { FairShare } from './queue/fair-share.ts';
import { SlotReservations } from './queue/slot-reservations.ts';
import type { CreateSlotSource, SlotSource, SlotsSnapshot } from './slot-source.ts';
import { silentObserver } from '../observer.ts';

/** Options of `Budget`, the same for every key. */
export interface BudgetOptions extends RateLimiterOptions {
  /** Creates the slot source. Default: one that counts in this process only. */
  readonly createSlots?: CreateSlotSource;
  /** Default: nobody observes. */
  readonly observer?: BudgetParts['observer'];
}

/** The state of a budget at one moment. */
export interface BudgetSnapshot extends SlotsSnapshot {
  /** Waiting calls of all operations. */
  readonly queuedCalls: number;
}

/** What a budget is doing, see `BudgetView.state`. */
export type BudgetState = 'idle' | 'busy' | 'full' | 'paused' | 'monthSpent';

const MAX_WAITING_CALLS = 20_000;
// Each report may predict a slot, which takes 0.2 ms.
const DELAYS_PER_ROUND = 50;

/** Read-only view of a budget. */
export class BudgetView {
  readonly #parts: BudgetParts;

  constructor(parts: BudgetParts) {
    this.#parts = parts;
  }

  snapshot(): BudgetSnapshot {
    return { queuedCalls: this.#parts.queued.size, ...this.#parts.slots.view.snapshot() };
  }

  /** When these calls would all have a response if one operation requested them now, behind others (monotonic ms). */
  servedAtMs(calls: Readonly<Record<RouteClass, number>>): number {
    return toServedAtMs(this.#parts, calls);
  }

  /**
   * How long one operation would take to get slots for these calls if no slot were in use and no call waited, in
   * milliseconds, assuming that responses take no time.
   */
  servedFromIdleMs(calls: Readonly<Record<RouteClass, number>>): number {
    return toServedFromIdleMs(this.#parts, calls);
  }

  /** Whether a background call can be sent without delaying others: no call waits, and half of every window is free. */
  hasSpareSlot(routeClass: RouteClass): boolean {
    return this.#parts.queued.size === 0 && this.#parts.slots.view.hasSpareSlot(routeClass);
  }

  /** Waiting calls by route class. */
  queuedCalls(): Readonly<Record<RouteClass, number>> {
    const count = { general: 0, burst: 0 };
    for (const { routeClass } of this.#parts.queued) count[routeClass]++;
    return count;
  }

  /**
   * Whether calls can be sent: `monthSpent`: not before the monthly quota is checked again; `paused`: not before the
   * end of a pause that Postman asked for; `full`: not before a slot is free; `idle`: the budget is unused.
   */
  state(): BudgetState {
    const { slots, clock } = this.#parts;
    if (slots.view.isMonthlyQuotaExhausted()) return 'monthSpent';
    if (slots.view.outlook(true).startMs > clock.nowMs()) return 'paused';
    const { remaining, burst } = slots.view.snapshot();
    if (remaining === 0 || burst?.remaining === 0) return 'full';
    return this.isIdle() ? 'idle' : 'busy';
  }

  /** Whether 20,000 calls wait: no more may. */
  isFull(): boolean {
    return this.#parts.queued.size >= MAX_WAITING_CALLS;
  }

  /** Whether no call is in flight, and no call or reservation waits. */
  isQuiet(): boolean {
    const { general, burst } = this.#parts.queue.ahead();
    return this.#parts.slots.view.callsInFlight() + general + burst === 0;
  }

  /** Whether the budget can be dropped without losing anything: it is quiet, and every window is unused. */
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
    const { reservedCalls, clock, observer = silentObserver } = options;
    const onDelay = () => {
      reportDelays(parts);
      parts.queue.pump();
    };
    const slots = options.createSlots?.(onDelay) ?? new RateLimiter(options, onDelay);
    const queue = new AdmissionQueue(slots, reservedCalls, clock);
    const reservations = new SlotReservations(slots, queue, clock, observer);
    const parts: BudgetParts = { slots, queue, reservations, queued: new Set(), inFlight: new Set(), observer, clock };
    this.#parts = parts;
    this.slots = slots;
    this.view = new BudgetView(parts);
  }

  /** When a call requested now would get its slot (monotonic ms). */
  expectedSlotAtMs(routeClass: RouteClass, fairShare: FairShare, key: string): number {
    const { slots, queue, reservations, clock } = this.#parts;
    const reserved = reservations.find(key);
    const position = reserved?.position ?? queue.nextPosition(routeClass, fairShare);
    // The queue sends a call as soon as it can. So if this one could be sent now, no waiting call is ahead of it.
    const freeSlots = slots.view.freeSlots(routeClass);
    if (position.isFirstCall ? freeSlots.forFirstCalls : freeSlots.forLaterCalls) return clock.nowMs();
    return reserved?.grant ? slots.view.outlook(true).startMs : toSlotAtMs(this.#parts, routeClass, position);
  }

  /**
   * Reserves for a refused call the position that it would have got in the queue, and predicts its slot. A call with
   * the same key that comes at that time gets the slot.
   *
   * @returns The time of the slot (monotonic ms).
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
   * Takes over a slot that another process has reserved for this call, if there is one and the call would get a slot
   * here only after `deadlineMs`.
   *
   * @returns undefined if it gets one here in time, or if slots are not shared.
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
   * @param key - Identifies the call; it gets the slot reserved under the same key.
   * @param onDelay - Called whenever its slot may be delayed, with the slot time (monotonic ms) now predicted for the
   *   last call of its class.
   * @param isRetry - It had a slot and failed, so it goes first.
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

  /**
   * Merges this budget into another of the same user: moves its calls and slots, and ends its reservations. New calls
   * have to enter the other.
   */
  moveTo(other: Budget): void {
    const { reservations, queued, inFlight } = this.#parts;
    reservations.clear();
    other.slots.absorb(this.slots);
    const moving = [...inFlight, ...queued];
    for (const call of moving) call.detach();
    for (const call of moving) call.attachTo(other.#parts);
  }
}

/**
 * Reports to all waiting calls that slots are delayed. The newest go first: if one is refused, the older calls of its
 * operation are refused with the same retry time, without another prediction.
 */
function reportDelays(parts: BudgetParts): void {
  const { queued } = parts;
  if (queued.size === 0) return;
  // One prediction per class: predicting for each call would traverse the queue each time.
  const lastSlotAtMs = toLastSlotAtMs(parts);
  const calls = [...queued].reverse();
  const reportFrom = (from: number) => {
    for (const call of calls.slice(from, from + DELAYS_PER_ROUND)) if (queued.has(call)) call.reportDelay(lastSlotAtMs);
    if (from + DELAYS_PER_ROUND < calls.length) setImmediate(reportFrom, from + DELAYS_PER_ROUND);
  };
  reportFrom(0);
}
