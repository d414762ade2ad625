import type { ExecutionArgs, ExecutionResult } from 'graphql';
import type { SplitDocument } from '../../dry-run/plan-operation.ts';

/**
 * Executes an operation that selects the budget next to other fields. It executes the budget last, so that it reports
 * what is left after the operation's own calls, as the response headers do.
 *
 * @returns The result of both executions, with the fields in the order of the document.
 */
export async function executeBudgetLast(
  execute: (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>,
  args: ExecutionArgs,
  { others, budget, responseKeys }: SplitDocument,
): Promise<ExecutionResult> {
  const first = await execute({ ...args, document: others });
  if (first.data == null) return first;
  const last = await execute({ ...args, document: budget });
  const errors = [...(first.errors ?? []), ...(last.errors ?? [])];
  const fields = { ...first.data, ...last.data };
  const data = last.data && Object.fromEntries(responseKeys.map((key) => [key, fields[key]]));
  return { ...(errors.length > 0 && { errors }), ...(data !== undefined && { data }) };
}
