import type { Clock } from '../../clock.ts';

/** A call with a key that upstream has not accepted yet, admitted or waiting for the allowance. */
export interface UnverifiedCall {
  /** Resolves when the call may be made; undefined: it may be made now. Never rejects. */
  readonly admitted: Promise<void> | undefined;
  /** When it is admitted at the latest, as far as can be expected (monotonic ms). */
  readonly slotAtMs: number;
  /**
   * Reports that the call has ended, or that nobody waits for it any more. `isRefused`: upstream responded with 401.
   */
  settle(isRefused: boolean): void;
}

/** What is known of a client address while it uses the allowance or waits for it. */
interface Client {
  readonly address: string;
  /** Its waiting calls, in order. */
  readonly waiting: Set<Waiting>;
  /** When upstream rejected calls of the client within the last window (monotonic ms), oldest first. */
  readonly refusedAtMs: number[];
  callsInFlight: number;
  servedAtMs: number;
}

interface Waiting {
  readonly sinceMs: number;
  readonly admitted: Promise<void>;
  readonly admit: () => void;
}

const WINDOW_MS = 60_000;
/** The most calls that may be in flight or have been rejected within the window, together. */
const MAX_CALLS = 120;
// A client that has waited this long gets a call in any case, so that others cannot shut it out.
const LONGEST_WAIT_MS = 8_000;
// Each waiting call holds a client connection. A gateway whose keys are all valid may use all of MAX_WAITING, for
// instance after a restart.
const MAX_WAITING_OF_CLIENT = 200;
const MAX_WAITING = 2_000;
// Served clients move to the end of the queue, so that the clients behind them are checked next.
const MAX_CHECKED_CLIENTS = 50;

/**
 * The allowance shared by the calls of all keys that upstream has not accepted. Only rejected calls use it up: a call
 * that ends otherwise returns its part at once.
 *
 * A client address gets another call while it uses less of the allowance than is left, so a single address can use half
 * of it, and some is always left for another. A client that has waited eight seconds without a call gets one in any
 * case.
 */
export class UnverifiedCalls {
  readonly #clock: Clock;
  readonly #clients = new Map<string, Client>();
  // Clients with waiting calls. A client that was served moves to the end.
  readonly #queue = new Set<Client>();
  readonly #refusals: { readonly client: Client; readonly atMs: number }[] = [];
  #callsInFlight = 0;
  #waitingCalls = 0;
  #cancelTimer = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Admits a call or queues it.
   *
   * @param address - The client's address: each address has a fair share.
   * @param deadlineMs - Monotonic ms.
   * @returns The call; or the time to retry at (monotonic ms), if it cannot be admitted before the deadline or too many
   *   calls wait.
   */
  enter(address: string, deadlineMs: number): UnverifiedCall | number {
    const nowMs = this.#clock.nowMs();
    this.#forgetOldRefusals(nowMs);
    const servedAtMs = Number.NEGATIVE_INFINITY;
    const known = this.#clients.get(address);
    const client = known ?? { address, waiting: new Set(), refusedAtMs: [], callsInFlight: 0, servedAtMs };
    const isFree = client.waiting.size === 0 && this.#hasFreeSlot(client);
    const slotAtMs = isFree ? nowMs : this.#expectedAtMs(client, nowMs);
    const maxWaiting = client.refusedAtMs.length > 0 ? MAX_WAITING_OF_CLIENT : MAX_WAITING;
    const isFull = client.waiting.size >= maxWaiting || this.#waitingCalls >= MAX_WAITING;
    if (!isFree && (isFull || slotAtMs > deadlineMs)) return slotAtMs;

    this.#clients.set(address, client);
    if (isFree) this.#serve(client, nowMs);
    const waiting = isFree ? undefined : this.#wait(client, nowMs);
    return {
      admitted: waiting?.admitted,
      slotAtMs,
      settle: (isRefused) => this.#settle(client, waiting, isRefused),
    };
  }

