import type { Plugin } from 'graphql-yoga';
import { type OperationPlan, planOperation } from '../../dry-run/plan-operation.ts';
import { createSimulationQueue } from '../../dry-run/simulation-queue.ts';
import { executeBudgetLast } from '../operation/budget-last.ts';
import type { PluginParts } from '../plugin-parts.ts';

/**
 * Makes the plugin that plans the cost of an operation before it is executed. It executes a dry run without the fields
 * that make calls, refuses an operation that certainly needs more calls than it may make, and executes the field of
 * the budget after all others.
 */
export function useDryRun({ records, calls, clock }: PluginParts): Plugin {
  const simulations = createSimulationQueue(clock);
  return {
    // Not an async function: most operations are planned at once, and would have to wait for its promise.
    onExecute({ args, executeFn, setExecuteFn, setResultAndStopExecution }) {
      const record = records.get(args.contextValue.request);
      if (!record) return undefined;
      const planned = planOperation(
        {
          schema: args.schema,
          document: args.document,
          operationName: args.operationName ?? undefined,
          variables: args.variableValues ?? {},
          operation: record.operation,
        },
        { calls, clock, simulations },
      );
      const apply = ({ document, split, refusal, estimate }: OperationPlan): void => {
        record.estimate = estimate;
        // If the client has disconnected meanwhile, nothing needs to be executed.
        if (refusal || record.clientGone.aborted) {
          setResultAndStopExecution({ errors: refusal ? [refusal] : [] });
          return;
        }
        // A dry run is not delivered in parts.
        if (document !== args.document) {
          record.isIncremental = false;
          record.mustExecute = true;
        }
        args.document = document;
        if (split && !record.isIncremental) setExecuteFn((given) => executeBudgetLast(executeFn, given, split));
      };
      return planned instanceof Promise ? planned.then(apply) : apply(planned);
    },
  };
}
