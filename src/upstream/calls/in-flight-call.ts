import type { Call } from '../postman/call.ts';
import { type CallServices, sendCall, toRetryWaitMs } from './send-call.ts';
import type { ReceivedResponse } from '../cache/cached-response.ts';
import type { Operation } from './operation/operation.ts';
import type { QueuedCall } from '../rate-limiter/queue/queued-call.ts';
import { refusalReasonOf, toEnded, toQuotaExhausted } from './local-errors.ts';
import { UpstreamError } from '../http/upstream-error.ts';
import { type CallReports, createCallReports } from './call-reports.ts';
import type { InFlightCallOptions, State, Waiter } from './in-flight-state.ts';
import type { RefusalReason } from '../observer.ts';

const isRateLimited = (error: unknown): error is UpstreamError =>
  error instanceof UpstreamError && error.kind === 'rateLimited';

// How long a response that came after the deadline is retained for the client's retry.
const LATE_MS = 60_000;

/**
 * A call in flight, and all operations that wait for its response.
 *
 * The call is `queued` until it gets a slot, `sent` until the response arrives, and then `done`. After a 429 it is
 * queued again; after a failure that is worth a retry it is `backingOff` first. A queued or backing-off call costs
 * nothing, so it ends when its last waiter leaves. A sent call has used its slot, so its response goes to the cache
 * even if nobody waits any more.
 */
export class InFlightCall {
  readonly call: Call<unknown>;
  readonly #services: CallServices;
  readonly #initiator: Operation;
  readonly #onSettled: () => void;
  readonly #reports: CallReports;
  readonly #waiters = new Set<Waiter>();
  #state: State = { is: 'starting' };
  #hasRetried = false;
  #settled: Promise<void> | undefined;
  #settle = () => {};

  /** Starts the call. It is sent at once if a slot is free, and queued otherwise. */
  constructor({ services, call, initiator, slotAtMs, onSettled }: InFlightCallOptions) {
    this.call = call;
    this.#services = services;
    this.#initiator = initiator;
    this.#onSettled = onSettled;
    this.#reports = createCallReports(services, call, initiator);
    this.#enterQueue(false, slotAtMs);
  }

