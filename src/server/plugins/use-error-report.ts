import type { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';
import { onCompleteResult } from './on-complete-result.ts';
import type { PluginParts } from '../plugin-parts.ts';
import { retainUntilRetry } from './use-upstream-operation.ts';

/** Makes the plugin that selects the errors that the client gets, and adds `extensions.errorsByCause`. */
export function useErrorReport({ records, calls, clock, maskError }: PluginParts): Plugin<object, NodeContext> {
  const toMasked = (error: unknown) => maskError(error, 'Unexpected error.', false) as GraphQLError;
  return {
    onResultProcess: onCompleteResult(records, (record, result) => {
      const errors = [...(result.errors ?? []), ...record.incomplete.map(toMasked)];
      const reported = record.errors.report(errors.length > 0 ? { ...result, errors } : result);
      retainUntilRetry(record, calls, clock);
      return reported;
    }),
  };
}
