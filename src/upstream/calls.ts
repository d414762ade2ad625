import type { AnswerCache } from './answer-cache.ts';
import type { Place } from './budget.ts';
import type { RouteClass } from './share.ts';
import { toUpstreamError } from './classify.ts';
import type { Clock } from './clock.ts';
import type { HttpAnswer, HttpClient } from './http.ts';
import { UnexpectedShapeError } from './models.ts';
import type { Operation } from './operation.ts';
import { type AnnouncedRateLimit, parseRateLimitHeaders } from './rate-limit-headers.ts';
import { UpstreamError } from './upstream-error.ts';

/** A route of the Postman API. */
export interface Route {
  /** For example `/collections/{uid}`. */
  readonly template: string;
  readonly routeClass: RouteClass;
}

/** One GET to be made, and how its body is read. Equal targets are equal calls. */
export interface Call<T> {
  readonly route: Route;
  /** Path and query, encoded. */
  readonly target: string;
  /** @throws {UnexpectedShapeError} for a body that is not what the route answers with. */
  readonly parse: (body: unknown) => T;
}

/** Makes calls: from the cache, with somebody else's call under way, or inside the key's budget. */
export interface Calls {
  /**
   * @throws {UpstreamError} of every kind. `rateLimited` by the facade comes at once when the call's turn lies behind the operation's deadline.
   */
  make<T>(call: Call<T>, operation: Operation): Promise<T>;
}

/** One operation that waits for a call. */
interface Waiter {
  readonly operation: Operation;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** A call under way, waiting for its turn or sent, and everybody who wants its answer. */
interface Flight {
  join(operation: Operation): Promise<unknown>;
}

// A pause shorter than this would be a busy loop against an upstream that says "0"; one longer would trust a typing error for hours.
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 300_000;
// Without a hint: what is still under way will be in the cache by then.
const TIMEOUT_RETRY_MS = 10_000;

/** Makes the one place through which every GET goes. */
export function createCalls({ http, cache, clock }: { http: HttpClient; cache: AnswerCache; clock: Clock }): Calls {
  const flights = new Map<string, Flight>();

  const refusal = (route: Route, turnAtMs: number) =>
    new UpstreamError(
      'rateLimited',
      "The API key's budget has no room for this call before the operation's deadline. Ask again at the time given, or send Prefer: wait=<seconds> to wait for longer.",
      {
        route: route.template,
        limitedBy: 'facade',
        retryAtMs: clock.epochMs() + Math.max(0, turnAtMs - clock.nowMs()),
      },
    );

  const endError = (operation: Operation, route: Route) => {
    // Nobody reads this one: the connection to the client is gone.
    if (operation.ended.reason === 'clientGone') {
      return new UpstreamError('timeout', 'The client has gone.', { route: route.template });
    }
    return new UpstreamError('timeout', "Postman did not answer before the operation's deadline.", {
      route: route.template,
      retryAtMs: clock.epochMs() + TIMEOUT_RETRY_MS,
    });
  };

  const startFlight = (key: string, { route, target, parse }: Call<unknown>, leader: Operation): Flight => {
    const { budget, tenant, apiKey, share } = leader;
    const { routeClass } = route;
    const waiters = new Set<Waiter>();
    // The place in the queue; undefined once the call has been sent.
    let place: Place | undefined;
    // Ends the waiting at whichever place the turn comes first.
    let goAhead = () => {};

    const waitAt = (entered: Place) => {
      place = entered;
      void entered.admitted.then(() => goAhead());
    };

    /** A newcomer's turn can come sooner than that of the large operation whose call it joins: then the call takes that one. */
    const hasten = ({ share: newShare }: Operation) => {
      if (!place || place.isAdmitted() || budget.expectedTurnAtMs(routeClass, newShare) >= place.turnAtMs()) return;
      place.leave();
      waitAt(budget.enter(routeClass, newShare));
    };

    /** Refuses waiters that cannot have the answer in time. The last ones take the call's turn with them. */
    const refuse = (waitingPlace: Place, late: readonly Waiter[]) => {
      if (late.length === 0) return;
      const error = refusal(route, late.length === waiters.size ? waitingPlace.exchange() : waitingPlace.turnAtMs());
      for (const waiter of late) waiter.reject(error);
    };

    const refuseWhoCannotWait = () => {
      if (!place) return;
      const turnAtMs = place.turnAtMs();
      refuse(
        place,
        [...waiters].filter(({ operation }) => turnAtMs > operation.deadlineMs),
      );
    };
    const stopListening = budget.onDelay(refuseWhoCannotWait);

    const land = () => {
      if (flights.get(key) === flight) flights.delete(key);
      stopListening();
    };

    const finish = (settle: (waiter: Waiter) => void) => {
      land();
      for (const waiter of [...waiters]) settle(waiter);
    };

    const takeOff = (waiter: Waiter) => {
      waiters.delete(waiter);
      if (waiters.size > 0 || !place) return;
      // Nobody wants it and it has not cost anything yet. A call that has been sent is paid for: it ends in the cache.
      place.leave();
      land();
    };

    const waitMsOf = (error: UpstreamError) => Math.max(0, (error.retryAtMs ?? 0) - clock.epochMs());

    const pauseFor = (waitMs: number) =>
      budget.pause(clock.nowMs() + Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, waitMs)));

