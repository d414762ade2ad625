import { OrderedMap } from '@js-sdsl/ordered-map';
import type { Queue, QueueAddOptions } from 'p-queue';

/** Run function of p-queue: starts one waiting call. */
type Start = () => Promise<unknown>;

/** Where a call stands: the lower the virtual time, the sooner; of equal ones the one that came first. */
export interface Standing {
  /** Virtual time. */
  readonly tag: number;
  /** Place in the order of arrival. */
  readonly order: number;
  /** It may take the slots that are kept for newcomers. */
  readonly isNewcomer: boolean;
}

/** A call that waits for its turn. */
export interface WaitingCall extends Standing {
  readonly id: string;
}

/** What p-queue hands over with a call. */
export type LineOptions = QueueAddOptions & { readonly call?: WaitingCall };

/** Whose calls can be sent at a moment. */
export interface Room {
  readonly forNewcomers: boolean;
  /** There are slots left beyond those kept for newcomers. */
  readonly forRegulars: boolean;
}

interface Entry {
  readonly call: WaitingCall;
  readonly start: Start;
}

/** The index of the end, as this library has it, is that of the last element. */
function countBefore(entries: OrderedMap<Standing, Entry>, standing: Standing): number {
  const position = entries.lowerBound(standing);
  return position.isAccessible() ? position.index : entries.size();
}

const byStanding = (a: Standing, b: Standing) => a.tag - b.tag || a.order - b.order;

/**
 * The line p-queue keeps its waiting calls in: ordered by virtual time, and readable, so that turns can be foretold.
 * Everything it is asked costs at most the logarithm of what waits.
 *
 * Newcomers (the first calls of an operation) and regulars (all later ones) stand apart, because the head of the line can be one
 * that has to leave the last free slots to newcomers behind it. Such a call lets `maxPasses` of them pass, then it takes the next slot itself:
 * a stream of newcomers may slow a large operation, not stop it.
 */
export class WaitingLine implements Queue<Start, LineOptions> {
  /** Virtual time of the call that was started last. */
  virtualTime = 0;
  readonly #maxPasses: number;
  readonly #room: () => Room;
  readonly #newcomers = new OrderedMap<Standing, Entry>([], byStanding, true);
  readonly #regulars = new OrderedMap<Standing, Entry>([], byStanding, true);
  readonly #byId = new Map<string, Entry>();
  #passes = 0;

  constructor(maxPasses: number, room: () => Room) {
    this.#maxPasses = maxPasses;
    this.#room = room;
  }

  get size(): number {
    return this.#byId.size;
  }

  enqueue(start: Start, options?: Partial<LineOptions>): void {
    const call = options?.call;
    if (call === undefined) throw new TypeError('A waiting line only takes calls');
    const entry = { call, start };
    this.#byId.set(call.id, entry);
    (call.isNewcomer ? this.#newcomers : this.#regulars).setElement(call, entry);
  }

  dequeue(): Start | undefined {
    const next = this.#next();
    if (!next) return undefined;
    this.remove(next.call.id);
    this.virtualTime = Math.max(this.virtualTime, next.call.tag);
    if (!next.call.isNewcomer) this.#passes = 0;
    return next.start;
  }

  remove(id: string): void {
    const entry = this.#byId.get(id);
    if (!entry) return;
    this.#byId.delete(id);
    (entry.call.isNewcomer ? this.#newcomers : this.#regulars).eraseElementByKey(entry.call);
  }

  /** Whether `dequeue` would start a call now. */
  hasNext(): boolean {
    return this.#next() !== undefined;
  }

  /** Whether its first regular could be sent now, but for the slots kept for newcomers. */
  isHeldBack(): boolean {
    const room = this.#room();
    return this.#regulars.size() > 0 && room.forNewcomers && !room.forRegulars && this.#passes < this.#maxPasses;
  }

  /** A newcomer, of whichever line, has taken a slot that its first regular could have had. */
  countPass(): void {
    this.#passes++;
  }

  /**
   * How many calls are expected to be started before a call that stands here, or would come to stand here now, if no slot is ever left over.
   * Where crowds of newcomers stand between regulars, somewhat more of them go before a regular than this tells.
   */
  countAhead(standing: Standing): number {
    const newcomersAhead = countBefore(this.#newcomers, standing);
    const regularsAhead = countBefore(this.#regulars, standing);
    const passes = this.#maxPasses;
    if (passes === 0) return newcomersAhead + regularsAhead;
    const firstRegular = this.#regulars.front()?.[0];
    const beforeRegulars =
      firstRegular && regularsAhead > 0 ? countBefore(this.#newcomers, firstRegular) : newcomersAhead;
    // As many newcomers as may pass go before each regular, and before the first one at least those that stand before it.
    if (standing.isNewcomer) {
      const passing = Math.min(this.#passes + newcomersAhead, passes + newcomersAhead - beforeRegulars);
      return newcomersAhead + Math.min(regularsAhead, Math.floor(passing / passes));
    }
    const passing = Math.max((regularsAhead + 1) * passes - this.#passes, beforeRegulars + regularsAhead * passes);
    return regularsAhead + Math.max(newcomersAhead, Math.min(this.#newcomers.size(), passing));
  }

  filter(): Start[] {
    return [...this.#byId.values()].map(({ start }) => start);
  }

  setPriority(): void {
    throw new TypeError('A call keeps the turn its standing gives it');
  }

  #next(): Entry | undefined {
    const room = this.#room();
    if (!room.forNewcomers) return undefined;
    const newcomer = this.#newcomers.front()?.[1];
    const regular = this.#regulars.front()?.[1];
    const mayRegular = regular && (room.forRegulars || this.#passes >= this.#maxPasses);
    if (!mayRegular) return newcomer;
    return newcomer && byStanding(newcomer.call, regular.call) < 0 ? newcomer : regular;
  }
}