  #settle(client: Client, waiting: Waiting | undefined, isRefused: boolean): void {
    const hasLeftQueue = waiting !== undefined && this.#stopWaiting(client, waiting);
    if (!hasLeftQueue) {
      client.callsInFlight--;
      this.#callsInFlight--;
    }
    if (isRefused) {
      const atMs = this.#clock.nowMs();
      client.refusedAtMs.push(atMs);
      this.#refusals.push({ client, atMs });
    }
    this.#forgetUnused(client);
    this.#pump();
  }

  #wait(client: Client, sinceMs: number): Waiting {
    let admit = () => {};
    const admitted = new Promise<void>((resolve) => {
      admit = resolve;
    });
    const waiting = { sinceMs, admitted, admit };
    client.waiting.add(waiting);
    this.#waitingCalls++;
    this.#queue.add(client);
    this.#pump();
    return waiting;
  }

  #stopWaiting(client: Client, waiting: Waiting): boolean {
    if (!client.waiting.delete(waiting)) return false;
    this.#waitingCalls--;
    this.#queue.delete(client);
    if (client.waiting.size > 0) this.#queue.add(client);
    return true;
  }

  #serve(client: Client, nowMs: number): void {
    client.callsInFlight++;
    this.#callsInFlight++;
    client.servedAtMs = nowMs;
  }

  /** Admits all calls that may be made now, then sets a timer for the next possible time. */
  #pump(): void {
    this.#cancelTimer();
    const nowMs = this.#clock.nowMs();
    this.#forgetOldRefusals(nowMs);
    let isServed = false;
    let nextAtMs = this.#refusals[0] ? this.#refusals[0].atMs + WINDOW_MS : Number.POSITIVE_INFINITY;
    let checked = 0;
    for (const client of this.#queue) {
      const [next] = client.waiting;
      if (!next || ++checked > MAX_CHECKED_CLIENTS) break;
      const atMs = dueAtMs(client, next.sinceMs);
      if (!this.#hasFreeSlot(client) && nowMs < atMs) {
        nextAtMs = Math.min(nextAtMs, atMs);
        continue;
      }
      isServed = true;
      this.#stopWaiting(client, next);
      this.#serve(client, nowMs);
      next.admit();
    }
    if (isServed) this.#pump();
    else if (this.#queue.size > 0) this.#cancelTimer = this.#clock.schedule(nextAtMs, () => this.#pump());
  }

  #hasFreeSlot({ callsInFlight, refusedAtMs }: Client): boolean {
    return callsInFlight + refusedAtMs.length < MAX_CALLS - this.#refusals.length - this.#callsInFlight;
  }

  /** The latest time at which a new call would be admitted, behind all waiting calls of its client (monotonic ms). */
  #expectedAtMs(client: Client, nowMs: number): number {
    const ahead = client.waiting.size;
    // Calls in flight return their part soon; rejected calls hold it for a window.
    const isUsedUp = client.refusedAtMs.length >= MAX_CALLS - this.#refusals.length;
    if (!isUsedUp) return nowMs + LONGEST_WAIT_MS;
    const refusalExpiresAtMs = (client.refusedAtMs[ahead] ?? Number.POSITIVE_INFINITY) + WINDOW_MS;
    return Math.min(refusalExpiresAtMs, dueAtMs(client, nowMs) + ahead * LONGEST_WAIT_MS);
  }

  #forgetOldRefusals(nowMs: number): void {
    const refusals = this.#refusals;
    for (let [oldest] = refusals; oldest && oldest.atMs + WINDOW_MS <= nowMs; [oldest] = refusals) {
      refusals.shift();
      oldest.client.refusedAtMs.shift();
      this.#forgetUnused(oldest.client);
    }
  }

  #forgetUnused({ address, callsInFlight, waiting, refusedAtMs }: Client): void {
    if (callsInFlight + waiting.size + refusedAtMs.length === 0) this.#clients.delete(address);
  }
}

/** When a call that has waited since `sinceMs` is admitted in any case (monotonic ms). */
function dueAtMs({ servedAtMs }: Client, sinceMs: number): number {
  return Math.max(servedAtMs, sinceMs) + LONGEST_WAIT_MS;
}
