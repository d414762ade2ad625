import type { Clock } from '../../clock.ts';
import type { RouteClass } from '../../postman/route-class.ts';
import type { StoredSlotRequest, SlotChange, StoredSlots } from './exchange.ts';
import type { SlotMirror } from './slot-mirror.ts';
import type { SlotStore } from './slot-store.ts';

/** A change that has not been sent to the store yet, or not been confirmed. */
export interface PendingChange {
  toStored(nowMs: number): SlotChange;
  /** Applies it to the mirror until the store's reply contains it. */
  readonly show?: ((mirror: SlotMirror) => void) | undefined;
  /** Called with the result that the store reports for the change. */
  readonly done?: ((result: boolean) => void) | undefined;
  /** Dropped if the store is lost: `done` is called with false. Default: sent again when the store is back. */
  readonly isTransient?: boolean;
}

/** A request for slots. */
export interface PendingRequest {
  readonly id: string;
  readonly routeClass: RouteClass;
  /** For a reservation: the name of its call in the store. */
  readonly key?: string | undefined;
  toStored(): StoredSlotRequest;
  /** @param slots - undefined: the store did not reply. */
  done(slots: StoredSlots | undefined): void;
}

/** A move of the slots in use under the name `from` to the name `to`. */
interface Import {
  readonly from: string;
  readonly to: string;
  readonly show: (mirror: SlotMirror) => void;
}

interface DatedChange extends PendingChange {
  readonly atMs: number;
}

interface Batch {
  readonly changes: readonly DatedChange[];
  readonly request: PendingRequest | undefined;
}

/** Options of `Outbox`. */
export interface OutboxOptions {
  readonly store: SlotStore;
  readonly mirror: SlotMirror;
  readonly clock: Clock;
  /** Called when slots that were predicted before are delayed. */
  readonly onDelay: () => void;
  /** Called when the store can be reached again. */
  readonly onRecovered: () => void;
}

/**
 * Sends the store the changes of one key's slots, in order, and the requests for slots. After each reply it updates the
 * mirror and applies the changes that the reply cannot contain yet. While the store cannot be reached, changes wait and
 * requests are refused.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #name: string;
  #changes: DatedChange[] = [];
  #requests: PendingRequest[] = [];
  #imports: Import[] = [];
  readonly #sent: Batch[] = [];
  #isFlushing = false;
  #isImporting = false;

  /** @param name - Name of the key or user in the store. */
  constructor(name: string, options: OutboxOptions) {
    this.#name = name;
    this.#options = options;
  }

  request(request: PendingRequest): void {
    this.#requests.push(request);
    this.#flushSoon();
  }

  change(change: PendingChange): void {
    change.show?.(this.#options.mirror);
    this.#changes.push({ ...change, atMs: this.#options.clock.nowMs() });
    this.#flushSoon();
  }

  /** Takes over the slots in use under another name of the same user. Until that is done nothing is granted. */
  importFrom(from: string, show: (mirror: SlotMirror) => void = () => {}): void {
    if (from !== this.#name) this.#imports.push({ from, to: this.#name, show });
    this.#flushSoon();
  }

  /** Takes over the unsent changes of another outbox, and the slots in use under its name. */
  absorb(other: Outbox): void {
    const { mirror } = other.#options;
    const show = (target: SlotMirror) => target.absorb(mirror);
    show(this.#options.mirror);
    // The other mirror, absorbed above, contains these changes already.
    this.#changes.push(...other.#changes.map(({ show: _show, ...change }) => change));
    other.#changes = [];
    this.importFrom(other.#name, show);
  }

  /** Waits for the store to recover, then sends the changes. Refuses the requests. */
  readonly wait = () => {
    const { store, clock } = this.#options;
    // The slots of older changes are free by now.
    const oldestMs = clock.nowMs() - store.closeMs;
    const changes = this.#changes;
    this.#changes = changes.filter(({ atMs, isTransient }) => !isTransient && atMs > oldestMs);
    // Without changes to send, a key that is no longer used may be garbage-collected.
    store.onceRecovered(this.#changes.length > 0 ? this.#strongOnRecovered : this.#weakOnRecovered);
    for (const { isTransient, done } of changes) if (isTransient) done?.(false);
    for (const { done } of this.#requests.splice(0)) done(undefined);
  };

  readonly #onRecovered = () => {
    this.#options.onRecovered();
    this.#flush();
  };

  readonly #weakOnRecovered = new WeakRef(this.#onRecovered);
  readonly #strongOnRecovered = { deref: () => this.#onRecovered };

  /** Defers sending by a microtask, so that changes made together are sent together. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { store } = this.#options;
    if (!store.isUp()) return this.wait();
    this.#importNext();
    while (store.isUp() && this.#imports.length === 0 && (this.#requests.length > 0 || this.#changes.length > 0)) {
      const batch = { changes: this.#changes, request: this.#requests.shift() };
      this.#changes = [];
      this.#send(batch);
    }
  }

  #send(batch: Batch): void {
    const { store, clock } = this.#options;
    const { changes, request } = batch;
    const nowMs = clock.nowMs();
    this.#sent.push(batch);
    store.exchange(
      this.#name,
      { changes: changes.map((change) => change.toStored(nowMs)), request: request?.toStored() },
      {
        replied: (slots, atMs) => this.#replied(batch, slots, atMs),
        failed: () => this.#failed(batch),
      },
    );
  }

  #replied(batch: Batch, slots: StoredSlots, atMs: number): void {
    const { mirror, onDelay } = this.#options;
    const { changes, request } = batch;
    this.#sent.splice(this.#sent.indexOf(batch), 1);
    const isDelay = mirror.read(slots, atMs);
    const notInReply = [...this.#sent.flatMap((one) => one.changes), ...this.#changes, ...this.#imports];
    for (const { show } of notInReply) show?.(mirror);
    for (const [index, { done }] of changes.entries()) done?.(slots.results[index] === '1');
    request?.done(slots);
    // Another instance found out which user the key belongs to.
    if (slots.movedTo !== undefined && this.#imports.length === 0) {
      this.#imports.push({ from: this.#name, to: slots.movedTo, show: () => {} });
      this.#flushSoon();
    }
    if (isDelay || (request && !slots.isGranted)) onDelay();
  }

  #failed(batch: Batch): void {
    const { changes, request } = batch;
    this.#sent.splice(this.#sent.indexOf(batch), 1);
    this.#changes.unshift(...changes);
    // The store may have granted it without the reply arriving.
    if (request) {
      const { id, key, routeClass } = request;
      this.change({ toStored: () => ({ kind: 'giveBack', id, key, class: routeClass }) });
    }
    request?.done(undefined);
    this.wait();
  }

  /** Makes the next move of slots in use under another name. One at a time. */
  #importNext(): void {
    const [next] = this.#imports;
    if (!next || this.#isImporting) return;
    const { store, clock } = this.#options;
    this.#isImporting = true;
    store.exchange(
      next.from,
      { changes: [{ kind: 'move', to: next.to }], withDump: true },
      {
        replied: ({ dump, pausedUntil, movedTo = next.to }) => {
          this.#isImporting = false;
          this.#imports.shift();
          this.#name = movedTo;
          // Redis' JSON encoder writes an empty list as an object.
          const slots = Array.isArray(dump) ? dump : [];
          const toStored = () => ({ kind: 'import', slots, pausedUntil }) as const;
          this.#changes.unshift({ toStored, show: next.show, atMs: clock.nowMs() });
          this.#flush();
        },
        failed: () => {
          this.#isImporting = false;
          this.wait();
        },
      },
    );
  }
}
