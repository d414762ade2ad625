import type { Plugin } from 'graphql-yoga';
import { toEndedOperation } from '../operation/ended-operation.ts';
import type { OperationObserver } from '../operation/operation-observer.ts';
import type { PluginParts } from '../plugin-parts.ts';

/** Makes the plugin that reports the end of each operation that is not delivered in parts. */
export function useOperationObserver({ records, clock }: PluginParts, observer: OperationObserver): Plugin {
  return {
    onResponse({ request, response: { status } }) {
      const record = records.get(request);
      if (record && !record.isIncremental) observer.operationEnded(toEndedOperation(record, status, clock));
    },
  };
}
