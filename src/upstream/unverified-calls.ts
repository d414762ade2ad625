import type { Clock } from './clock.ts';

/** A call of a key that upstream has not accepted yet, and its way through the allowance. */
export interface UnverifiedCall {
  /** Resolves when it may be made; undefined: at once. Never rejects. */
  readonly admitted: Promise<void> | undefined;
  /** When it will be, at the latest (monotonic ms), as things stand. */
  readonly turnAtMs: number;
  /** It has been answered, or nobody waits for it any more. `isRefused`: with a 401. */
  settle(isRefused: boolean): void;
}

/** The allowance that calls of keys share which upstream has never accepted. */
export interface UnverifiedCalls {
  /**
   * Asks to make a call.
   *
   * @param clientAddress - Who asks: addresses have fair shares.
   * @param deadlineMs - Monotonic ms.
   * @returns The call; or, for one whose turn lies behind its deadline, monotonic ms at which to ask again.
   */
  enter(clientAddress: string, deadlineMs: number): UnverifiedCall | number;
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
const MAX_LOOKED_AT = 50;

/**
 * Makes the allowance. Only what upstream refuses uses it up: a call that is answered gives its place back at once.
 *
 * A client address has another call made as long as it uses less of the allowance than all leave over, so one alone takes half of it, and there is
 * always something left for another. Whoever has had no call for eight seconds has one made in any case.
 */
export function createUnverifiedCalls(clock: Clock): UnverifiedCalls {
  const clients = new Map<string, Client>();
  // Those of which a call waits; whoever has been served goes to the end.
  const queue = new Set<Client>();
  const refusals: { readonly client: Client; readonly atMs: number }[] = [];
  let callsOut = 0;
  let waitingCalls = 0;
  let wakeUp: { readonly atMs: number; readonly cancel: () => void } | undefined;

  const forgetUnused = (client: Client) => {
    if (client.callsOut + client.waiting.size + client.refusedAtMs.length === 0) clients.delete(client.address);
  };

  const forgetOldRefusals = (nowMs: number) => {
    for (let [oldest] = refusals; oldest && oldest.atMs + WINDOW_MS <= nowMs; [oldest] = refusals) {
      refusals.shift();
      oldest.client.refusedAtMs.shift();
      forgetUnused(oldest.client);
    }
  };

  const hasRoom = ({ callsOut: out, refusedAtMs }: Client) =>
    out + refusedAtMs.length < MAX_CALLS - refusals.length - callsOut;

  /** When a call that has waited since then is made whatever else there is. */
  const dueAtMs = ({ servedAtMs }: Client, sinceMs: number) => Math.max(servedAtMs, sinceMs) + LONGEST_WAIT_MS;

  const serve = (client: Client, nowMs: number) => {
    client.callsOut++;
    callsOut++;
    client.servedAtMs = nowMs;
  };

  const stopWaiting = (client: Client, waiting: Waiting) => {
    if (!client.waiting.delete(waiting)) return false;
    waitingCalls--;
    queue.delete(client);
    if (client.waiting.size > 0) queue.add(client);
    return true;
  };

  /** Has everything made that can be now, then sets the timer for the next time something can. */
  const pump = () => {
    wakeUp?.cancel();
    wakeUp = undefined;
    const nowMs = clock.nowMs();
    forgetOldRefusals(nowMs);
    const looked = [...firstOf(queue, MAX_LOOKED_AT)];
    let isServed = false;
    let nextAtMs = refusals[0] ? refusals[0].atMs + WINDOW_MS : Number.POSITIVE_INFINITY;
    for (const client of looked) {
      const [next] = client.waiting;
      if (!next) continue;
      const atMs = dueAtMs(client, next.sinceMs);
      if (!hasRoom(client) && nowMs < atMs) {
        nextAtMs = Math.min(nextAtMs, atMs);
        continue;
      }
      isServed = true;
      stopWaiting(client, next);
      serve(client, nowMs);
      next.admit();
    }
    if (isServed) pump();
    else if (queue.size > 0) wakeUp = { atMs: nextAtMs, cancel: clock.schedule(nextAtMs, pump) };
  };

  /** When a call gets its turn, at the latest, that comes to stand behind all others of its client. */
  const expectedAtMs = (client: Client, nowMs: number) => {
    const ahead = client.waiting.size;
    // Calls that are out give their place back soon; what was refused holds it.
    const isUsedUp = client.refusedAtMs.length >= MAX_CALLS - refusals.length;
    if (!isUsedUp) return nowMs + LONGEST_WAIT_MS;
    const agedAtMs = (client.refusedAtMs[ahead] ?? Number.POSITIVE_INFINITY) + WINDOW_MS;
    return Math.min(agedAtMs, dueAtMs(client, nowMs) + ahead * LONGEST_WAIT_MS);
  };

  return {
    enter(address, deadlineMs) {
      const nowMs = clock.nowMs();
      forgetOldRefusals(nowMs);
      const known = clients.get(address);
      const client: Client = known ?? {
        address,
        waiting: new Set(),
        refusedAtMs: [],
        callsOut: 0,
        servedAtMs: Number.NEGATIVE_INFINITY,
      };
      const isFree = client.waiting.size === 0 && hasRoom(client);
      const turnAtMs = isFree ? nowMs : expectedAtMs(client, nowMs);
      const mayWait = client.refusedAtMs.length > 0 ? MAX_WAITING_OF_CLIENT : MAX_WAITING;
      const isFull = client.waiting.size >= mayWait || waitingCalls >= MAX_WAITING;
      if (!isFree && (isFull || turnAtMs > deadlineMs)) return turnAtMs;

      clients.set(address, client);
      let waiting: Waiting | undefined;
      let admitted: Promise<void> | undefined;
      if (isFree) serve(client, nowMs);
      else {
        admitted = new Promise((admit) => {
          waiting = { sinceMs: nowMs, admit };
          client.waiting.add(waiting);
          waitingCalls++;
          queue.add(client);
        });
        pump();
      }
      return {
        admitted,
        turnAtMs,
        settle(isRefused) {
          const hasGone = waiting !== undefined && stopWaiting(client, waiting);
          if (!hasGone) {
            client.callsOut--;
            callsOut--;
          }
          if (isRefused) {
            const atMs = clock.nowMs();
            client.refusedAtMs.push(atMs);
            refusals.push({ client, atMs });
          }
          forgetUnused(client);
          pump();
        },
      };
    },
  };
}

function* firstOf<Item>(items: Iterable<Item>, count: number): Iterable<Item> {
  let left = count;
  for (const item of items) {
    if (left-- === 0) return;
    yield item;
  }
}
