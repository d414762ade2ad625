import { AdmissionLine, type QueueEntry } from './admission-line.ts';
import type { Clock } from '../../clock.ts';
import type { QueuePosition } from './fair-queue.ts';
import { otherClass, ROUTE_CLASSES, type RouteClass } from '../../postman/route-class.ts';
import type { FairShare } from './fair-share.ts';
import type { SlotSource } from '../slot-source.ts';

/**
 * Everything of one key that waits for slots, in two lines, one per route class. Within a line operations share by virtual time; the two lines take
 * turns, so that neither what waits for the burst window nor what passes it is ever far behind.
 *
 * One question to the source is under way at a time; what comes meanwhile waits for its answer.
 */
export class AdmissionQueue {
  /** First calls of an operation; so many of others may pass a later call. */
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

  /** The line whose turn is next where both can send. */
  get preferred(): RouteClass {
    return this.#preferred;
  }

  /** Where the next call of an operation would come to stand. */
  nextPosition(routeClass: RouteClass, { lastVirtualTime, requestedCalls }: FairShare): QueuePosition {
    const virtualTime = Math.max(this.#slots.view.virtualTime(routeClass), lastVirtualTime[routeClass]) + 1;
    return { virtualTime, sequenceNumber: this.#nextSequenceNumber, isFirstCall: requestedCalls < this.reservedCalls };
  }

  /** A position before all others; its line is the next one. */
  frontPosition(routeClass: RouteClass): QueuePosition {
    this.#preferred = routeClass;
    return { virtualTime: Number.NEGATIVE_INFINITY, sequenceNumber: this.#nextSequenceNumber++, isFirstCall: true };
  }

  /** A call of the operation has come to stand there. */
  count(routeClass: RouteClass, fairShare: FairShare, { virtualTime }: QueuePosition): void {
    this.#nextSequenceNumber++;
    fairShare.lastVirtualTime[routeClass] = Math.max(fairShare.lastVirtualTime[routeClass], virtualTime);
    fairShare.requestedCalls++;
  }

  /** How much goes first: in its own line what stands before the position, and all of the other line. Without a position: everything. */
  ahead(routeClass?: RouteClass, position?: QueuePosition): Record<RouteClass, number> {
    const { general, burst } = this.#lines;
    const ahead = { general: general.order.size, burst: burst.order.size };
    if (routeClass && position) ahead[routeClass] = this.#lines[routeClass].order.countAhead(position);
    return ahead;
  }

  add(entry: QueueEntry): void {
    this.#lines[entry.routeClass].add(entry);
    this.pump();
  }

  remove(entry: QueueEntry): void {
    if (this.#lines[entry.routeClass].remove(entry)) this.#scheduleWakeUp();
  }

  /** Serves what can be served now, then sets the timer for the next time something can. */
  pump(): void {
    while (!this.#isRequesting && this.#requestNext());
    if (!this.#isRequesting) this.#scheduleWakeUp();
  }

  /** Returns whether there was something to ask for. */
  #requestNext(): boolean {
    const { view } = this.#slots;
    const freeSlots = { general: view.freeSlots('general'), burst: view.freeSlots('burst') };
    const routeClass = [this.#preferred, otherClass(this.#preferred)].find((ofClass) =>
      this.#lines[ofClass].order.next(freeSlots[ofClass]),
    );
    const entry = routeClass && this.#lines[routeClass].order.next(freeSlots[routeClass]);
    if (!entry) return false;
    const { key, position } = entry;
    const usesReserve = position.isFirstCall || !freeSlots[entry.routeClass].forLaterCalls;
    const followingPosition = this.#lines[entry.routeClass].order.firstExcept(entry)?.position;
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
    const waiting = ROUTE_CLASSES.filter((routeClass) => this.#lines[routeClass].order.size > 0);
    const atMs = Math.min(...waiting.map((routeClass) => this.#slots.view.nextFreeSlotAtMs(routeClass)));
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