    const send = async (): Promise<unknown> => {
      const sentAtMs = clock.nowMs();
      leader.cost.calls++;
      let announced: AnnouncedRateLimit | undefined;
      try {
        const answer = await http.get(target, route.template, apiKey);
        announced = parseRateLimitHeaders(answer.headers, clock.epochMs());
        const value = readAnswer(answer, route, parse, apiKey.reveal(), clock.epochMs());
        cache.set(tenant, target, value, answer.text.length);
        return value;
      } catch (error) {
        // Before the call is settled, because that sends what waits.
        if (isRateLimited(error)) pauseFor(waitMsOf(error));
        throw error;
      } finally {
        budget.settle(routeClass, sentAtMs, announced);
      }
    };

    const fly = async () => {
      for (let isRepeat = false; ; isRepeat = true) {
        const entered = budget.enter(routeClass, share, isRepeat);
        if (!entered.isAdmitted()) {
          const turn = new Promise<void>((resolve) => {
            goAhead = resolve;
          });
          waitAt(entered);
          for (const { operation } of waiters) operation.wait.start();
          refuseWhoCannotWait();
          await turn;
          place = undefined;
          for (const { operation } of waiters) operation.wait.stop();
        }
        try {
          const value = await send();
          finish((waiter) => waiter.resolve(value));
          return;
        } catch (error) {
          if (error instanceof UpstreamError && error.kind === 'unauthenticated') cache.dropTenant(tenant);
          if (!isRateLimited(error)) throw error;
          const retryAtMs = clock.nowMs() + waitMsOf(error);
          for (const waiter of [...waiters]) if (retryAtMs > waiter.operation.deadlineMs) waiter.reject(error);
          if (waiters.size === 0) throw error;
        }
      }
    };

    const flight: Flight = {
      join: (operation) =>
        new Promise((resolve, reject) => {
          const leave = () => {
            operation.ended.removeEventListener('abort', onEnd);
            if (place) operation.wait.stop();
            takeOff(waiter);
          };
          const waiter: Waiter = {
            operation,
            resolve(value) {
              leave();
              resolve(value);
            },
            reject(error) {
              leave();
              reject(error);
            },
          };
          const onEnd = () => {
            if (place && operation.ended.reason === 'deadline') refuse(place, [waiter]);
            else waiter.reject(endError(operation, route));
          };
          waiters.add(waiter);
          if (place) operation.wait.start();
          operation.ended.addEventListener('abort', onEnd);
          if (operation.ended.aborted) {
            onEnd();
            return;
          }
          if (operation !== leader) hasten(operation);
          refuseWhoCannotWait();
        }),
    };
    flights.set(key, flight);
    fly().catch((error: unknown) => finish((waiter) => waiter.reject(error)));
    return flight;
  };

  return {
    async make<T>(call: Call<T>, operation: Operation): Promise<T> {
      const { tenant, budget, share, deadlineMs } = operation;
      const kept = cache.get(tenant, call.target);
      if (kept) {
        operation.cost.cached++;
        return kept.value as T;
      }
      const key = `${tenant} ${call.target}`;
      const underWay = flights.get(key);
      if (underWay) {
        operation.cost.coalesced++;
        return (await underWay.join(operation)) as T;
      }
      const { template, routeClass } = call.route;
      if (operation.ended.aborted) throw endError(operation, call.route);
      if (operation.askedCalls >= operation.maxCalls) {
        throw new UpstreamError(
          'tooExpensive',
          `The operation needs more than the ${operation.maxCalls} calls to Postman it may make (MAX_CALLS_PER_OPERATION).`,
          {
            route: template,
            calls: operation.askedCalls,
            ceiling: operation.maxCalls,
          },
        );
      }
      // Asked for is asked for, also when it is refused: past the ceiling no waiting helps, and the client has to learn that.
      operation.askedCalls++;
      if (budget.expectedTurnAtMs(routeClass, share) > deadlineMs)
        throw refusal(call.route, budget.promiseTurnAtMs(routeClass, share));
      return (await startFlight(key, call, operation).join(operation)) as T;
    },
  };
}

function readAnswer<T>(
  { status, headers, text }: HttpAnswer,
  route: Route,
  parse: (body: unknown) => T,
  secret: string,
  nowMs: number,
): T {
  if (status !== 200) {
    throw toUpstreamError({
      route: route.template,
      status,
      headers,
      body: parseJsonOrText(text),
      nowMs,
      burst: route.routeClass === 'burst',
      secret,
    });
  }
  const unusable = (message: string, cause?: unknown) =>
    new UpstreamError('badResponse', message, { route: route.template, status, ...(cause !== undefined && { cause }) });
  const type = String(headers['content-type'] ?? '');
  if (!/[/+]json\b/i.test(type.slice(0, 200))) throw unusable('Postman answered with something else than JSON.');
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof UnexpectedShapeError)
      throw unusable(`Postman's answer is not what this route answers with. ${error.message}`, error);
    // Without the cause: its message quotes the body, which can be anything.
    if (error instanceof SyntaxError) throw unusable("Postman's answer is not valid JSON.");
    throw error;
  }
}

function isRateLimited(error: unknown): error is UpstreamError {
  return error instanceof UpstreamError && error.kind === 'rateLimited';
}

function parseJsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Gateways answer errors in HTML or not at all; the status says enough.
    return text.slice(0, 2_000);
  }
}
