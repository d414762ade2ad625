import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { withWrittenData, writeJson } from '../result/write-json.ts';
import { createWrittenResults } from '../result/written-results.ts';
import type { NodeContext } from '../http/node-context.ts';
import { fairShareOf } from '../operation/request-record.ts';
import { toRetryLater } from '../../graph/errors/retry-later.ts';
import { onCompleteResult, type CompleteResult } from './on-complete-result.ts';
import type { PluginParts } from '../plugin-parts.ts';
import { retainUntilRetry } from './use-upstream-operation.ts';

// By then, clients that read at all have read their responses.
const RETRY_SECONDS = 5;

/**
 * Makes the plugin that writes large results as JSON, in time slices. It refuses a result if those that clients have
 * not received yet leave no memory for it.
 */
export function useLargeResults({ records, calls, clock, config, slices }: PluginParts): Plugin<object, NodeContext> {
  const writtenResults = createWrittenResults(config.operation.maxWrittenBytes);
  return {
    onResultProcess: onCompleteResult(records, (record, result, { res }) => {
      const data = result.data as object | null | undefined;
      if (data == null || record.large.length === 0 || record.clientGone.aborted) return result;
      const fairShare = fairShareOf(record, calls);
      const toResult = (written: Buffer): CompleteResult => {
        // Yoga's types expect text, but it passes any value to a Response. Text would be encoded in one go.
        const stringify = (whole: object) => withWrittenData(whole, written);
        if (writtenResults.hold(fairShare, written.length, res)) return Object.assign({}, result, { stringify });
        record.errors.byCause.clear();
        const { extensions } = result;
        const refused = record.errors.report({
          errors: [toRefusal(clock.epochMs())],
          ...(extensions && { extensions }),
        });
        retainUntilRetry(record, calls, clock);
        return refused;
      };
      const written = slices.open(fairShare, undefined, 'go').run(writeJson(data, record.large));
      return written instanceof Promise ? written.then(toResult) : toResult(written);
    }),
  };
}

function toRefusal(nowMs: number): GraphQLError {
  return new GraphQLError(
    'This server has no memory for another large response until clients have received the pending ones.',
    {
      extensions: { ...toRetryLater('SERVER_BUSY', RETRY_SECONDS, nowMs), http: { status: 503 } },
    },
  );
}
