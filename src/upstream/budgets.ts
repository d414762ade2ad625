import { type Budget, type BudgetOptions, createBudget } from './budget.ts';

/** The budgets of the process, one per tenant. */
export interface Budgets {
  /** The tenant's budget, made when it is first asked for. undefined: too many keys are in use at once to keep count for one more. */
  of(tenant: string): Budget | undefined;
}

// Each holds a few hundred numbers at most. Whoever sends made-up keys gets one call each and is forgotten a window later.
const MAX_BUDGETS = 10_000;
const SWEEP_ABOVE = 1_000;

/** Makes the map of budgets. A budget that is not in use is forgotten once its windows have passed, never before. */
export function createBudgets(options: BudgetOptions): Budgets {
  const budgets = new Map<string, Budget>();
  let sweepAt = SWEEP_ABOVE;

  const sweep = () => {
    for (const [tenant, budget] of budgets) if (budget.isIdle()) budgets.delete(tenant);
    // Sweeping costs a walk over all; doubling keeps that proportional to what is added.
    sweepAt = Math.min(MAX_BUDGETS, Math.max(SWEEP_ABOVE, budgets.size * 2));
  };

  return {
    of(tenant) {
      const known = budgets.get(tenant);
      if (known) return known;
      if (budgets.size >= sweepAt) sweep();
      if (budgets.size >= MAX_BUDGETS) return undefined;
      const budget = createBudget(options);
      budgets.set(tenant, budget);
      return budget;
    },
  };
}
