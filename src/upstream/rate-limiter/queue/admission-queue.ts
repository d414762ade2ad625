/**
 * Entry of the module `queue`: decides which waiting call of a key gets the next slot, and predicts when. It exports
 * `AdmissionQueue`; a budget puts it together with `queued-call.ts`, `slot-reservations.ts` and `queue-forecast.ts`.
 * The module asks a `SlotSource` and does not know where slots are counted: it may not import `windows/`,
 * `rate-limiter.ts`, `budget.ts` or `budget-registry.ts`. Only `admission-line.ts` imports p-queue.
 */
import { AdmissionLine, type QueueEntry } from './admission-line.ts';
import type { Clock } from '../../clock.ts';
import type { QueuePosition } from './fair-queue.ts';
import { otherClass, ROUTE_CLASSES, type RouteClass } from '../../postman/route-class.ts';
import type { FairShare } from './fair-share.ts';
import { NO_FREE_SLOTS, type SlotSource } from '../slot-source.ts';

/**
 * All entries of one key that wait for slots, in two lines, one per route class. Within a line, virtual time gives
 * operations their fair share. The two lines alternate, so that neither starves the other.
 *
 * At most one request to the slot source is pending at a time.
 */
export class AdmissionQueue {
  /** Number of first calls of an operation; also how many first calls may pass a later call. */
  readonly reservedCalls: number;
  readonly #slots: SlotSource;
  readonly #clock: Clock;
  readonly #lines: Record<RouteClass, AdmissionLine>;
  #nextSequenceNumber = 0;
  #preferred: RouteClass = 'general';
  #isRequesting = false;
  #wakeUp: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor(slots: SlotSource, reservedCalls: number, clock: Clock) {
    this.reservedCalls = reservedCalls;
    this.#slots = slots;
    this.#clock = clock;
    this.#lines = { general: new AdmissionLine(reservedCalls), burst: new AdmissionLine(reservedCalls) };
  }

  /** The line that is served next if both can send. */
  get preferred(): RouteClass {
    return this.#preferred;
  }

  /** The position that the next call of an operation would get. */
  nextPosition(routeClass: RouteClass, { lastVirtualTime, requestedCalls }: FairShare): QueuePosition {
    const virtualTime = Math.max(this.#slots.view.virtualTime(routeClass), lastVirtualTime[routeClass]) + 1;
    return { virtualTime, sequenceNumber: this.#nextSequenceNumber, isFirstCall: requestedCalls < this.reservedCalls };
  }

  /** Creates a position before all others. Its line is served next. */
  frontPosition(routeClass: RouteClass): QueuePosition {
    this.#preferred = routeClass;
    return { virtualTime: Number.NEGATIVE_INFINITY, sequenceNumber: this.#nextSequenceNumber++, isFirstCall: true };
  }

  /** Records that a call of the operation took this position. */
  count(routeClass: RouteClass, fairShare: FairShare, { virtualTime }: QueuePosition): void {
    this.#nextSequenceNumber++;
    fairShare.lastVirtualTime[routeClass] = Math.max(fairShare.lastVirtualTime[routeClass], virtualTime);
    fairShare.requestedCalls++;
  }

  /** Entries that go first, by class: those before the position in its line, and the whole other line. Default: all. */
  ahead(routeClass?: RouteClass, position?: QueuePosition): Record<RouteClass, number> {
    const { general, burst } = this.#lines;
    const ahead = { general: general.order.size, burst: burst.order.size };
    if (routeClass && position) ahead[routeClass] = this.#lines[routeClass].order.countAhead(position);
    return ahead;
  }

  add(entry: QueueEntry): void {
    const line = this.#lines[entry.routeClass];
    line.add(entry);
    this.pump();
    line.hold(entry);
  }

  remove(entry: QueueEntry): void {
    if (this.#lines[entry.routeClass].remove(entry)) this.#scheduleWakeUp();
  }

  /** Serves every entry that can be served now, then sets a timer for the next free slot. */
  pump(): void {
    while (!this.#isRequesting && this.#requestNext());
    if (!this.#isRequesting) this.#scheduleWakeUp();
  }

  /** Requests slots for the next entry that can be served. Returns whether there was one. */
  #requestNext(): boolean {
    const { general, burst } = this.#lines;
    if (general.order.size === 0 && burst.order.size === 0) return false;
    const { view } = this.#slots;
    const freeSlots = {
      general: general.order.size === 0 ? NO_FREE_SLOTS : view.freeSlots('general'),
      burst: burst.order.size === 0 ? NO_FREE_SLOTS : view.freeSlots('burst'),
    };
    const routeClass = [this.#preferred, otherClass(this.#preferred)].find((ofClass) =>
      this.#lines[ofClass].order.next(freeSlots[ofClass]),
    );
    const entry = routeClass && this.#lines[routeClass].order.next(freeSlots[routeClass]);
    if (!entry) return false;
    const { key, position } = entry;
    const usesReserve = position.isFirstCall || !freeSlots[entry.routeClass].forLaterCalls;
    // Only other processes care who would be next.
    const followingPosition = this.#slots.isShared
      ? this.#lines[entry.routeClass].order.firstExcept(entry)?.position
      : undefined;
    const next = followingPosition && {
      virtualTime: followingPosition.virtualTime,
      usesReserve: followingPosition.isFirstCall,
    };
    const heldBack = ROUTE_CLASSES.filter((ofClass) => this.#lines[ofClass].order.isHeldBack(freeSlots[ofClass]));
    let isSynchronous = true;
    this.#isRequesting = true;
    entry.requestSlots(
      { routeClass: entry.routeClass, key, virtualTime: position.virtualTime, usesReserve, next },
      (isServed) => {
        this.#isRequesting = false;
        if (isServed) this.#served(entry, heldBack);
        if (!isSynchronous) this.pump();
      },
    );
    isSynchronous = false;
    return true;
  }

  #served(entry: QueueEntry, heldBack: readonly RouteClass[]): void {
    this.#lines[entry.routeClass].serve(entry);
    for (const routeClass of heldBack) this.#lines[routeClass].order.countPass();
    this.#preferred = otherClass(entry.routeClass);
  }

  #scheduleWakeUp(): void {
    let atMs = Number.POSITIVE_INFINITY;
    for (const routeClass of ROUTE_CLASSES)
      if (this.#lines[routeClass].order.size > 0) atMs = Math.min(atMs, this.#slots.view.nextFreeSlotAtMs(routeClass));
    if (this.#wakeUp?.atMs === atMs) return;
    this.#wakeUp?.cancel();
    this.#wakeUp = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const cancel = this.#clock.schedule(atMs, () => {
      this.#wakeUp = undefined;
      this.pump();
    });
    this.#wakeUp = { atMs, cancel };
  }
}
