import type { QueueEntry } from './admission-line.ts';
import type { AdmissionQueue } from './admission-queue.ts';
import type { Clock } from '../../clock.ts';
import type { QueuePosition } from './fair-queue.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import type { SlotGrant, SlotSource } from '../slot-source.ts';

/** What is kept for a call that was refused with a time, and comes back. */
export interface Reservation {
  readonly routeClass: RouteClass;
  /** Where it would stand, had it waited. */
  readonly position: QueuePosition;
  /** The time (monotonic ms) that was named. */
  readonly retryAtMs: number;
  /** Slots that are held for it. Default: none. */
  grant?: SlotGrant | undefined;
}

interface ActiveReservation extends Reservation {
  /** Ends whatever it waits for: its turn in the queue, or a time. */
  stop: () => void;
}

const MAX_RESERVATIONS = 1_000;
// Times are told in whole seconds, rounded up; then the request has to arrive.
const HOLD_MS = 2_000;
// A client that comes later than that has thought of something else in between.
const POSITION_TTL_MS = 60_000;

/**
 * Reserves slots for calls that were refused with a time, so that the time is true: a client that comes back then is served as if it had waited.
 *
 * A refused call leaves its position in the queue. When its turn comes, slots are held for a moment, for the client to come back in; afterwards only
 * the position is kept. Clients that do not come back cost budget: the fewer of them do, the fewer slots are held.
 */
export class SlotReservations {
  readonly #slots: SlotSource;
  readonly #queue: AdmissionQueue;
  readonly #clock: Clock;
  readonly #active = new Map<string, ActiveReservation>();
  /** How many of those for whom slots were reserved have come back, lately. */
  #returnRate = 1;

  constructor(slots: SlotSource, queue: AdmissionQueue, clock: Clock) {
    this.#slots = slots;
    this.#queue = queue;
    this.#clock = clock;
  }

  /** What is kept for a call, left where it is. `key` tells calls apart. */
  find(key: string): Reservation | undefined {
    return this.#active.get(key);
  }

  /** Takes what is kept for a call that has come back; its slots are free again. */
  redeem(key: string): Reservation | undefined {
    const active = this.#remove(key);
    if (active && this.#clock.nowMs() >= active.retryAtMs) this.#recordReturn(true);
    // Not to the queue: the call takes them as it enters.
    if (active?.grant) this.#slots.giveBack(active.grant);
    return active;
  }

  /** Keeps the slots that another process has reserved for a call that has come back to this one. */
  adopt(key: string, { routeClass, position }: Reservation, grant: SlotGrant): void {
    const known = this.#remove(key);
    if (known?.grant) this.#giveBack(known.grant);
    const active = { routeClass, position, retryAtMs: this.#clock.nowMs(), stop: () => {} };
    this.#active.set(key, active);
    this.#hold(key, active, grant);
  }

  /** Keeps a position until the time that was named. Beyond a thousand none is kept. */
  add(key: string, reservation: Reservation): void {
    const known = this.#remove(key);
    if (known?.grant) this.#giveBack(known.grant);
    if (this.#active.size >= MAX_RESERVATIONS) return;
    const active = { ...reservation, position: known?.position ?? reservation.position, stop: () => {} };
    this.#active.set(key, active);
    this.#enterQueue(key, active);
  }

  /** Forgets all of them. */
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
          // Others have given up. The client will come when it was told to.
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
      active.stop = this.#clock.schedule(this.#clock.nowMs() + POSITION_TTL_MS, () => this.#active.delete(key));
      if (grant) this.#giveBack(grant, (wasUsed) => this.#recordReturn(wasUsed));
      else this.#recordReturn(false);
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
