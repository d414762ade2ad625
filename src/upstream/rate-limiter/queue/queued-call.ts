import type { QueueEntry } from './admission-line.ts';
import type { QueuePosition } from './fair-queue.ts';
import { type ForecastParts, toSlotAtMs } from './queue-forecast.ts';
import type { AnnouncedRateLimit } from '../../http/rate-limit-headers.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import type { FairShare } from './fair-share.ts';
import type { SlotReservations } from './slot-reservations.ts';
import type { SlotGrant, SlotRequest } from '../slot-source.ts';

/** Where calls of one key wait, and what they go through. */
export interface BudgetParts extends ForecastParts {
  readonly reservations: SlotReservations;
  /** The calls that wait, in the order they came. */
  readonly queued: Set<QueuedCall>;
  /** Those that are out. */
  readonly inFlight: Set<QueuedCall>;
}

/** What a call is queued with; see `Budget.enter`. */
export interface QueuedCallOptions {
  readonly routeClass: RouteClass;
  readonly fairShare: FairShare;
  readonly key: string;
  readonly onDelay: (latestSlotAtMs: number) => void;
  readonly isRetry: boolean;
}

/** A call that waits for slots, and then has them. */
export class QueuedCall implements QueueEntry {
  readonly routeClass: RouteClass;
  readonly key: string;
  position: QueuePosition;
  /** Resolves when the call has to be sent at once: its slots are taken. Never rejects. */
  readonly admitted: Promise<void>;
  readonly #options: QueuedCallOptions;
  #parts: BudgetParts;
  #grant: SlotGrant | undefined;
  #admit = () => {};

  /** Comes to stand in the queue; where there is room it is admitted at once. */
  constructor(parts: BudgetParts, options: QueuedCallOptions) {
    this.routeClass = options.routeClass;
    this.key = options.key;
    this.#options = options;
    this.#parts = parts;
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
        this.#admit();
      } else if (grant) {
        // It has left meanwhile.
        slots.giveBack(grant);
      }
      done(this.#grant !== undefined);
    });
  }

  isAdmitted(): boolean {
    return this.#grant !== undefined;
  }

  /** When its turn is expected (monotonic ms), as things stand. */
  readonly slotAtMs = (): number => {
    return this.#grant ? this.#parts.clock.nowMs() : toSlotAtMs(this.#parts, this.routeClass, this.position);
  };

  /** Gives the place up. Without effect once admitted. */
  leave(): void {
    if (this.#parts.queued.delete(this)) this.#parts.queue.remove(this);
  }

  /** Whether the next call of another operation might have its turn before. */
  isBehind(fairShare: FairShare): boolean {
    const { queue, reservations } = this.#parts;
    const other = queue.nextPosition(this.routeClass, fairShare);
    return (
      reservations.find(this.key) !== undefined ||
      other.virtualTime < this.position.virtualTime ||
      (other.isFirstCall && !this.position.isFirstCall)
    );
  }

  /** Gives the place up and, as `Budget.promiseTurnAtMs` does, reserves slots for the call to come back for at the time that is named (monotonic ms). */
  swapForReservation(retryAtMs: number): void {
    this.leave();
    const { routeClass, key, position } = this;
    this.#parts.reservations.add(key, { routeClass, position, retryAtMs });
  }

  /**
   * Reports how the admitted call ended.
   *
   * @param announced - The limits that its answer spoke of. Default: the call was given up.
   * @param refusedUntilMs - It was answered with a 429, and nothing is to be sent before (monotonic ms).
   */
  settle(announced?: AnnouncedRateLimit, refusedUntilMs?: number): void {
    if (!this.#grant) throw new TypeError('A call is settled once it has been admitted');
    const { slots, inFlight, queue } = this.#parts;
    inFlight.delete(this);
    if (refusedUntilMs !== undefined) slots.pause(refusedUntilMs);
    slots.settle(this.#grant, announced, refusedUntilMs !== undefined);
    queue.pump();
  }

  /** The admitted call has reached nobody: its slots are free again. */
  giveBack(): void {
    if (!this.#grant) throw new TypeError('A call gives its slots back once it has been admitted');
    const { slots, inFlight, queue } = this.#parts;
    inFlight.delete(this);
    slots.giveBack(this.#grant);
    queue.pump();
  }

  /** Tells whoever waits for the call that it may have been put off. */
  reportDelay(latestSlotAtMs: Readonly<Record<RouteClass, number>>): void {
    this.#options.onDelay(latestSlotAtMs[this.routeClass]);
  }

  /** Leaves the queue for that of another budget, as if it had not been asked for yet; a call that is out stays so. */
  detach(): void {
    this.#parts.inFlight.delete(this);
    if (this.#grant) return;
    const { fairShare, routeClass, isRetry } = this.#options;
    this.leave();
    fairShare.lastVirtualTime[routeClass] = 0;
    if (!isRetry) fairShare.requestedCalls--;
  }

  /** Comes to stand there; a call that is out is settled there. */
  attachTo(parts: BudgetParts): void {
    this.#parts = parts;
    if (this.#grant) {
      parts.inFlight.add(this);
      return;
    }
    this.position = this.#enter(parts);
    parts.queue.add(this);
  }

  #enter({ queue, reservations, queued }: BudgetParts): QueuePosition {
    const { routeClass, fairShare, key, isRetry } = this.#options;
    queued.add(this);
    if (isRetry) return queue.frontPosition(routeClass);
    const reserved = reservations.redeem(key);
    const position = reserved?.grant
      ? queue.frontPosition(routeClass)
      : (reserved?.position ?? queue.nextPosition(routeClass, fairShare));
    queue.count(routeClass, fairShare, position);
    return position;
  }
}
