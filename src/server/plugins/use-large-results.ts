import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { withWrittenData, writeJson } from '../result/write-json.ts';
import { createWrittenResults } from '../result/written-results.ts';
import type { NodeContext } from '../http/node-context.ts';
import { fairShareOf } from '../operation/request-record.ts';
import { toRetryLater } from '../../graph/errors/retry-later.ts';
import { onWholeResult, type WholeResult } from './on-complete-result.ts';
import type { PluginParts } from '../plugin-parts.ts';
import { holdOver } from './use-upstream-operation.ts';

// Clients that take their answers have done so by then.
const RETRY_SECONDS = 5;

/** Makes the plugin that writes large answers in slices of time, and refuses them where there is no memory for what clients have not taken yet. */
export function useLargeResults({ records, calls, clock, config, slices }: PluginParts): Plugin<object, NodeContext> {
  const writtenResults = createWrittenResults(config.operation.maxWrittenBytes);
  return {
    onResultProcess: onWholeResult(records, (record, result, { res }) => {
      const data = result.data as object | null | undefined;
      if (data == null || record.large.length === 0 || record.clientGone.aborted) return result;
      const fairShare = fairShareOf(record, calls);
      const toResult = (written: Buffer): WholeResult => {
        // Yoga expects text, and hands what it gets to a Response as it is: of bytes that need not encode all at once.
        const stringify = (whole: object) => withWrittenData(whole, written);
        if (writtenResults.hold(fairShare, written.length, res)) return Object.assign({}, result, { stringify });
        record.errors.byCause.clear();
        const { extensions } = result;
        const refused = record.errors.report({
          errors: [toRefusal(clock.epochMs())],
          ...(extensions && { extensions }),
        });
        holdOver(record, calls, clock);
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
