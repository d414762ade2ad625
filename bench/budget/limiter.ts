import { createResponseCache } from '../../src/upstream/cache/response-cache.ts';
import { Budget, type BudgetOptions } from '../../src/upstream/rate-limiter/budget.ts';
import { createBudgetRegistry } from '../../src/upstream/rate-limiter/budget-registry.ts';
import { createCalls } from '../../src/upstream/calls/calls.ts';
import type { Clock } from '../../src/upstream/clock.ts';
import type { HttpClient } from '../../src/upstream/http/http-client.ts';
import { uncountedResponses } from '../../src/upstream/calls/operation/held-responses.ts';
import { openOperation } from '../../src/upstream/calls/operation/operation.ts';
import { Secret } from '../../src/upstream/http/secret.ts';
import { createFairShare } from '../../src/upstream/rate-limiter/queue/fair-share.ts';

/** How the limiter under test is configured. */
export interface LimiterSettings
  extends Pick<BudgetOptions, 'general' | 'burst' | 'reservedCalls' | 'maxConcurrentCalls'> {
  readonly cacheTtlMs: number;
  /** Behaviour after a start, when earlier calls are unknown: probe, or wait until upstream has forgotten them. */
  readonly coldStart: 'probe' | 'wait';
}

/** One operation of the limiter under test. */
export interface OpenedOperation {
  /** Makes a call. @throws {UpstreamError} If it fails. */
  get(target: string, isBurst: boolean): Promise<unknown>;
  /** Ends the operation: it makes no more calls. */
  close(): void;
}

/** The program under test, without GraphQL and HTTP. */
export interface Limiter {
  open(operation: {
    readonly key: string;
    readonly timeoutMs: number;
    readonly maxCalls: number;
    readonly clientGone: AbortSignal;
  }): OpenedOperation;
}

const ROUTES = {
  general: { template: '/collections/{uid}', routeClass: 'general' },
  burst: { template: '/collections', routeClass: 'burst' },
} as const;

/** Builds the limiter as a process does when it starts. Only this function knows its parts. */
export function createLimiter({
  settings: { cacheTtlMs, ...settings },
  http,
  clock,
  random,
  processStartedAtMs,
}: {
  readonly settings: LimiterSettings;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly processStartedAtMs: number;
}): Limiter {
  const budgets = createBudgetRegistry({ ...settings, clock, processStartedAtMs, maxBytes: 1_000_000_000 });
  const cache = createResponseCache({
    ttlMs: cacheTtlMs,
    swrMs: 0,
    staleIfErrorMs: 0,
    renewMs: 0,
    maxBytes: 100_000_000,
    clock,
  });
  const calls = createCalls({ http, cache, clock, random, isTrusted: () => true });
  return {
    open({ key, timeoutMs, maxCalls, clientGone }) {
      const apiKey = new Secret(key);
      const { operation, close } = openOperation({
        keyHash: key,
        apiKey,
        clientAddress: '127.0.0.1',
        keyBudget: budgets.of(key),
        heldResponses: { open: () => uncountedResponses },
        timeoutMs,
        clientGone,
        maxCalls,
        clock,
      });
      return {
        get: (target, isBurst) =>
          calls.make({ route: isBurst ? ROUTES.burst : ROUTES.general, target, parse: (body) => body }, operation),
        close,
      };
    },
  };
}

/** The budget of one key alone, to measure its cost. */
export interface BareBudget {
  /** Predicts the slot of a call, reserves it, and queues the call, each as a new operation. */
  enter(): { readonly admitted: Promise<void>; readonly settle: () => void };
}

/** Builds a budget whose windows never fill: calls wait only for one of ten connections. */
export function createBareBudget(clock: Clock): BareBudget {
  const budget = new Budget({
    general: { limit: 100_000, windowMs: 60_000, isCap: true },
    reservedCalls: 5,
    maxConcurrentCalls: 10,
    coldStart: 'off',
    processStartedAtMs: clock.nowMs(),
    clock,
  });
  let calls = 0;
  return {
    enter() {
      const fairShare = createFairShare();
      const target = `/collections/${calls++}`;
      budget.expectedSlotAtMs('general', fairShare, target);
      budget.reserveSlotAtMs('general', fairShare, target);
      const call = budget.enter('general', fairShare, target, () => undefined);
      return { admitted: call.admitted, settle: () => call.settle() };
    },
  };
}
