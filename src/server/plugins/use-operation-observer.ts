import type { Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';
import { hasRootField, type OperationObserver, toOutcome } from '../operation/operation-observer.ts';
import type { RequestRecord } from '../operation/request-record.ts';
import { onCompleteResult } from './on-complete-result.ts';
import type { PluginParts } from '../plugin-parts.ts';

/** Makes the plugin that reports the end of each operation that is not delivered in parts. */
export function useOperationObserver(parts: PluginParts, observer: OperationObserver): Plugin<object, NodeContext> {
  const { records } = parts;
  return {
    onResultProcess: onCompleteResult(records, (record, result) => {
      record.hasData ||= hasRootField(result.data);
      return result;
    }),
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
