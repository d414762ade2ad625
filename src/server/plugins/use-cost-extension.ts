import type { Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';
import { toCost } from '../operation/request-record.ts';
import { onCompleteResult } from './on-complete-result.ts';
import type { PluginParts } from '../plugin-parts.ts';

/** Makes the plugin that reports the cost of an operation in `extensions.upstream`. */
export function useCostExtension({ records, config }: PluginParts): Plugin<object, NodeContext> {
  return {
    onResultProcess: onCompleteResult(records, (record, result) => ({
      ...result,
      extensions: { ...result.extensions, upstream: toCost(record, config.sandbox) },
    })),
  };
}
