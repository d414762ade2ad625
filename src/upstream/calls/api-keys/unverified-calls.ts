import type { Clock } from '../../clock.ts';

/** A call of a key that upstream has not accepted yet, and its way through the allowance. */
export interface UnverifiedCall {
  /** Resolves when it may be made; undefined: at once. Never rejects. */
  readonly admitted: Promise<void> | undefined;
  /** When it will be, at the latest (monotonic ms), as things stand. */
  readonly slotAtMs: number;
  /** It has been answered, or nobody waits for it any more. `isRefused`: with a 401. */
  settle(isRefused: boolean): void;
}

/** What is known of one client address, as long as it uses the allowance or waits for it. */
interface Client {
  readonly address: string;
  /** Those that wait, in order. */
  readonly waiting: Set<Waiting>;
  /** When upstream refused a call of the client, oldest first; a window long. */
  readonly refusedAtMs: number[];
  callsOut: number;
  servedAtMs: number;
}

interface Waiting {
  readonly sinceMs: number;
  readonly admitted: Promise<void>;
  readonly admit: () => void;
}

const WINDOW_MS = 60_000;
/** Calls that are out, and calls that were refused within the window. */
const MAX_CALLS = 120;
// A client that has waited for so long has a call made all the same: nobody is turned away because of what others do.
const LONGEST_WAIT_MS = 8_000;
// Each holds a connection of its client meanwhile. A gateway that brings only good keys, after a restart say, may have all that there are.
const MAX_WAITING_OF_CLIENT = 200;
const MAX_WAITING = 2_000;
// They take turns, so that those behind them are looked at next.
const MAX_CHECKED_CLIENTS = 50;

/**
 * The allowance that calls of keys share which upstream has never accepted. Only what upstream refuses uses it up: a call that is answered gives its
 * place back at once.
 *
 * A client address has another call made as long as it uses less of the allowance than all leave over, so one alone takes half of it, and there is
 * always something left for another. Whoever has had no call for eight seconds has one made in any case.
 */
export class UnverifiedCalls {
  readonly #clock: Clock;
  readonly #clients = new Map<string, Client>();
  // Those of which a call waits; whoever has been served goes to the end.
  readonly #queue = new Set<Client>();
  readonly #refusals: { readonly client: Client; readonly atMs: number }[] = [];
  #callsOut = 0;
  #waitingCalls = 0;
  #cancelTimer = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Asks to make a call.
   *
   * @param address - The client's: addresses have fair shares.
   * @param deadlineMs - Monotonic ms.
   * @returns The call; or, for one whose turn lies behind its deadline, monotonic ms at which to ask again.
   */
  enter(address: string, deadlineMs: number): UnverifiedCall | number {
    const nowMs = this.#clock.nowMs();
    this.#forgetOldRefusals(nowMs);
    const servedAtMs = Number.NEGATIVE_INFINITY;
    const known = this.#clients.get(address);
    const client = known ?? { address, waiting: new Set(), refusedAtMs: [], callsOut: 0, servedAtMs };
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
      client.callsOut--;
      this.#callsOut--;
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
    client.callsOut++;
    this.#callsOut++;
    client.servedAtMs = nowMs;
  }

  /** Has everything made that can be now, then sets the timer for the next time something can. */
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

  #hasFreeSlot({ callsOut, refusedAtMs }: Client): boolean {
    return callsOut + refusedAtMs.length < MAX_CALLS - this.#refusals.length - this.#callsOut;
  }

  /** When a call gets its turn, at the latest, that comes to stand behind all others of its client. */
  #expectedAtMs(client: Client, nowMs: number): number {
    const ahead = client.waiting.size;
    // Calls that are out give their place back soon; what was refused holds it.
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

  #forgetUnused({ address, callsOut, waiting, refusedAtMs }: Client): void {
    if (callsOut + waiting.size + refusedAtMs.length === 0) this.#clients.delete(address);
  }
}

/** When a call that has waited since then is made whatever else there is. */
function dueAtMs({ servedAtMs }: Client, sinceMs: number): number {
  return Math.max(servedAtMs, sinceMs) + LONGEST_WAIT_MS;
}
