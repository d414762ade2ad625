import type { Call } from '../postman/call.ts';
import { type CallServices, sendCall, toWaitMs } from './send-call.ts';
import type { ReceivedResponse } from '../cache/cached-response.ts';
import type { Operation } from './operation/operation.ts';
import type { QueuedCall } from '../rate-limiter/queue/queued-call.ts';
import { toEnded, toQuotaExhausted } from './local-errors.ts';
import { UpstreamError } from '../http/upstream-error.ts';

type State =
  /** It waits for a slot. `slotAtMs`: when that is expected, or at the latest (monotonic ms). */
  | { readonly is: 'queued'; readonly slot: QueuedCall; slotAtMs: number }
  | { readonly is: 'backingOff'; readonly cancel: () => void }
  | { readonly is: 'starting' | 'sent' | 'done' };

/** One operation that waits for the answer. */
interface Waiter {
  readonly operation: Operation;
  /** It does not end with its operation any more. */
  readonly cancelWait: () => void;
  readonly resolve: (response: ReceivedResponse) => void;
  readonly reject: (error: unknown) => void;
}

const isRateLimited = (error: unknown): error is UpstreamError =>
  error instanceof UpstreamError && error.kind === 'rateLimited';

// Of an answer that has come too late: until its client has come back, and has asked for it.
const LATE_MS = 60_000;

/**
 * A call that is in flight, and every operation that waits for its answer.
 *
 * It is `queued` until it has a slot, `sent` until it is answered, and then `done`. After a 429 it is queued again; after a failure that is worth a
 * second try it is `backingOff` first. A call that is queued or backing off costs nothing: it ends with its last waiter.
 * A call that is sent is paid for, and ends in the cache also when nobody waits any more.
 */
export class InFlightCall {
  readonly call: Call<unknown>;
  readonly #services: CallServices;
  readonly #initiator: Operation;
  readonly #onSettled: () => void;
  readonly #waiters = new Set<Waiter>();
  #state: State = { is: 'starting' };
  #isRetry = false;

  /**
   * Starts it: at once where there is a free slot.
   *
   * @param initiator - The operation that asked for it first: the call has its key, and stands in the queue in its name.
   * @param onSettled - Is called when it is over, whatever came of it, and can be joined no more.
   */
  constructor(services: CallServices, call: Call<unknown>, initiator: Operation, onSettled: () => void) {
    this.call = call;
    this.#services = services;
    this.#initiator = initiator;
    this.#onSettled = onSettled;
    this.#enterQueue(false);
  }

  /** Whether it has got its slot: its answer can be from before whatever happens now. */
  isSent(): boolean {
    return this.#state.is === 'sent';
  }

