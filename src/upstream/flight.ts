import type { LearnedSizes } from './account-sizes.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { ApiKeys } from './api-keys.ts';
import type { Breakers } from './breakers.ts';
import type { Call } from './call.ts';
import { type Clock, readInstant } from './clock.ts';
import type { HttpClient } from './http.ts';
import type { Answer } from './kept-answer.ts';
import type { Operation } from './operation.ts';
import type { QueuedCall as Place } from './queued-call.ts';
import { parseResponse } from './parse-response.ts';
import type { AnnouncedRateLimit } from './rate-limit-headers.ts';
import { toEnded, toMonthSpent } from './refusals.ts';
import type { ExplainRefusedKey } from './refused-keys.ts';
import type { Retries } from './retries.ts';
import { parseThrottleHeaders } from './retry-after.ts';
import { toFailure, UpstreamError } from './upstream-error.ts';

/** A call under way, waiting for its turn or sent, and everybody who wants its answer. */
export interface Flight {
  /** Waits for the answer too. */
  join(operation: Operation): Promise<Answer>;
  /** Whether it has left the queue: its answer can be from before whatever happens now. */
  isSent(): boolean;
  /** Ends it with this error, unless it has been sent. */
  cancel(error: UpstreamError): void;
}

const isRateLimited = (error: unknown) => error instanceof UpstreamError && error.kind === 'rateLimited';

/** What flights are made with. */
export interface FlightOptions {
  readonly http: HttpClient;
  readonly cache: AnswerCache;
  readonly learnedSizes: LearnedSizes;
  readonly clock: Clock;
  readonly apiKeys: ApiKeys;
  readonly breakers: Breakers;
  readonly retries: Retries;
  readonly explainRefusedKey: ExplainRefusedKey;
  readonly call: Call<unknown>;
  /** Whose turn it waits for. */
  readonly leader: Operation;
  /** Is told when it is over, whatever came of it. */
  readonly onLanding: () => void;
}

