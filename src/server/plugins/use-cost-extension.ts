import type { Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';
import { toUpstreamExtension } from '../operation/upstream-extension.ts';
import { onCompleteResult } from './on-complete-result.ts';
import type { PluginParts } from '../plugin-parts.ts';

/** Makes the plugin that reports the cost of an operation, and the budget that it leaves, in `extensions.upstream`. */
export function useCostExtension({ records, config, clock }: PluginParts): Plugin<object, NodeContext> {
  return {
    onResultProcess: onCompleteResult(records, (record, result) => {
      const upstream = toUpstreamExtension(record, config.sandbox, clock, 'data' in result);
      const extensions = result.extensions ? { ...result.extensions, upstream } : { upstream };
      return Object.assign(result, { extensions });
    }),
  };
}
