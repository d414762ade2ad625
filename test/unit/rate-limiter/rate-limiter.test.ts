import { RateLimiter } from '../../../src/upstream/rate-limiter/rate-limiter.ts';
import { describeSlotSource } from '../../support/slot-source-conformance.ts';

describeSlotSource('RateLimiter', (clock) => (onDelay) => {
  const options = {
    general: { limit: 6, windowMs: 1_000, isCap: false },
    burst: { limit: 2, windowMs: 200 },
    reservedCalls: 1,
    maxConcurrentCalls: 4,
    coldStart: 'off',
    processStartedAtMs: clock.nowMs(),
    clock,
  } as const;
  return new RateLimiter(options, onDelay);
});
