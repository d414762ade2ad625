import type { Plugin } from 'graphql-yoga';
import { planOperation } from '../../dry-run/plan-operation.ts';
import { createSimulationQueue } from '../../dry-run/simulation-queue.ts';
import { executeBudgetLast } from '../operation/budget-last.ts';
import type { PluginParts } from '../plugin-parts.ts';

/**
 * Makes the plugin that looks at what an operation costs before it is executed: a dry run is executed without the fields that make calls, an operation
 * that certainly needs more calls than it may make is refused, and a field that asks for the budget beside others comes last.
 */
export function useDryRun({ records, calls, clock }: PluginParts): Plugin {
  const simulations = createSimulationQueue(clock);
  return {
    async onExecute({ args, executeFn, setExecuteFn, setResultAndStopExecution }) {
      const record = records.get(args.contextValue.request);
      if (!record) return;
      const { document, split, refusal, estimate } = await planOperation(
        {
          schema: args.schema,
          document: args.document,
          operationName: args.operationName ?? undefined,
          variables: args.variableValues ?? {},
          operation: record.operation,
        },
        { calls, clock, simulations },
      );
      record.estimate = estimate;
      // A client that has gone meanwhile needs no answer.
      if (refusal || record.clientGone.aborted) {
        setResultAndStopExecution({ errors: refusal ? [refusal] : [] });
        return;
      }
      // A dry run has no parts.
      if (document !== args.document) record.isIncremental = false;
      args.document = document;
      if (split && !record.isIncremental) setExecuteFn((given) => executeBudgetLast(executeFn, given, split));
    },
  };
}
