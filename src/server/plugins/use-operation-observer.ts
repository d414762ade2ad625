import type { Plugin } from 'graphql-yoga';
import type { OperationObserver } from '../operation/operation-observer.ts';
import { toOutcome } from '../operation/outcome.ts';
import type { RequestRecord } from '../operation/request-record.ts';
import type { PluginParts } from '../plugin-parts.ts';

/** Makes the plugin that reports the end of each operation that is not delivered in parts. */
export function useOperationObserver(parts: PluginParts, observer: OperationObserver): Plugin {
  const { records } = parts;
  return {
    onResponse({ request }) {
      const record = records.get(request);
      if (record && !record.isIncremental) observeEnd(record, parts, observer);
    },
  };
}

/** Reports the end of an operation. */
export function observeEnd(record: RequestRecord, { clock }: Pick<PluginParts, 'clock'>, observer: OperationObserver) {
  const { operation, operationType, startedAtMs, errors, hasData } = record;
  observer.operationEnded({
    type: operationType,
    outcome: toOutcome(errors.codes.keys(), hasData),
    durationMs: clock.nowMs() - startedAtMs,
    calls: operation?.meter.cost.calls ?? 0,
    isLate: operation?.ended.reason === 'deadline',
  });
}
