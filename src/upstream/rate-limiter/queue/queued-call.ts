import type { QueueEntry } from './admission-line.ts';
import type { QueuePosition } from './fair-queue.ts';
import { type ForecastParts, toSlotAtMs } from './queue-forecast.ts';
import type { AnnouncedRateLimit } from '../../http/rate-limit-headers.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import type { FairShare } from './fair-share.ts';
import type { SlotReservations } from './slot-reservations.ts';
import type { SlotGrant, SlotRequest } from '../slot-source.ts';
import type { ReservationOutcome, UpstreamObserver } from '../../observer.ts';

/** Parts of a budget that its calls use. */
export interface BudgetParts extends ForecastParts {
  readonly reservations: SlotReservations;
  /** Waiting calls, in order of arrival. */
  readonly queued: Set<QueuedCall>;
  /** Calls in flight. */
  readonly inFlight: Set<QueuedCall>;
  readonly observer: Pick<UpstreamObserver, 'onSlotTaken' | 'onReservationEnded'>;
}

// Clients get their times in whole seconds.
const IN_TIME_MS = 1_000;

/** Options of a queued call, see `Budget.enter`. */
export interface QueuedCallOptions {
  readonly routeClass: RouteClass;
  readonly fairShare: FairShare;
  readonly key: string;
  readonly onDelay: (latestSlotAtMs: number) => void;
  readonly isRetry: boolean;
}

/** A call that waits for slots and then holds them. */
export class QueuedCall implements QueueEntry {
  readonly routeClass: RouteClass;
  readonly key: string;
  position: QueuePosition;
  /** Resolves when the call has its slots and has to be sent at once. Never rejects. */
  readonly admitted: Promise<void>;
  readonly #enteredAtMs: number;
  /** It has a reservation and came at the time named to its client, and has not got its slots yet. */
  #isAwaited = false;
  readonly #options: QueuedCallOptions;
  #parts: BudgetParts;
  #grant: SlotGrant | undefined;
  #admit = () => {};

  /** Enters the queue; admitted at once if slots are free. */
  constructor(parts: BudgetParts, options: QueuedCallOptions) {
    this.routeClass = options.routeClass;
    this.key = options.key;
    this.#options = options;
    this.#parts = parts;
    this.#enteredAtMs = parts.clock.nowMs();
    this.admitted = new Promise((resolve) => {
      this.#admit = resolve;
    });
    this.position = this.#enter(parts);
    parts.queue.add(this);
  }

  requestSlots(request: SlotRequest, done: (isServed: boolean) => void): void {
    const { slots, queued, inFlight } = this.#parts;
    slots.take(request, (grant) => {
      if (grant && queued.delete(this)) {
        inFlight.add(this);
        this.#grant = grant;
        this.#observeGrant();
        this.#admit();
      } else if (grant) {
        // The call left the queue before the grant arrived.
        slots.giveBack(grant);
      }
      done(this.#grant !== undefined);
    });
  }

  /** It repeats a call that had a slot and failed. */
  get isRetry(): boolean {
    return this.#options.isRetry;
  }

  isAdmitted(): boolean {
    return this.#grant !== undefined;
  }

  /** When it is expected to get its slots (monotonic ms); now if it has them. */
  readonly slotAtMs = (): number => {
    return this.#grant ? this.#parts.clock.nowMs() : toSlotAtMs(this.#parts, this.routeClass, this.position);
  };

  /** Leaves the queue. No effect once admitted. */
  leave(): void {
    if (!this.#parts.queued.delete(this)) return;
    this.#parts.queue.remove(this);
    this.#endReservation('late');
  }

  /** Whether the next call of another operation might get its slots earlier. */
  isBehind(fairShare: FairShare): boolean {
    const { queue, reservations } = this.#parts;
    const other = queue.nextPosition(this.routeClass, fairShare);
    return (
      reservations.find(this.key) !== undefined ||
      other.virtualTime < this.position.virtualTime ||
      (other.isFirstCall && !this.position.isFirstCall)
    );
  }

  /** Leaves the queue and reserves its position for a call with the same key at `retryAtMs` (monotonic ms). */
  swapForReservation(retryAtMs: number): void {
    this.leave();
    const { routeClass, key, position } = this;
    this.#parts.reservations.add(key, { routeClass, position, retryAtMs });
  }

  /**
   * Reports how the admitted call ended.
   *
   * @param announced - Limits announced by its response. Default: there was no response.
   * @param refusedUntilMs - The response was a 429, and no call may be sent before this time (monotonic ms).
   */
  settle(announced?: AnnouncedRateLimit, refusedUntilMs?: number): void {
    if (!this.#grant) throw new TypeError('Only an admitted call can be settled');
    const { slots, inFlight, queue } = this.#parts;
    inFlight.delete(this);
    if (refusedUntilMs !== undefined) slots.pause(refusedUntilMs);
    slots.settle(this.#grant, announced, refusedUntilMs !== undefined);
    queue.pump();
  }

  /** Frees the slots of an admitted call that was not sent. */
  giveBack(): void {
    if (!this.#grant) throw new TypeError('Only an admitted call can give its slots back');
    const { slots, inFlight, queue } = this.#parts;
    inFlight.delete(this);
    slots.giveBack(this.#grant);
    queue.pump();
  }

  /** Reports that the call may be delayed. */
  reportDelay(latestSlotAtMs: Readonly<Record<RouteClass, number>>): void {
    this.#options.onDelay(latestSlotAtMs[this.routeClass]);
  }

  /** Removes the call from its budget before `attachTo`. A waiting call no longer counts for its operation. */
  detach(): void {
    this.#parts.inFlight.delete(this);
    if (this.#grant) return;
    const { fairShare, routeClass, isRetry } = this.#options;
    this.leave();
    fairShare.lastVirtualTime[routeClass] = 0;
    if (!isRetry) fairShare.requestedCalls--;
  }

  /** Adds the call to another budget: a waiting call enters its queue, one in flight is settled there. */
  attachTo(parts: BudgetParts): void {
    this.#parts = parts;
    if (this.#grant) {
      parts.inFlight.add(this);
      return;
    }
    this.position = this.#enter(parts);
    parts.queue.add(this);
  }

  #observeGrant(): void {
    const waitedMs = this.#parts.clock.nowMs() - this.#enteredAtMs;
    this.#parts.observer.onSlotTaken(this.routeClass, waitedMs);
    this.#endReservation(waitedMs <= IN_TIME_MS ? 'used' : 'late');
  }

  #endReservation(outcome: ReservationOutcome): void {
    if (this.#isAwaited) this.#parts.observer.onReservationEnded(outcome);
    this.#isAwaited = false;
  }

  #enter({ queue, reservations, queued }: BudgetParts): QueuePosition {
    const { routeClass, fairShare, key, isRetry } = this.#options;
    queued.add(this);
    if (isRetry) return queue.frontPosition(routeClass);
    const reserved = reservations.redeem(key);
    this.#isAwaited ||= reserved?.isInTime ?? false;
    const position = reserved?.grant
      ? queue.frontPosition(routeClass)
      : (reserved?.position ?? queue.nextPosition(routeClass, fairShare));
    queue.count(routeClass, fairShare, position);
    return position;
  }
}
