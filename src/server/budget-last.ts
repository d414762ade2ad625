import type { DocumentNode, ExecutionArgs, ExecutionResult } from 'graphql';

/** An operation in two pieces: what asks for the budget, and everything else. */
export interface SplitDocument {
  readonly others: DocumentNode;
  readonly budget: DocumentNode;
  /** Keys of the answer, in the order in which the whole operation has them. */
  readonly responseKeys: readonly string[];
}

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