  /** Resolves when the call has ended in any way. */
  get settled(): Promise<void> {
    return (this.#settled ??= new Promise((resolve) => (this.#settle = resolve)));
  }

  /** Whether the call has been sent: its response may be older than a change made now. */
  isSent(): boolean {
    return this.#state.is === 'sent';
  }

  /** Adds a waiter. Resolves with the response, or rejects when the call fails or the operation cannot wait for it. */
  join(operation: Operation): Promise<ReceivedResponse> {
    return new Promise((resolve, reject) => {
      const cancelWait = operation.waitFor({ slotAtMs: () => this.#slotAtMs(), end: () => this.#onEnd(waiter) });
      const waiter: Waiter = { operation, cancelWait, resolve, reject };
      this.#waiters.add(waiter);
      if (this.#state.is === 'queued') operation.meter.wait.start();
      this.#reports.joined(operation);
      if (operation.ended.aborted) return this.#onEnd(waiter);
      if (operation !== this.#initiator) this.#takeEarlierSlot(operation);
      if (this.#isLate(waiter)) this.#refuseLate();
    });
  }

  /** Ends the call for all waiters with this error, unless it has been sent. */
  cancel(error: UpstreamError): void {
    if (this.#state.is !== 'queued' && this.#state.is !== 'backingOff') return;
    for (const waiter of [...this.#waiters]) this.#reject(waiter, error, refusalReasonOf(error));
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

  #enterQueue(isRetry: boolean, slotAtMs?: number): void {
    this.#state = { is: 'starting' };
    const { caller, fairShare } = this.#initiator;
    const { route, target } = this.call;
    const slot = caller.keyBudget.current.enter(route.routeClass, fairShare, target, this.#onDelay, isRetry);
    if (slot.isAdmitted()) {
      this.#send(slot);
      return;
    }
    this.#reports.queued();
    this.#waitFor(slot, slotAtMs);
    for (const { operation } of this.#waiters) operation.meter.wait.start();
    if (this.#lateWaiters().length > 0) this.#refuseLate();
  }

  #waitFor(slot: QueuedCall, slotAtMs = slot.slotAtMs()): void {
    this.#state = { is: 'queued', slot, slotAtMs };
    void slot.admitted.then(() => this.#onAdmitted(slot));
  }

  #onAdmitted(slot: QueuedCall): void {
    // The last waiter may have left since.
    if (this.#state.is !== 'queued') {
      slot.giveBack();
      return;
    }
    for (const { operation } of this.#waiters) operation.meter.wait.stop();
    this.#reports.dequeued(true);
    this.#send(slot);
  }

  /**
   * A small operation may get a slot earlier than the large one whose call it joins; if so, the call moves to that
   * slot.
   */
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

  /** The slot may come later than expected, but not after `latestSlotAtMs` (monotonic ms). */
  readonly #onDelay = (latestSlotAtMs: number): void => {
    if (this.#state.is === 'queued') this.#state.slotAtMs = latestSlotAtMs;
    this.#refuseLate();
  };

  /** Refuses the waiters whose deadline comes before the slot; all of them if the monthly quota is used up. */
  #refuseLate(): void {
    const state = this.#state;
    const { caller } = this.#initiator;
    if (caller.keyBudget.current.slots.view.isMonthlyQuotaExhausted()) this.cancel(toQuotaExhausted(this.call.route));
    if (state.is !== 'queued' || this.#lateWaiters().length === 0) return;
    state.slotAtMs = state.slot.slotAtMs();
    for (const waiter of this.#lateWaiters()) this.#refuse(waiter, state.slot, state.slotAtMs);
  }

  /**
   * Refuses a waiter, naming the time of the call's slot. For the last waiter the call's position in the queue becomes
   * a reservation.
   */
  #refuse(waiter: Waiter, slot: QueuedCall, earliestSlotAtMs?: number): void {
    const refusal = waiter.operation.refusals.of(this.call.route, slot.slotAtMs, earliestSlotAtMs);
    if (this.#waiters.size === 1 && refusal.reservesSlot) slot.swapForReservation(refusal.slotAtMs);
    this.#reject(waiter, refusal.error, 'deadline');
  }

  #onEnd(waiter: Waiter): void {
    const { operation } = waiter;
    if (this.#state.is === 'queued' && operation.ended.reason === 'deadline') this.#refuse(waiter, this.#state.slot);
    else this.#reject(waiter, toEnded(this.call.route, operation));
  }

  #send(slot: QueuedCall): void {
    this.#state = { is: 'sent' };
    const reportEnd = this.#reports.sent();
    sendCall(this.#services, this.call, this.#initiator, slot)
      .then((response) => this.#resolve(response, reportEnd))
      .catch((error: unknown) => this.#retry(error, reportEnd));
  }

  #resolve(response: ReceivedResponse, reportEnd: () => void): void {
    reportEnd();
    const { caller, ended } = this.#initiator;
    const { cache, clock } = this.#services;
    // The operation that timed out is told to retry, and must then find the response.
    if (this.#waiters.size === 0 && ended.reason === 'deadline')
      cache.retainForRetry(caller.keyHash, [this.call.target], clock.nowMs() + LATE_MS);
    for (const waiter of [...this.#waiters]) {
      this.#removeWaiter(waiter);
      waiter.resolve(response);
    }
    this.#finish();
  }

  /** Repeats a failed call if the error is worth a retry and a waiter has the time for it. */
  #retry(error: unknown, reportEnd: (error: unknown) => void): void {
    reportEnd(error);
    const retryAtMs = this.#retryAtMs(error);
    for (const waiter of [...this.#waiters]) {
      if (retryAtMs === undefined || retryAtMs > waiter.operation.deadlineMs) this.#reject(waiter, error);
    }
    if (retryAtMs === undefined || this.#waiters.size === 0) this.#finish();
    // The queue itself holds calls back until upstream accepts them again.
    else if (isRateLimited(error)) this.#enterQueue(true);
    else {
      this.#hasRetried = true;
      const cancel = this.#services.clock.schedule(retryAtMs, () => this.#enterQueue(true));
      this.#state = { is: 'backingOff', cancel };
    }
  }

  /** When to retry a failed call (monotonic ms); undefined: never. */
  #retryAtMs(error: unknown): number | undefined {
    const { clock, breakers, retryBudget } = this.#services;
    const { keyHash } = this.#initiator.caller;
    if (!(error instanceof UpstreamError) || this.#waiters.size === 0) return undefined;
    if (isRateLimited(error)) return clock.nowMs() + toRetryWaitMs(error, clock);
    if (this.#hasRetried || breakers.isOpen(keyHash)) return undefined;
    const delayMs = retryBudget.spend(keyHash, error);
    return delayMs === undefined ? undefined : clock.nowMs() + delayMs;
  }

  #finish(): void {
    this.#state = { is: 'done' };
    this.#settle();
    this.#onSettled();
  }

  #reject(waiter: Waiter, error: unknown, reason?: RefusalReason): void {
    this.#removeWaiter(waiter);
    if (reason) this.#services.observer.onRefused(reason);
    waiter.reject(error);
  }

  #removeWaiter(waiter: Waiter): void {
    waiter.cancelWait();
    if (this.#state.is === 'queued') waiter.operation.meter.wait.stop();
    this.#waiters.delete(waiter);
    this.#reports.left(waiter.operation);
    if (this.#waiters.size === 0) this.#abandon();
  }

  /** The last waiter has left: ends the call unless it has been sent. */
  #abandon(): void {
    if (this.#state.is === 'queued') {
      this.#state.slot.leave();
      this.#reports.dequeued(false);
    } else if (this.#state.is === 'backingOff') this.#state.cancel();
    else return;
    this.#services.breakers.abandon(this.#initiator.caller.keyHash, this.call.target);
    this.#finish();
  }
}