  /** Waits for the answer too. */
  join(operation: Operation): Promise<ReceivedResponse> {
    return new Promise((resolve, reject) => {
      const cancelWait = operation.waitFor({ slotAtMs: () => this.#slotAtMs(), end: () => this.#onEnd(waiter) });
      const waiter: Waiter = { operation, cancelWait, resolve, reject };
      this.#waiters.add(waiter);
      if (this.#state.is === 'queued') operation.meter.wait.start();
      if (operation.ended.aborted) {
        this.#onEnd(waiter);
        return;
      }
      if (operation !== this.#initiator) this.#takeEarlierSlot(operation);
      if (this.#isLate(waiter)) this.#refuseLate();
    });
  }

  /** Ends it with this error, unless it has been sent. */
  cancel(error: UpstreamError): void {
    if (this.#state.is !== 'queued' && this.#state.is !== 'backingOff') return;
    for (const waiter of [...this.#waiters]) this.#reject(waiter, error);
  }

  #slotAtMs(): number {
    return this.#state.is === 'queued' ? this.#state.slotAtMs : 0;
  }

  #isLate({ operation }: Waiter): boolean {
    return this.#slotAtMs() > operation.deadlineMs;
  }

  #lateWaiters(): readonly Waiter[] {
    return [...this.#waiters].filter((waiter) => this.#isLate(waiter));
  }

  #enterQueue(isRepeat: boolean): void {
    this.#state = { is: 'starting' };
    const { caller, fairShare } = this.#initiator;
    const { route, target } = this.call;
    const slot = caller.keyBudget.current.enter(route.routeClass, fairShare, target, this.#onDelay, isRepeat);
    if (slot.isAdmitted()) {
      this.#send(slot);
      return;
    }
    this.#waitFor(slot);
    for (const { operation } of this.#waiters) operation.meter.wait.start();
    if (this.#lateWaiters().length > 0) this.#refuseLate();
  }

  #waitFor(slot: QueuedCall): void {
    this.#state = { is: 'queued', slot, slotAtMs: slot.slotAtMs() };
    void slot.admitted.then(() => this.#onAdmitted(slot));
  }

  #onAdmitted(slot: QueuedCall): void {
    // The last waiter can have gone since.
    if (this.#state.is !== 'queued') {
      slot.giveBack();
      return;
    }
    for (const { operation } of this.#waiters) operation.meter.wait.stop();
    this.#send(slot);
  }

  /** A small operation may get a slot earlier than the large one whose call it joins; if so, the call takes that one. */
  #takeEarlierSlot({ fairShare, caller }: Operation): void {
    if (this.#state.is !== 'queued') return;
    const { slot } = this.#state;
    const { route, target } = this.call;
    const budget = caller.keyBudget.current;
    if (slot.isAdmitted() || !slot.isBehind(fairShare)) return;
    if (budget.expectedSlotAtMs(route.routeClass, fairShare, target) >= slot.slotAtMs()) return;
    slot.leave();
    this.#waitFor(budget.enter(route.routeClass, fairShare, target, this.#onDelay));
  }

  /** Its slot may come later than expected, at `latestSlotAtMs` at the latest. */
  readonly #onDelay = (latestSlotAtMs: number): void => {
    if (this.#state.is === 'queued') this.#state.slotAtMs = latestSlotAtMs;
    this.#refuseLate();
  };

  /** Refuses every waiter that cannot have the answer in time, as its slot is expected now. */
  #refuseLate(): void {
    const state = this.#state;
    const { caller } = this.#initiator;
    if (caller.keyBudget.current.slots.view.isMonthlyQuotaExhausted()) this.cancel(toQuotaExhausted(this.call.route));
    if (state.is !== 'queued' || this.#lateWaiters().length === 0) return;
    state.slotAtMs = state.slot.slotAtMs();
    for (const waiter of this.#lateWaiters()) this.#refuse(waiter, state.slot, state.slotAtMs);
  }

  /** Refuses a waiter until the call would get its slot. The last one takes the call's position in the queue with it. */
  #refuse(waiter: Waiter, slot: QueuedCall, earliestSlotAtMs?: number): void {
    const refusal = waiter.operation.refusals.of(this.call.route, slot.slotAtMs, earliestSlotAtMs);
    if (this.#waiters.size === 1 && refusal.reservesSlot) slot.swapForReservation(refusal.slotAtMs);
    this.#reject(waiter, refusal.error);
  }

  #onEnd(waiter: Waiter): void {
    const { operation } = waiter;
    if (this.#state.is === 'queued' && operation.ended.reason === 'deadline') this.#refuse(waiter, this.#state.slot);
    else this.#reject(waiter, toEnded(this.call.route, operation));
  }

  #send(slot: QueuedCall): void {
    this.#state = { is: 'sent' };
    sendCall(this.#services, this.call, this.#initiator, slot)
      .then((response) => this.#resolve(response))
      .catch((error: unknown) => this.#retry(error));
  }

  #resolve(response: ReceivedResponse): void {
    const { caller, ended } = this.#initiator;
    const { cache, clock } = this.#services;
    // Every operation that has waited for it comes back for it.
    if (this.#waiters.size === 0 && ended.reason === 'deadline')
      cache.retainForRetry(caller.keyHash, [this.call.target], clock.nowMs() + LATE_MS);
    for (const waiter of [...this.#waiters]) {
      this.#removeWaiter(waiter);
      waiter.resolve(response);
    }
    this.#finish();
  }

  /** Makes a failed call again, where that is worth it and somebody can wait for it. */
  #retry(error: unknown): void {
    const retryAtMs = this.#retryAtMs(error);
    for (const waiter of [...this.#waiters]) {
      if (retryAtMs === undefined || retryAtMs > waiter.operation.deadlineMs) this.#reject(waiter, error);
    }
    if (retryAtMs === undefined || this.#waiters.size === 0) this.#finish();
    // The queue itself waits until upstream takes calls again.
    else if (isRateLimited(error)) this.#enterQueue(true);
    else {
      this.#isRetry = true;
      const cancel = this.#services.clock.schedule(retryAtMs, () => this.#enterQueue(true));
      this.#state = { is: 'backingOff', cancel };
    }
  }

  /** When a failed call is worth another try (monotonic ms); undefined: never. */
  #retryAtMs(error: unknown): number | undefined {
    const { clock, breakers, retryBudget } = this.#services;
    const { keyHash } = this.#initiator.caller;
    if (!(error instanceof UpstreamError) || this.#waiters.size === 0) return undefined;
    if (isRateLimited(error)) return clock.nowMs() + toWaitMs(error, clock);
    if (this.#isRetry || breakers.isOpen(keyHash)) return undefined;
    const delayMs = retryBudget.spend(keyHash, error);
    return delayMs === undefined ? undefined : clock.nowMs() + delayMs;
  }

  #finish(): void {
    this.#state = { is: 'done' };
    this.#onSettled();
  }

  #reject(waiter: Waiter, error: unknown): void {
    this.#removeWaiter(waiter);
    waiter.reject(error);
  }

  #removeWaiter(waiter: Waiter): void {
    waiter.cancelWait();
    if (this.#state.is === 'queued') waiter.operation.meter.wait.stop();
    this.#waiters.delete(waiter);
    if (this.#waiters.size === 0) this.#abandon();
  }

  /** Nobody waits any more. */
  #abandon(): void {
    if (this.#state.is === 'queued') this.#state.slot.leave();
    else if (this.#state.is === 'backingOff') this.#state.cancel();
    else return;
    this.#services.breakers.abandon(this.#initiator.caller.keyHash, this.call.target);
    this.#finish();
  }
}
