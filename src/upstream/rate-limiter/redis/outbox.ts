import type { Clock } from '../../clock.ts';
import type { StoredSlotRequest, SlotChange, StoredSlots } from './exchange.ts';
import type { SlotMirror } from './slot-mirror.ts';
import type { SlotStore } from './slot-store.ts';

/** Something that the store has yet to be told. */
export interface PendingChange {
  toStored(nowMs: number): SlotChange;
  /** Shows it in the mirror until the store does. */
  readonly show?: ((mirror: SlotMirror) => void) | undefined;
  /** Is told what came of it. */
  readonly done?: ((isTrue: boolean) => void) | undefined;
  /** It means nothing any more when the store comes back: then `done` is told false. Default: it is told again. */
  readonly isTransient?: boolean;
}

/** Slots that are wanted. */
export interface PendingRequest {
  readonly id: string;
  /** Of a reservation: the name of its call in the store. */
  readonly key?: string | undefined;
  toStored(): StoredSlotRequest;
  /** @param slots - undefined: the store has not answered. */
  done(slots: StoredSlots | undefined): void;
}

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

/** What an outbox is made with. */
export interface OutboxOptions {
  readonly store: SlotStore;
  readonly mirror: SlotMirror;
  readonly clock: Clock;
  /** Turns have been put off. */
  readonly onDelay: () => void;
  /** The store can be reached again. */
  readonly onRecovered: () => void;
}

/**
 * Tells the store what has happened to the slots of one key, in the order in which it happened, and asks for slots. It has the mirror show what the
 * store says, with what the store has not been told yet. While the store cannot be reached, changes wait, and asks are refused.
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

  /** @param name - Whose slots they are in the store. */
  constructor(name: string, options: OutboxOptions) {
    this.#name = name;
    this.#options = options;
  }

  request(ask: PendingRequest): void {
    this.#requests.push(ask);
    this.#flushSoon();
  }

  change(change: PendingChange): void {
    change.show?.(this.#options.mirror);
    this.#changes.push({ ...change, atMs: this.#options.clock.nowMs() });
    this.#flushSoon();
  }

  /** Takes over what is in use under another name of the same user. Nothing is granted before. */
  importFrom(from: string, show: (mirror: SlotMirror) => void = () => {}): void {
    if (from !== this.#name) this.#imports.push({ from, to: this.#name, show });
    this.#flushSoon();
  }

  /** Takes over what another outbox has yet to tell, and what is in use under its name. */
  absorb(other: Outbox): void {
    const { mirror } = other.#options;
    const show = (target: SlotMirror) => target.absorb(mirror);
    show(this.#options.mirror);
    // They are in what the other mirror shows.
    this.#changes.push(...other.#changes.map(({ show: _show, ...change }) => change));
    other.#changes = [];
    this.importFrom(other.#name, show);
  }

  /** Sends what there is when the store is back. */
  readonly wait = () => {
    const { store, clock } = this.#options;
    // What was settled before has come back anyway.
    const leastMs = clock.nowMs() - store.closeMs;
    const changes = this.#changes;
    this.#changes = changes.filter(({ atMs, isTransient }) => !isTransient && atMs > leastMs);
    // Of a key that is not used any more nothing stays but what has to be told.
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

  /** What is asked for in one go is sent in one piece. */
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
      { changes: changes.map((change) => change.toStored(nowMs)), ask: request?.toStored() },
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
    const later = [...this.#sent.flatMap((one) => one.changes), ...this.#changes, ...this.#imports];
    for (const { show } of later) show?.(mirror);
    for (const [index, { done }] of changes.entries()) done?.(slots.results[index] === '1');
    request?.done(slots);
    // Another instance has found out whose they are.
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
    // It may have been granted all the same.
    if (request)
      this.change({ toStored: () => ({ kind: 'giveBack', id: request.id, key: request.key, class: 'burst' }) });
    request?.done(undefined);
    this.wait();
  }

  /** Has the store count under one name from now on what is in use under another. */
  #importNext(): void {
    const [next] = this.#imports;
    if (!next || this.#isImporting) return;
    const { store, clock } = this.#options;
    this.#isImporting = true;
    store.exchange(
      next.from,
      { changes: [{ kind: 'move', to: next.to }], wantsDump: true },
      {
        replied: ({ dump, pausedUntil, movedTo = next.to }) => {
          this.#isImporting = false;
          this.#imports.shift();
          this.#name = movedTo;
          // JSON of Redis has no empty list.
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
