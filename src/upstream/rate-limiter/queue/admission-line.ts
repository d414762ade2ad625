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
 * The entries of one route class. A paused p-queue holds those that wait, and is started for each served one alone. A
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

  /** Adds an entry. If it is not served at once, `hold` has to follow. */
  add(entry: QueueEntry): void {
    this.order.add(entry);
  }

  /** Has p-queue hold an added entry, unless it has been served: most calls find a free slot, and need no task. */
  hold(entry: QueueEntry): void {
    if (this.order.has(entry)) void this.#queue.add(() => this.#queue.pause(), { entry, line: this });
  }

  /** Removes an entry that has been served. */
  serve(entry: QueueEntry): void {
    if (this.#starts.has(entry)) {
      this.#served = entry;
      this.#queue.start();
    } else if (this.order.has(entry)) this.order.serve(entry);
  }

  /** Removes an entry that was not served. Returns whether it was in the line. */
  remove(entry: QueueEntry): boolean {
    this.#starts.delete(entry);
    return this.order.has(entry) && this.order.remove(entry);
  }

  /** For p-queue only: holds an entry. */
  enqueue(entry: QueueEntry, start: Start): void {
    this.#starts.set(entry, start);
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
