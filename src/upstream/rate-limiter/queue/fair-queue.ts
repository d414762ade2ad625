import { OrderedMap } from '@js-sdsl/ordered-map';
import type { FreeSlots } from '../slot-source.ts';

/** Where a call stands: the lower its virtual time, the sooner; of equal ones the one that came first. */
export interface QueuePosition {
  readonly virtualTime: number;
  /** Place in the order of arrival. No two in a queue have the same. */
  readonly sequenceNumber: number;
  /** It is one of the first calls of its operation, and may take the slots that are reserved for them. */
  readonly isFirstCall: boolean;
}

/** Something that stands in a queue. */
export interface Queued {
  readonly position: QueuePosition;
}

/** The index of the end, as this library has it, is that of the last element. */
function countBefore(items: OrderedMap<QueuePosition, unknown>, position: QueuePosition): number {
  const found = items.lowerBound(position);
  return found.isAccessible() ? found.index : items.size();
}

const byPosition = (a: QueuePosition, b: QueuePosition) =>
  a.virtualTime - b.virtualTime || a.sequenceNumber - b.sequenceNumber;

/**
 * The order in which the calls of one class are sent: by virtual time (start-time fair queueing). It is readable, so that turns can be predicted,
 * and everything it is asked costs at most the logarithm of what waits.
 *
 * First calls of operations and later ones stand apart, because the head of the queue can be a later call that has to leave the last free slots to
 * first calls behind it. It lets `maxPasses` of them pass, then it takes the next slot itself: a stream of new operations may slow a large one, not stop it.
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

  /** Takes an item out. Returns whether it was there. */
  remove({ position }: Queued): boolean {
    return this.#of(position).eraseElementByKey(position);
  }

  /** Takes out what is being sent. */
  serve(item: Queued): void {
    this.remove(item);
    if (!item.position.isFirstCall) this.#passes = 0;
  }

  /** What would be sent now. */
  next(freeSlots: FreeSlots): Item | undefined {
    if (!freeSlots.forFirstCalls) return undefined;
    const firstCall = this.#firstCalls.front()?.[1];
    const laterCall = this.#laterCalls.front()?.[1];
    const isLaterCallAllowed = laterCall && (freeSlots.forLaterCalls || this.#passes >= this.#maxPasses);
    if (!isLaterCallAllowed) return firstCall;
    return firstCall && byPosition(firstCall.position, laterCall.position) < 0 ? firstCall : laterCall;
  }

  /** What waits besides an item and stands foremost, whether there is room for it or not. */
  firstExcept(item: Item): Item | undefined {
    const fronts = [this.#firstCalls, this.#laterCalls].flatMap((items) => {
      const front = items.begin();
      if (front.isAccessible() && front.pointer[1] === item) front.next();
      return front.isAccessible() ? [front.pointer[1]] : [];
    });
    return fronts.sort((a, b) => byPosition(a.position, b.position))[0];
  }

  /** Whether its foremost later call could be sent now, but for the slots reserved for first calls. */
  isHeldBack(freeSlots: FreeSlots): boolean {
    return (
      this.#laterCalls.size() > 0 &&
      freeSlots.forFirstCalls &&
      !freeSlots.forLaterCalls &&
      this.#passes < this.#maxPasses
    );
  }

  /** A first call, of whichever queue, has taken a slot that its foremost later call could have had. */
  countPass(): void {
    this.#passes++;
  }

  /**
   * How many calls are expected to be sent before a call that stands here, or would come to stand here now, if no slot is ever left over.
   * Where crowds of first calls stand between later ones, somewhat more of them go before a later one than this says.
   */
  countAhead(position: QueuePosition): number {
    const firstAhead = countBefore(this.#firstCalls, position);
    const laterAhead = countBefore(this.#laterCalls, position);
    const passes = this.#maxPasses;
    if (passes === 0) return firstAhead + laterAhead;
    const foremostLater = this.#laterCalls.front()?.[0];
    const beforeLater = foremostLater && laterAhead > 0 ? countBefore(this.#firstCalls, foremostLater) : firstAhead;
    // As many first calls as may pass go before each later one, and before the foremost at least those that stand before it.
    if (position.isFirstCall) {
      const passing = Math.min(this.#passes + firstAhead, passes + firstAhead - beforeLater);
      return firstAhead + Math.min(laterAhead, Math.floor(passing / passes));
    }
    const passing = Math.max((laterAhead + 1) * passes - this.#passes, beforeLater + laterAhead * passes);
    return laterAhead + Math.max(firstAhead, Math.min(this.#firstCalls.size(), passing));
  }

  #of({ isFirstCall }: QueuePosition) {
    return isFirstCall ? this.#firstCalls : this.#laterCalls;
  }
}
