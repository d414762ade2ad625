import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { NodeContext } from '../http/node-context.ts';
import type { RequestRecord, RequestRecords } from '../operation/request-record.ts';

type ResultHook = NonNullable<Plugin<object, NodeContext>['onResultProcess']>;
type Results = Parameters<ResultHook>[0];
/** A GraphQL result that is not delivered in parts. */
export type CompleteResult = Exclude<Results['result'], readonly unknown[] | AsyncIterable<unknown>>;

/**
 * Makes the hook of a plugin that changes results which are not delivered in parts. It leaves results alone if the
 * request was refused before it got a record.
 *
 * @param change - Gets the result as the plugins before it have changed it.
 */
export function onCompleteResult(
  records: RequestRecords,
  change: (
    record: RequestRecord,
    result: CompleteResult,
    context: Results['serverContext'],
  ) => CompleteResult | Promise<CompleteResult>,
): ResultHook {
  return ({ request, result, setResult, serverContext }) => {
    const record = records.get(request);
    if (!record || Array.isArray(result) || isAsyncIterable(result)) return undefined;
    if (!('data' in result || 'errors' in result)) return undefined;
    const changed = change(record, result, serverContext);
    return changed instanceof Promise ? changed.then(setResult) : setResult(changed);
  };
}
