import type { Queue, QueueAddOptions } from 'p-queue';
import type { Share } from './share.ts';

/** Run function of p-queue: starts one waiting call. */
type Start = () => Promise<unknown>;

/** What the budget knows about a call that waits: whose it is and where it stands among the waiting calls of its class. */
export interface WaitingCall {
  readonly id: string;
  readonly share: Share;
  /** Virtual start time: the lower, the sooner; of equal ones the one that came first. */
  readonly tag: number;
  /** False while the slots that are free now are reserved for others. */
  isAdmissible(): boolean;
}

/** What p-queue hands over with a call. */
export type LineOptions = QueueAddOptions & { readonly call?: WaitingCall };

/**
 * The line p-queue keeps its waiting calls in: ordered by virtual time, and readable, so that turns can be foretold.
 *
 * p-queue hands out the head; this line hands out the first call that may be sent now, because the head can be one that has to leave
 * the last free slots to newcomers standing behind it.
 */
export class WaitingLine implements Queue<Start, LineOptions> {
  readonly #waiting: { readonly call: WaitingCall; readonly start: Start }[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  enqueue(start: Start, options?: Partial<LineOptions>): void {
    const call = options?.call;
    if (call === undefined) throw new TypeError('A waiting line only takes calls');
    let index = this.#waiting.length;
    while (index > 0 && (this.#waiting[index - 1]?.call.tag ?? 0) > call.tag) index--;
    this.#waiting.splice(index, 0, { call, start });
  }

  dequeue(): Start | undefined {
    const index = this.#waiting.findIndex(({ call }) => call.isAdmissible());
    return index === -1 ? undefined : this.#waiting.splice(index, 1)[0]?.start;
  }

  remove(id: string): void {
    const index = this.#waiting.findIndex(({ call }) => call.id === id);
    if (index !== -1) this.#waiting.splice(index, 1);
  }

  /** The call that `dequeue` would start, left where it is. */
  next(): WaitingCall | undefined {
    return this.#waiting.find(({ call }) => call.isAdmissible())?.call;
  }

  /** The call at the head, whether it may be sent or not. */
  first(): WaitingCall | undefined {
    return this.#waiting[0]?.call;
  }

  /** How many calls stand before the one with this id; where it does not wait here: before a call that would come now, with this tag. */
  countAhead(tag: number, id?: string): number {
    let count = 0;
    for (const { call } of this.#waiting) {
      if (call.id === id || call.tag > tag) break;
      count++;
    }
    return count;
  }

  filter(): Start[] {
    return this.#waiting.map(({ start }) => start);
  }

  setPriority(): void {
    throw new TypeError('A call keeps the turn its tag gives it');
  }
}
