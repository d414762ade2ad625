import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';
import type { RequestRecord, RequestRecords } from '../operation/request-record.ts';

type ResultHook = NonNullable<Plugin<object, NodeContext>['onResultProcess']>;
type Results = Parameters<ResultHook>[0];
/** An answer of GraphQL that is not delivered in parts. */
export type WholeResult = Exclude<Results['result'], readonly unknown[] | AsyncIterable<unknown>>;

/**
 * Makes the hook of a plugin that changes answers which come as a whole. Those of requests that were turned away before there was a record are left
 * alone.
 *
 * @param change - Gets what the plugins before it have made of the answer.
 */
export function onWholeResult(
  records: RequestRecords,
  change: (
    record: RequestRecord,
    result: WholeResult,
    context: Results['serverContext'],
  ) => WholeResult | Promise<WholeResult>,
): ResultHook {
  return ({ request, result, setResult, serverContext }) => {
    const record = records.get(request);
    if (!record || Array.isArray(result) || isAsyncIterable(result)) return undefined;
    if (!('data' in result || 'errors' in result)) return undefined;
    const changed = change(record, result, serverContext);
    return changed instanceof Promise ? changed.then(setResult) : setResult(changed);
  };
}
