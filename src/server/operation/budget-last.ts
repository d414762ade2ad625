import type { ExecutionArgs, ExecutionResult } from 'graphql';
import type { SplitDocument } from '../../dry-run/plan-operation.ts';

/**
 * Executes an operation that asks for the budget beside other fields: the budget comes last, so that it tells what is left after the calls of the
 * operation itself, as the response headers do.
 *
 * @returns What one execution of all fields would return, but for that.
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
