import PQueue, { type Queue, type QueueAddOptions } from 'p-queue';
import { FairQueue, type Queued } from './fair-queue.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import type { SlotRequest } from '../slot-source.ts';

/** Something that waits for slots. */
export interface QueueEntry extends Queued {
  readonly routeClass: RouteClass;
  readonly key: string;
  /** Its turn has come: it asks for its slots, and says whether it has been served and leaves the queue. */
  requestSlots(request: SlotRequest, done: (isServed: boolean) => void): void;
}

type Start = () => Promise<unknown>;
type LineOptions = QueueAddOptions & { readonly entry?: QueueEntry; readonly line?: AdmissionLine };

/** What p-queue holds of a line. It is made without arguments, and learns of its line with the first entry. */
class LineEntries implements Queue<Start, LineOptions> {
  #line: AdmissionLine | undefined;

  get size() {
    return this.#line?.waiting ?? 0;
  }

  enqueue(start: Start, { entry, line }: Partial<LineOptions> = {}) {
    if (!entry || !line) throw new TypeError('Only entries of the line wait here');
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
    throw new TypeError('An entry keeps its position');
  }
}

/**
 * What waits of one route class. p-queue holds it, and stays paused: it is opened for the one entry that has been served. The task ends with that,
 * because a slot outlives its call by one window, and p-queue's own count of running tasks knows nothing of it.
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

  /** It has been served, and stands there no longer. */
  serve(entry: QueueEntry): void {
    if (!this.#starts.has(entry)) return;
    this.#served = entry;
    this.#queue.start();
  }

  /** It waits no longer. Returns whether it did. */
  remove(entry: QueueEntry): boolean {
    return this.#starts.delete(entry) && this.order.remove(entry);
  }

  /** For p-queue alone: an entry that it has been given. */
  enqueue(entry: QueueEntry, start: Start): void {
    this.#starts.set(entry, start);
    this.order.add(entry);
  }

  /** For p-queue alone: the entry that has been served. */
  dequeue(): Start | undefined {
    const served = this.#served;
    this.#served = undefined;
    const start = served && this.#starts.get(served);
    if (served && this.#starts.delete(served)) this.order.serve(served);
    return start;
  }
}
