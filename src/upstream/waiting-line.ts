import type { Queue, QueueAddOptions } from 'p-queue';

/** Run function of p-queue: starts one waiting call. */
type Start = () => Promise<unknown>;

/** What the budget knows about a call that waits: whose it is and where it stands among all waiting calls of the key. */
export interface WaitingCall {
  readonly id: string;
  /** Virtual start time: the lower, the sooner. */
  readonly tag: number;
  /** False while the slots that are free now are reserved for others. */
  isAdmissible(): boolean;
}

/** What p-queue hands over with a call. */
export type LineOptions = QueueAddOptions & { readonly call?: WaitingCall };

/**
 * The line p-queue keeps its waiting calls in: ordered by virtual time, and readable, so that two lines that share a budget can be compared.
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

  /** How many calls wait with a smaller tag, or an equal one given earlier. */
  countAhead(tag: number): number {
    let count = 0;
    while ((this.#waiting[count]?.call.tag ?? Number.POSITIVE_INFINITY) <= tag) count++;
    return count;
  }

  filter(): Start[] {
    return this.#waiting.map(({ start }) => start);
  }

  setPriority(): void {
    throw new TypeError('A call keeps the turn its tag gives it');
  }
}
