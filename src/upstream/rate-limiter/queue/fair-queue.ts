import { OrderedMap } from '@js-sdsl/ordered-map';
import type { FreeSlots } from '../slot-source.ts';

/** Position of a call: lower virtual time first; of equal ones, the first to arrive. */
export interface QueuePosition {
  readonly virtualTime: number;
  /** Order of arrival, unique in a queue. */
  readonly sequenceNumber: number;
  /** It is one of the first calls of its operation, and may use the slots reserved for them. */
  readonly isFirstCall: boolean;
}

/** An item with a position. */
export interface Queued {
  readonly position: QueuePosition;
}

/** Counts the items before a position. The library gives its end iterator the index of the last element. */
function countBefore(items: OrderedMap<QueuePosition, unknown>, position: QueuePosition): number {
  const found = items.lowerBound(position);
  return found.isAccessible() ? found.index : items.size();
}

const byPosition = (a: QueuePosition, b: QueuePosition) =>
  a.virtualTime - b.virtualTime || a.sequenceNumber - b.sequenceNumber;

/**
 * Order of the calls of one class: by virtual time (start-time fair queueing). The virtual times of an operation count
 * up from that of the last call sent, so the calls of several operations alternate. Positions can be read, so that
 * slots can be predicted. Every method takes logarithmic time at most.
 *
 * First calls of operations and later calls are stored separately, because the head of the queue may be a later call
 * that has to leave the last free slots to first calls behind it. Once `maxPasses` of them have passed it, it takes the
 * next slot: new operations can slow a large operation down, not stop it.
 */
export class FairQueue<Item extends Queued> {
  readonly #maxPasses: number;
  readonly #firstCalls = new OrderedMap<QueuePosition, Item>([], byPosition, true);
  readonly #laterCalls = new OrderedMap<QueuePosition, Item>([], byPosition, true);
  #passes = 0;

  constructor(maxPasses: number) {
    this.#maxPasses = maxPasses;
  }

  get size(): number {
    return this.#firstCalls.size() + this.#laterCalls.size();
  }

  add(item: Item): void {
    this.#of(item.position).setElement(item.position, item);
  }

  /** Removes an item. Returns whether it was in the queue. */
  remove({ position }: Queued): boolean {
    return this.#of(position).eraseElementByKey(position);
  }

  /** Whether this item is in the queue, and not another one at its position. */
  has(item: Item): boolean {
    return this.#of(item.position).getElementByKey(item.position) === item;
  }

  /** Removes an item that is being sent. */
  serve(item: Queued): void {
    this.remove(item);
    if (!item.position.isFirstCall) this.#passes = 0;
  }

  /** The item that would be sent now. */
  next(freeSlots: FreeSlots): Item | undefined {
    if (!freeSlots.forFirstCalls) return undefined;
    const firstCall = this.#firstCalls.front()?.[1];
    const laterCall = this.#laterCalls.front()?.[1];
    const isLaterCallAllowed = laterCall && (freeSlots.forLaterCalls || this.#passes >= this.#maxPasses);
    if (!isLaterCallAllowed) return firstCall;
    return firstCall && byPosition(firstCall.position, laterCall.position) < 0 ? firstCall : laterCall;
  }

  /** The first item except this one, whether a slot is free for it or not. */
  firstExcept(item: Item): Item | undefined {
    const fronts = [this.#firstCalls, this.#laterCalls].flatMap((items) => {
      const front = items.begin();
      if (front.isAccessible() && front.pointer[1] === item) front.next();
      return front.isAccessible() ? [front.pointer[1]] : [];
    });
    return fronts.sort((a, b) => byPosition(a.position, b.position))[0];
  }

  /** Whether the foremost later call waits only because the free slots are reserved for first calls. */
  isHeldBack(freeSlots: FreeSlots): boolean {
    return (
      this.#laterCalls.size() > 0 &&
      freeSlots.forFirstCalls &&
      !freeSlots.forLaterCalls &&
      this.#passes < this.#maxPasses
    );
  }

  /** Counts a call, of either class, that took a slot which the foremost later call could have used. */
  countPass(): void {
    this.#passes++;
  }

  /**
   * Estimates how many calls are sent before a call at this position, if slots are always short. With many first calls
   * between later ones, it is slightly low for a later call.
   */
  countAhead(position: QueuePosition): number {
    const firstAhead = countBefore(this.#firstCalls, position);
    const laterAhead = countBefore(this.#laterCalls, position);
    const maxPasses = this.#maxPasses;
    if (maxPasses === 0) return firstAhead + laterAhead;
    const foremostLater = this.#laterCalls.front()?.[0];
    const beforeLater = foremostLater && laterAhead > 0 ? countBefore(this.#firstCalls, foremostLater) : firstAhead;
    // As many first calls go before each later call as may pass it; before the foremost, at least those ahead of it.
    if (position.isFirstCall) {
      const passing = Math.min(this.#passes + firstAhead, maxPasses + firstAhead - beforeLater);
      return firstAhead + Math.min(laterAhead, Math.floor(passing / maxPasses));
    }
    const passing = Math.max((laterAhead + 1) * maxPasses - this.#passes, beforeLater + laterAhead * maxPasses);
    return laterAhead + Math.max(firstAhead, Math.min(this.#firstCalls.size(), passing));
  }

  #of({ isFirstCall }: QueuePosition) {
    return isFirstCall ? this.#firstCalls : this.#laterCalls;
  }
}
