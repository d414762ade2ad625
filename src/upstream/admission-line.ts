import PQueue, { type Queue, type QueueAddOptions } from 'p-queue';
import { FairQueue, type Queued } from './fair-queue.ts';
import type { RouteClass } from './share.ts';
import type { SlotRequest } from './slot-source.ts';

/** Something that waits for slots. */
export interface QueueEntry extends Queued {
  readonly routeClass: RouteClass;
  readonly key: string;
  /** Its turn has come: it asks for its slots, and says whether it has been served and leaves the queue. */
  ask(request: SlotRequest, done: (isServed: boolean) => void): void;
}

/** What waits of one route class. */
export interface AdmissionLine {
  readonly order: FairQueue<QueueEntry>;
  add(entry: QueueEntry): void;
  /** It has been served, and stands there no longer. */
  serve(entry: QueueEntry): void;
  /** It waits no longer. Returns whether it did. */
  remove(entry: QueueEntry): boolean;
}

type Start = () => Promise<unknown>;
type LineOptions = QueueAddOptions & { readonly entry?: QueueEntry };

/**
 * Makes an empty line. p-queue holds what waits, and stays paused: it is opened for the one entry that has been served. The task ends with that,
 * because a slot outlives its call by one window, and p-queue's own count of running tasks knows nothing of it.
 */
export function createAdmissionLine(maxPasses: number): AdmissionLine {
  const order = new FairQueue<QueueEntry>(maxPasses);
  const starts = new Map<QueueEntry, Start>();
  let served: QueueEntry | undefined;

  const remove = (entry: QueueEntry) => starts.delete(entry) && order.remove(entry);

  class ServedEntries implements Queue<Start, LineOptions> {
    get size() {
      return starts.size;
    }
    enqueue(start: Start, { entry }: Partial<LineOptions> = {}) {
      if (!entry) throw new TypeError('Only entries of the line wait here');
      starts.set(entry, start);
      order.add(entry);
    }
    dequeue() {
      const start = served && starts.get(served);
      if (served && starts.delete(served)) order.serve(served);
      served = undefined;
      return start;
    }
    filter() {
      return [...starts.values()];
    }
    setPriority() {
      throw new TypeError('An entry keeps its position');
    }
  }
  const queue = new PQueue<ServedEntries, LineOptions>({ autoStart: false, queueClass: ServedEntries });

  return {
    order,
    add: (entry) => void queue.add(() => queue.pause(), { entry }),
    serve(entry) {
      if (!starts.has(entry)) return;
      served = entry;
      queue.start();
    },
    remove,
  };
}
