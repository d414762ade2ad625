import type { QueueEntry } from './admission-line.ts';
import type { AdmissionQueue } from './admission-queue.ts';
import type { Clock } from '../../clock.ts';
import type { QueuePosition } from './fair-queue.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import type { SlotGrant, SlotSource } from '../slot-source.ts';
import { silentObserver, type UpstreamObserver } from '../../observer.ts';

/** A reservation for a refused call, which is expected again at the time named to the client. */
export interface Reservation {
  readonly routeClass: RouteClass;
  /** Its position in the queue, as if it had waited. */
  readonly position: QueuePosition;
  /** The time named to the client (monotonic ms). */
  readonly retryAtMs: number;
  /** The slots reserved for it. Default: only its position is. */
  grant?: SlotGrant | undefined;
}

interface ActiveReservation extends Reservation {
  /** Cancels its queue entry or its timer. */
  stop: () => void;
  /** Its slots were held, and its client did not come. */
  isExpired: boolean;
}

const MAX_RESERVATIONS = 1_000;
// Clients get times in whole seconds, rounded up; then the request has to arrive.
const HOLD_MS = 2_000;
// A client that comes later than this is not expected any more.
const POSITION_TTL_MS = 60_000;

/**
 * Reserves slots for refused calls, so that the retry time named to the client is reliable: a client that returns then
 * is served as if it had waited.
 *
 * The position of a refused call stays in the queue. When it gets slots, they are held for 2 s for the client to
 * return; after that only the position is reserved, for 60 s. Clients that do not return waste budget, so the fraction
 * of slots that may be held follows the fraction of clients that returned lately.
 */
export class SlotReservations {
  readonly #slots: SlotSource;
  readonly #queue: AdmissionQueue;
  readonly #clock: Clock;
  readonly #observer: Pick<UpstreamObserver, 'onReservationEnded'>;
  readonly #active = new Map<string, ActiveReservation>();
  /** Fraction of reservations whose client returned, as a moving average. */
  #returnRate = 1;

  /** @param observer - Default: nobody observes. */
  constructor(
    slots: SlotSource,
    queue: AdmissionQueue,
    clock: Clock,
    observer: Pick<UpstreamObserver, 'onReservationEnded'> = silentObserver,
  ) {
    this.#slots = slots;
    this.#queue = queue;
    this.#clock = clock;
    this.#observer = observer;
  }

  /** Finds the reservation for the call with this key. */
  find(key: string): Reservation | undefined {
    return this.#active.get(key);
  }

  /**
   * Ends the reservation for a call that has arrived. Its slots are free again, for the call to take. `isInTime`: the
   * client came at the time named to it, so the call should get its slots at once.
   */
  redeem(key: string): (Reservation & { readonly isInTime: boolean }) | undefined {
    const active = this.#remove(key);
    const isInTime = active !== undefined && this.#clock.nowMs() >= active.retryAtMs && !active.isExpired;
    if (active && this.#clock.nowMs() >= active.retryAtMs) this.#recordReturn(true);
    // Without pumping the queue: the call takes the slots as it enters.
    if (active?.grant) this.#slots.giveBack(active.grant);
    return active && { ...active, isInTime };
  }

  /** Adopts slots that another process has reserved for a call that arrived at this one. */
  adopt(key: string, { routeClass, position }: Reservation, grant: SlotGrant): void {
    const known = this.#remove(key);
    if (known?.grant) this.#giveBack(known.grant);
    const active = { routeClass, position, retryAtMs: this.#clock.nowMs(), stop: () => {}, isExpired: false };
    this.#active.set(key, active);
    this.#hold(key, active, grant);
  }

  /** Reserves a position, unless there are 1,000 reservations. */
  add(key: string, reservation: Reservation): void {
    const known = this.#remove(key);
    if (known?.grant) this.#giveBack(known.grant);
    if (this.#active.size >= MAX_RESERVATIONS) return;
    const active = {
      ...reservation,
      position: known?.position ?? reservation.position,
      stop: () => {},
      isExpired: false,
    };
    this.#active.set(key, active);
    this.#enterQueue(key, active);
  }

  /** Ends all reservations. */
  clear(): void {
    for (const key of [...this.#active.keys()]) {
      const grant = this.#remove(key)?.grant;
      if (grant) this.#giveBack(grant);
    }
  }

  #enterQueue(key: string, active: ActiveReservation): void {
    const { routeClass, position, retryAtMs } = active;
    const entry: QueueEntry = {
      routeClass,
      key,
      position,
      requestSlots: (request, done) => {
        if (this.#clock.nowMs() < retryAtMs) {
          // Others left the queue, so this entry is early. The client returns only at the time named to it.
          done(true);
          active.stop = this.#clock.schedule(retryAtMs, () => this.#enterQueue(key, active));
          return;
        }
        this.#slots.reserve(request, this.#returnRate, (grant) => {
          done(true);
          if (this.#active.get(key) === active) this.#hold(key, active, grant);
          else if (grant) this.#slots.giveBack(grant);
        });
      },
    };
    active.stop = () => this.#queue.remove(entry);
    this.#queue.add(entry);
  }

  #hold(key: string, active: ActiveReservation, grant: SlotGrant | undefined): void {
    active.grant = grant;
    active.stop = this.#clock.schedule(this.#clock.nowMs() + HOLD_MS, () => {
      active.grant = undefined;
      active.isExpired = true;
      active.stop = this.#clock.schedule(this.#clock.nowMs() + POSITION_TTL_MS, () => this.#active.delete(key));
      const end = (wasUsed: boolean) => {
        this.#recordReturn(wasUsed);
        // The process in which a reservation is used reports it.
        if (!wasUsed) this.#observer.onReservationEnded('expired');
      };
      if (grant) this.#giveBack(grant, end);
      else end(false);
    });
  }

  #recordReturn(hasReturned: boolean): void {
    this.#returnRate += ((hasReturned ? 1 : 0) - this.#returnRate) / 8;
  }

  #giveBack(grant: SlotGrant, done?: (wasUsed: boolean) => void): void {
    this.#slots.giveBack(grant, done);
    this.#queue.pump();
  }

  #remove(key: string): ActiveReservation | undefined {
    const active = this.#active.get(key);
    if (this.#active.delete(key)) active?.stop();
    return active;
  }
}
