import type { Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';
import { onWholeResult } from './on-complete-result.ts';
import type { PluginParts } from '../plugin-parts.ts';
import { holdOver } from './use-upstream-operation.ts';

/** Makes the plugin that reports the errors of an answer as its client asked for them, and by cause in `extensions.errorsByCause`. */
export function useErrorReport({ records, calls, clock }: PluginParts): Plugin<object, NodeContext> {
  return {
    onResultProcess: onWholeResult(records, (record, result) => {
      const reported = record.errors.report(result);
      holdOver(record, calls, clock);
      return reported;
    }),
  };
}
