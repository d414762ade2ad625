/**
 * Part of the telemetry module, which observes the upstream layer and requests for operators. This file exports
 * `createCallLog`, which logs calls. Plugins use this module, so it may not import them.
 */
import type { Logger } from 'pino';
import type { Clock } from '../../upstream/clock.ts';
import { silentObserver, type UpstreamObserver } from '../../upstream/observer.ts';
import { type OperationRecords, toLoggedHash, toRequestIds } from '../operation/request-record.ts';
import { createSampledLog } from './sampled-log.ts';

const REFUSED = 'they are refused, except for occasional probes';

/**
 * Makes the observer that logs: each call at `debug`; each 429 and the opening of a circuit breaker at `warn`; its
 * closing, and limits that responses announce, at `info`.
 *
 * @param operations - Finds the request of an operation. A call without one revalidates a cached response.
 */
export function createCallLog(logger: Logger, clock: Clock, operations: OperationRecords): UpstreamObserver {
  const logRateLimited = createSampledLog(logger, 'warn', 'Postman refused a call (429)', clock);
  const logLimits = createSampledLog(logger, 'info', 'Postman announces other limits', clock);
  const logOutage = {
    all: createSampledLog(logger, 'warn', `Postman does not serve calls: ${REFUSED}`, clock),
    apiKey: createSampledLog(logger, 'warn', `Postman does not serve the calls of one API key: ${REFUSED}`, clock),
  };
  const logRecovery = {
    all: createSampledLog(logger, 'info', 'Postman serves calls again', clock),
    apiKey: createSampledLog(logger, 'info', 'Postman serves the calls of one API key again', clock),
  };
  return {
    ...silentObserver,

    onSettled({ route, initiator, keyHash }, { resends, durationMs, waitedMs, status, error, retryInMs }) {
      const isRateLimited = status === 429;
      if (!isRateLimited && !logger.isLevelEnabled('debug')) return;
      const record = operations.get(initiator);
      const fields = {
        ...(record ? toRequestIds(record) : { isRevalidation: true, keyHash: toLoggedHash(keyHash) }),
        route: route.template,
        ...(status !== undefined && { status }),
      };
      logger.debug(
        {
          ...fields,
          outcome: error ?? 'ok',
          attempt: resends + 1,
          durationMs: Math.round(durationMs),
          waitedMs: Math.round(waitedMs),
        },
        'upstream call',
      );
      if (isRateLimited)
        logRateLimited({
          ...fields,
          ...(retryInMs !== undefined && { retryAfterSeconds: Math.ceil(retryInMs / 1_000) }),
        });
    },

    onCircuitChange(isOpen, keyHash) {
      const scope = keyHash === undefined ? 'all' : 'apiKey';
      const circuitBreaker = isOpen ? 'open' : 'closed';
      (isOpen ? logOutage : logRecovery)[scope]({
        circuitBreaker,
        ...(keyHash !== undefined && { keyHash: toLoggedHash(keyHash) }),
      });
    },

    onLimitsLearned: (keyHash, before, after) => logLimits({ keyHash: toLoggedHash(keyHash), before, after }),
  };
}
