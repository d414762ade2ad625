import PQueue, { type Queue, type QueueAddOptions } from 'p-queue';
import { FairQueue, type Queued } from './fair-queue.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import type { SlotRequest } from '../slot-source.ts';

/** A call or reservation that waits for slots. */
export interface QueueEntry extends Queued {
  readonly routeClass: RouteClass;
  readonly key: string;
  /** Called when it is next: requests its slots. `isServed`: it leaves the queue. */
  requestSlots(request: SlotRequest, done: (isServed: boolean) => void): void;
}

type Start = () => Promise<unknown>;
type LineOptions = QueueAddOptions & { readonly entry?: QueueEntry; readonly line?: AdmissionLine };

/** Adapter to p-queue, which constructs it without arguments: it gets its line with the first entry. */
class LineEntries implements Queue<Start, LineOptions> {
  #line: AdmissionLine | undefined;

  get size() {
    return this.#line?.waiting ?? 0;
  }

  enqueue(start: Start, { entry, line }: Partial<LineOptions> = {}) {
    if (!entry || !line) throw new TypeError('Only entries of a line can be added');
    this.#line = line;
    line.enqueue(entry, start);
  }

  dequeue() {
    return this.#line?.dequeue();
  }

  filter() {
    return [];
  }

  setPriority() {
    throw new TypeError('The position of an entry cannot change');
  }
}

/**
 * The waiting entries of one route class, held by a paused p-queue, which is started for each served entry alone. A
 * task ends at once: p-queue's count of running tasks would not fit, because a slot outlives its call by one window.
 */
export class AdmissionLine {
  readonly order: FairQueue<QueueEntry>;
  readonly #starts = new Map<QueueEntry, Start>();
  readonly #queue = new PQueue<LineEntries, LineOptions>({ autoStart: false, queueClass: LineEntries });
  #served: QueueEntry | undefined;

  /** @param maxPasses - See `FairQueue`. */
  constructor(maxPasses: number) {
    this.order = new FairQueue(maxPasses);
  }

  get waiting(): number {
    return this.#starts.size;
  }

  add(entry: QueueEntry): void {
    void this.#queue.add(() => this.#queue.pause(), { entry, line: this });
  }

  /** Removes an entry that has been served. */
  serve(entry: QueueEntry): void {
    if (!this.#starts.has(entry)) return;
    this.#served = entry;
    this.#queue.start();
  }

  /** Removes an entry that was not served. Returns whether it was waiting. */
  remove(entry: QueueEntry): boolean {
    return this.#starts.delete(entry) && this.order.remove(entry);
  }

  /** For p-queue only: adds an entry. */
  enqueue(entry: QueueEntry, start: Start): void {
    this.#starts.set(entry, start);
    this.order.add(entry);
  }

  /** For p-queue only: takes the served entry out. */
  dequeue(): Start | undefined {
    const served = this.#served;
    this.#served = undefined;
    const start = served && this.#starts.get(served);
    if (served && this.#starts.delete(served)) this.order.serve(served);
    return start;
  }
}
