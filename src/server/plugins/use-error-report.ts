import type { Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';
import { onCompleteResult } from './on-complete-result.ts';
import type { PluginParts } from '../plugin-parts.ts';
import { retainUntilRetry } from './use-upstream-operation.ts';

/** Makes the plugin that selects the errors that the client gets, and adds `extensions.errorsByCause`. */
export function useErrorReport({ records, calls, clock }: PluginParts): Plugin<object, NodeContext> {
  return {
    onResultProcess: onCompleteResult(records, (record, result) => {
      const reported = record.errors.report(result);
      retainUntilRetry(record, calls, clock);
      return reported;
    }),
  };
}
