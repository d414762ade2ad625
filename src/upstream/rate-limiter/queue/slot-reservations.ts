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
  readonly promisedAtMs: number;
  /** Slots that are held for it. Default: none. */
  grant?: SlotGrant | undefined;
}

interface Kept extends Reservation {
  /** Ends whatever it waits for: its turn in the queue, or a time. */
  stop: () => void;
}

const MAX_RESERVATIONS = 1_000;
// Times are told in whole seconds, rounded up; then the request has to arrive.
const HOLD_MS = 2_000;
// A client that comes later than that has thought of something else in between.
const KEEP_MS = 60_000;

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
  readonly #kept = new Map<string, Kept>();
  /** How many of those for whom slots were reserved have come back, lately. */
  #returning = 1;

  constructor(slots: SlotSource, queue: AdmissionQueue, clock: Clock) {
    this.#slots = slots;
    this.#queue = queue;
    this.#clock = clock;
  }

  /** What is kept for a call, left where it is. `key` tells calls apart. */
  find(key: string): Reservation | undefined {
    return this.#kept.get(key);
  }

  /** Takes what is kept for a call that has come back; its slots are free again. */
  claim(key: string): Reservation | undefined {
    const kept = this.#remove(key);
    if (kept && this.#clock.nowMs() >= kept.promisedAtMs) this.#count(true);
    // Not to the queue: the call takes them as it enters.
    if (kept?.grant) this.#slots.giveBack(kept.grant);
    return kept;
  }

  /** Keeps the slots that another process has reserved for a call that has come back to this one. */
  adopt(key: string, { routeClass, position }: Reservation, grant: SlotGrant): void {
    const known = this.#remove(key);
    if (known?.grant) this.#giveBack(known.grant);
    const kept = { routeClass, position, promisedAtMs: this.#clock.nowMs(), stop: () => {} };
    this.#kept.set(key, kept);
    this.#hold(key, kept, grant);
  }

  /** Keeps a position until the time that was named. Beyond a thousand none is kept. */
  keep(key: string, reservation: Reservation): void {
    const known = this.#remove(key);
    if (known?.grant) this.#giveBack(known.grant);
    if (this.#kept.size >= MAX_RESERVATIONS) return;
    const kept = { ...reservation, position: known?.position ?? reservation.position, stop: () => {} };
    this.#kept.set(key, kept);
    this.#enterQueue(key, kept);
  }

  /** Forgets all of them. */
  clear(): void {
    for (const key of [...this.#kept.keys()]) {
      const grant = this.#remove(key)?.grant;
      if (grant) this.#giveBack(grant);
    }
  }

  #enterQueue(key: string, kept: Kept): void {
    const { routeClass, position, promisedAtMs } = kept;
    const entry: QueueEntry = {
      routeClass,
      key,
      position,
      ask: (request, done) => {
        if (this.#clock.nowMs() < promisedAtMs) {
          // Others have given up. The client will come when it was told to.
          done(true);
          kept.stop = this.#clock.schedule(promisedAtMs, () => this.#enterQueue(key, kept));
          return;
        }
        this.#slots.reserve(request, this.#returning, (grant) => {
          done(true);
          if (this.#kept.get(key) === kept) this.#hold(key, kept, grant);
          else if (grant) this.#slots.giveBack(grant);
        });
      },
    };
    kept.stop = () => this.#queue.remove(entry);
    this.#queue.add(entry);
  }

  #hold(key: string, kept: Kept, grant: SlotGrant | undefined): void {
    kept.grant = grant;
    kept.stop = this.#clock.schedule(this.#clock.nowMs() + HOLD_MS, () => {
      kept.grant = undefined;
      kept.stop = this.#clock.schedule(this.#clock.nowMs() + KEEP_MS, () => this.#kept.delete(key));
      if (grant) this.#giveBack(grant, (wasUsed) => this.#count(wasUsed));
      else this.#count(false);
    });
  }

  #count(hasReturned: boolean): void {
    this.#returning += ((hasReturned ? 1 : 0) - this.#returning) / 8;
  }

  #giveBack(grant: SlotGrant, done?: (wasUsed: boolean) => void): void {
    this.#slots.giveBack(grant, done);
    this.#queue.pump();
  }

  #remove(key: string): Kept | undefined {
    const kept = this.#kept.get(key);
    if (this.#kept.delete(key)) kept?.stop();
    return kept;
  }
}
