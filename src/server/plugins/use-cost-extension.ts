import type { Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';
import { toCost } from '../operation/request-record.ts';
import { onWholeResult } from './on-complete-result.ts';
import type { PluginParts } from '../plugin-parts.ts';

/** Makes the plugin that says in `extensions.upstream` what an answer has cost. */
export function useCostExtension({ records, config }: PluginParts): Plugin<object, NodeContext> {
  return {
    onResultProcess: onWholeResult(records, (record, result) => ({
      ...result,
      extensions: { ...result.extensions, upstream: toCost(record, config.sandbox) },
    })),
  };
}