/** One operation that waits for a call. */
interface Waiter {
  readonly operation: Operation;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

// Of an answer that has come too late: until its client has come back, and has asked for it.
const LATE_MS = 60_000;
// A longer one would trust a typing error for hours.
const MAX_PAUSE_MS = 300_000;

/** Starts a call: it waits for its turn, is sent, and is made again where that is worth it and somebody can wait for it. */
export function startFlight(options: FlightOptions): Flight {
  const { http, cache, learnedSizes, clock, apiKeys, breakers, retries, explainRefusedKey, call, leader, onLanding } =
    options;
  const { route, target } = call;
  const { share } = leader;
  const { tenant, apiKey } = leader.caller;
  const waiters = new Set<Waiter>();
  // The place in the queue, while it waits there.
  let place: Place | undefined;
  // When its turn there was expected (monotonic ms), as things stood when that was last found out. Whatever puts it off has it found out anew.
  let turnAtMs = 0;
  // Gives up what it waits for; undefined once it has been sent.
  let stopWaiting: (() => void) | undefined;
  // Ends the waiting at whichever place the turn comes first.
  let goAhead = () => {};

  const finish = (settle: (waiter: Waiter) => void) => {
    onLanding();
    for (const waiter of [...waiters]) settle(waiter);
  };

  const cancel = (error: UpstreamError) => {
    if (stopWaiting) finish((waiter) => waiter.reject(error));
  };

  /** Refuses a waiter that cannot have the answer in time. The last one takes the call's turn with it. */
  const refuse = (waitingPlace: Place, waiter: Waiter, leastTurnAtMs?: number) => {
    const refusal = waiter.operation.refusals.of(route, waitingPlace.turnAtMs, leastTurnAtMs);
    if (waiters.size === 1 && refusal.namesTurn) waitingPlace.exchange(refusal.turnAtMs);
    waiter.reject(refusal.error);
  };

  const reconsider = (latestTurnAtMs = Number.POSITIVE_INFINITY) => {
    if (leader.caller.keyBudget.current.slots.view.isMonthSpent()) cancel(toMonthSpent(route));
    const isLate = ({ operation }: Waiter) => turnAtMs > operation.deadlineMs;
    const late = () => [...waiters].filter(isLate);
    turnAtMs = latestTurnAtMs;
    if (!place || late().length === 0) return;
    turnAtMs = place.turnAtMs();
    for (const waiter of late()) refuse(place, waiter, turnAtMs);
  };

  const waitAt = (entered: Place) => {
    place = entered;
    turnAtMs = entered.turnAtMs();
    stopWaiting = () => entered.leave();
    void entered.admitted.then(() => goAhead());
  };

  /** A newcomer's turn can come sooner than that of the large operation whose call it joins: then the call takes that one. */
  const hasten = ({ share: newShare, caller }: Operation) => {
    if (!place || place.isAdmitted() || !place.isBehind(newShare)) return;
    if (caller.keyBudget.current.expectedTurnAtMs(route.routeClass, newShare, target) >= place.turnAtMs()) return;
    place.leave();
    waitAt(caller.keyBudget.current.enter(route.routeClass, newShare, target, reconsider));
  };

  const takeOff = (waiter: Waiter) => {
    waiters.delete(waiter);
    if (waiters.size > 0 || !stopWaiting) return;
    // Nobody wants it and it has not cost anything yet. A call that has been sent is paid for: it ends in the cache.
    stopWaiting();
    stopWaiting = undefined;
    breakers.abandon(tenant, target);
    onLanding();
  };

  /** Waits until it may be sent. Ends never, if all have gone before. */
  const takeTurn = async (isRepeat: boolean): Promise<Place> => {
    const entered = leader.caller.keyBudget.current.enter(route.routeClass, share, target, reconsider, isRepeat);
    if (entered.isAdmitted()) return entered;
    const turn = new Promise<void>((resolve) => {
      goAhead = resolve;
    });
    waitAt(entered);
    for (const { operation } of waiters) operation.meter.wait.start();
    if ([...waiters].some(({ operation }) => turnAtMs > operation.deadlineMs)) reconsider();
    await turn;
    const taken = place ?? entered;
    place = undefined;
    stopWaiting = undefined;
    for (const { operation } of waiters) operation.meter.wait.stop();
    return taken;
  };

  /** Lets some time pass before the call is made again. Ends never, if all have gone before. */
  const pauseUntil = (atMs: number) =>
    new Promise<void>((resolve) => {
      const stop = clock.schedule(atMs, () => {
        stopWaiting = undefined;
        resolve();
      });
      stopWaiting = stop;
    });

  const send = async (turn: Place): Promise<Answer> => {
    leader.meter.cost.calls++;
    leader.pace?.sent();
    const sentAtMs = clock.nowMs();
    let announced: AnnouncedRateLimit | undefined;
    let isRefused = false;
    let isSent = true;
    let release = () => {};
    try {
      const answer = await http.get(target, route.template, apiKey, tenant);
      release = answer.release;
      const answeredAt = readInstant(clock);
      const throttle = parseThrottleHeaders(answer.headers, answeredAt.epochMs);
      announced = throttle.rateLimit;
      const head = { throttle, answeredAtMs: answeredAt.atMs, secret: apiKey.reveal() };
      const value = await parseResponse(answer, call, head);
      succeed();
      apiKeys.accept(tenant);
      const updatedAt = call.updatedAtOf?.(value) ?? null;
      cache.set(tenant, target, { outcome: { value }, bytes: answer.heapBytes, updatedAt, sentAtMs });
      // Whoever has waited for it was told to come back.
      if (waiters.size === 0 && leader.ended.reason === 'deadline')
        cache.holdOver(tenant, [target], clock.nowMs() + LATE_MS);
      for (const [shown, shownAt] of call.shows?.(value) ?? []) {
        if (shownAt !== null) cache.renew(tenant, shown, shownAt);
      }
      const sizes = call.sizes?.(value);
      if (sizes) learnedSizes.learn(tenant, sizes, sentAtMs);
      return { value, bytes: answer.heapBytes };
    } catch (thrown) {
      const error = explainRefusedKey(thrown, apiKey);
      // Before the call is settled, because that sends what waits.
      if (error instanceof UpstreamError) takeIn(error, sentAtMs);
      isRefused = isRateLimited(error);
      isSent = !(error instanceof UpstreamError && error.isConnectFailure);
      throw error;
    } finally {
      release();
      if (isSent) turn.settle(announced, isRefused);
      else {
        leader.meter.cost.calls--;
        turn.giveBack();
      }
    }
  };

  /** Upstream has answered, whatever it said. */
  const succeed = () => {
    breakers.succeeded(tenant);
    retries.earn(tenant);
  };

  const waitMsOf = (error: UpstreamError) => Math.max(0, (error.retryAtMs ?? 0) - clock.nowMs());

  /** What an error means for all others. */
  const takeIn = (error: UpstreamError, sentAtMs: number) => {
    switch (error.kind) {
      case 'rateLimited':
        succeed();
        leader.caller.keyBudget.current.slots.pause(clock.nowMs() + Math.min(MAX_PAUSE_MS, waitMsOf(error)));
        return;
      case 'quotaExhausted':
        succeed();
        // There are other allowances, of single features; and headers that speak of the month are read with every answer.
        if (error.upstreamName?.toLowerCase() === 'servicelimitexhausted')
          leader.caller.keyBudget.current.slots.spendMonth();
        apiKeys.accept(tenant);
        return;
      case 'unauthenticated':
        succeed();
        cache.dropTenant(tenant);
        learnedSizes.dropTenant(tenant, clock.nowMs());
        apiKeys.refuse(tenant, error);
        return;
      case 'forbidden':
      case 'notFound':
      case 'badInput':
        succeed();
        apiKeys.accept(tenant);
        // What was there before is not to be shown any more.
        cache.set(tenant, target, {
          outcome: { failure: toFailure(error) },
          bytes: error.message.length,
          updatedAt: null,
          sentAtMs,
        });
        return;
      case 'unavailable':
      case 'unreachable':
      case 'serverError':
      case 'timeout':
        breakers.failed(tenant, {
          route: route.template,
          key: target,
          isConnectFailure: error.isConnectFailure ?? false,
          isTimeout: error.kind === 'timeout',
          ...(error.kind === 'unreachable' && { unreachable: error.message }),
        });
        return;
      case 'badResponse':
      case 'busy':
        // Of no use, but an answer.
        succeed();
        return;
      default:
    }
  };

  /** When a failed call is worth another try (monotonic ms). */
  const repeatAtMs = (error: UpstreamError, isRetry: boolean): number | undefined => {
    if (isRateLimited(error)) return clock.nowMs() + waitMsOf(error);
    if (isRetry || breakers.isOpen(tenant)) return undefined;
    const delayMs = retries.spend(tenant, error);
    return delayMs === undefined ? undefined : clock.nowMs() + delayMs;
  };

  const fly = async () => {
    let isRetry = false;
    for (let isRepeat = false; ; isRepeat = true) {
      const turn = await takeTurn(isRepeat);
      try {
        const answer = await send(turn);
        finish((waiter) => waiter.resolve(answer));
        return;
      } catch (error) {
        if (!(error instanceof UpstreamError) || waiters.size === 0) throw error;
        const againAtMs = repeatAtMs(error, isRetry);
        if (againAtMs === undefined) throw error;
        for (const waiter of [...waiters]) if (againAtMs > waiter.operation.deadlineMs) waiter.reject(error);
        if (waiters.size === 0) throw error;
        // After a 429 the budget itself waits.
        if (isRateLimited(error)) continue;
        isRetry = true;
        await pauseUntil(againAtMs);
      }
    }
  };

  const flight: Flight = {
    cancel,
    isSent: () => stopWaiting === undefined,
    join: (operation) =>
      new Promise((resolve, reject) => {
        const leave = () => {
          forgetEnd();
          if (place) operation.meter.wait.stop();
          takeOff(waiter);
        };
        const waiter: Waiter = {
          operation,
          resolve(answer) {
            leave();
            resolve(answer);
          },
          reject(error) {
            leave();
            reject(error);
          },
        };
        const onEnd = () => {
          if (place && operation.ended.reason === 'deadline') refuse(place, waiter);
          else waiter.reject(toEnded(route, operation));
        };
        waiters.add(waiter);
        if (place) operation.meter.wait.start();
        const forgetEnd = operation.waitFor({ turnAtMs: () => (place ? turnAtMs : 0), end: onEnd });
        if (operation.ended.aborted) {
          onEnd();
          return;
        }
        if (operation !== leader) hasten(operation);
        if (turnAtMs > operation.deadlineMs) reconsider();
      }),
  };
  fly().catch((error: unknown) => finish((waiter) => waiter.reject(error)));
  return flight;
}
