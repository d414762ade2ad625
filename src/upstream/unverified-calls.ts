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
const MAX_LOOKED_AT = 50;

/**
 * Makes the allowance. Only what upstream refuses uses it up: a call that is answered gives its place back at once.
 *
 * A client address has another call made as long as it uses less of the allowance than all leave over, so one alone takes half of it, and there is
 * always something left for another. Whoever has had no call for eight seconds has one made in any case.
 */
export function createUnverifiedCalls(clock: Clock): UnverifiedCalls {
  const usage = createUsage();
  const queue = createQueue(clock, usage);

  return {
    enter(address, deadlineMs) {
      const nowMs = clock.nowMs();
      usage.forgetOld(nowMs);
      const client = usage.clientAt(address);
      const isFree = client.waiting.size === 0 && usage.hasRoom(client);
      const turnAtMs = isFree ? nowMs : expectedAtMs(client, usage.isUsedUp(client), nowMs);
      if (!isFree && (queue.isFullFor(client) || turnAtMs > deadlineMs)) {
        usage.forgetUnused(client);
        return turnAtMs;
      }
      if (isFree) usage.take(client, nowMs);
      const waiting = isFree ? undefined : queue.add(client, nowMs);
      return {
        admitted: waiting?.admitted,
        turnAtMs,
        settle(isRefused) {
          const isOut = waiting === undefined || !queue.remove(client, waiting);
          if (isOut) usage.giveBack(client);
          if (isRefused) usage.refuse(client, clock.nowMs());
          usage.forgetUnused(client);
          queue.pump();
        },
      };
    },
  };
}

/** What the clients use of the allowance. */
function createUsage() {
  const clients = new Map<string, Client>();
  const refusals: { readonly client: Client; readonly atMs: number }[] = [];
  let callsOut = 0;

  const forgetUnused = (client: Client) => {
    if (client.callsOut + client.waiting.size + client.refusedAtMs.length === 0) clients.delete(client.address);
  };

  return {
    clientAt(address: string): Client {
      const servedAtMs = Number.NEGATIVE_INFINITY;
      const client = clients.get(address) ?? { address, waiting: new Set(), refusedAtMs: [], callsOut: 0, servedAtMs };
      clients.set(address, client);
      return client;
    },
    forgetUnused,
    forgetOld(nowMs: number) {
      for (let [oldest] = refusals; oldest && oldest.atMs + WINDOW_MS <= nowMs; [oldest] = refusals) {
        refusals.shift();
        oldest.client.refusedAtMs.shift();
        forgetUnused(oldest.client);
      }
    },
    hasRoom: ({ callsOut: out, refusedAtMs }: Client) =>
      out + refusedAtMs.length < MAX_CALLS - refusals.length - callsOut,
    /** Whether refusals alone take all that a client may have: calls that are out give their place back soon, those do not. */
    isUsedUp: ({ refusedAtMs }: Client) => refusedAtMs.length >= MAX_CALLS - refusals.length,
    /** When the oldest refusal counts no more (monotonic ms); Infinity where there is none. */
    nextReleaseAtMs: () => (refusals[0] ? refusals[0].atMs + WINDOW_MS : Number.POSITIVE_INFINITY),
    take(client: Client, nowMs: number) {
      client.callsOut++;
      callsOut++;
      client.servedAtMs = nowMs;
    },
    giveBack(client: Client) {
      client.callsOut--;
      callsOut--;
    },
    refuse(client: Client, atMs: number) {
      client.refusedAtMs.push(atMs);
      refusals.push({ client, atMs });
    },
  };
}

/** The calls that wait, and the timer for the next of them. Clients take turns: whoever has been served goes to the end. */
function createQueue(clock: Clock, usage: ReturnType<typeof createUsage>) {
  const clients = new Set<Client>();
  let waitingCalls = 0;
  let cancelTimer = () => {};

  const remove = (client: Client, waiting: Waiting): boolean => {
    if (!client.waiting.delete(waiting)) return false;
    waitingCalls--;
    clients.delete(client);
    if (client.waiting.size > 0) clients.add(client);
    return true;
  };

  /** Has everything made that can be now, then sets the timer for the next time something can. */
  const pump = () => {
    cancelTimer();
    const nowMs = clock.nowMs();
    usage.forgetOld(nowMs);
    let isServed = false;
    let nextAtMs = usage.nextReleaseAtMs();
    let looked = 0;
    for (const client of clients) {
      const [next] = client.waiting;
      if (!next || ++looked > MAX_LOOKED_AT) break;
      const atMs = dueAtMs(client, next.sinceMs);
      if (!usage.hasRoom(client) && nowMs < atMs) {
        nextAtMs = Math.min(nextAtMs, atMs);
        continue;
      }
      isServed = true;
      remove(client, next);
      usage.take(client, nowMs);
      next.admit();
    }
    if (isServed) pump();
    else if (clients.size > 0) cancelTimer = clock.schedule(nextAtMs, pump);
  };

  return {
    isFullFor({ waiting, refusedAtMs }: Client): boolean {
      const mayWait = refusedAtMs.length > 0 ? MAX_WAITING_OF_CLIENT : MAX_WAITING;
      return waiting.size >= mayWait || waitingCalls >= MAX_WAITING;
    },
    add(client: Client, sinceMs: number): Waiting {
      let admit = () => {};
      const admitted = new Promise<void>((resolve) => {
        admit = resolve;
      });
      const waiting = { sinceMs, admitted, admit };
      client.waiting.add(waiting);
      waitingCalls++;
      clients.add(client);
      pump();
      return waiting;
    },
    /** Takes out a call that nobody waits for any more. Returns false where it has been admitted already. */
    remove,
    pump,
  };
}

/** When a call that has waited since then is made whatever else there is. */
function dueAtMs({ servedAtMs }: Client, sinceMs: number): number {
  return Math.max(servedAtMs, sinceMs) + LONGEST_WAIT_MS;
}

/** When a call gets its turn, at the latest, that comes to stand behind all others of its client. */
function expectedAtMs(client: Client, isUsedUp: boolean, nowMs: number): number {
  if (!isUsedUp) return nowMs + LONGEST_WAIT_MS;
  const ahead = client.waiting.size;
  const agedAtMs = (client.refusedAtMs[ahead] ?? Number.POSITIVE_INFINITY) + WINDOW_MS;
  return Math.min(agedAtMs, dueAtMs(client, nowMs) + ahead * LONGEST_WAIT_MS);
}
