import type { Clock } from '../../src/upstream/clock.ts';

/**
 * Options of an unused budget that starts now: the server's defaults, with Postman's limits of 60 calls in a minute and
 * 10 in 10 s.
 */
export function toBudgetOptions<OfClock extends Clock>(clock: OfClock) {
  return {
    general: { limit: 60, windowMs: 60_000, isCap: false },
    burst: { limit: 10, windowMs: 10_000 },
    reservedCalls: 5,
    maxConcurrentCalls: 10,
    coldStart: 'off' as const,
    processStartedAtMs: clock.nowMs(),
    clock,
  };
}
