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
  const entries = new Map<string, { readonly budget: Budget; usedAtMs: number }>();
  let sweepAt = SWEEP_ABOVE;

  const sweep = (nowMs: number) => {
    for (const [tenant, { budget, usedAtMs }] of entries) {
      // An operation that has just found its budget may not have made its first call yet.
      if (nowMs - usedAtMs >= options.general.windowMs && budget.isIdle()) entries.delete(tenant);
    }
    // Sweeping costs a walk over all; doubling keeps that proportional to what is added.
    sweepAt = Math.min(MAX_BUDGETS, Math.max(SWEEP_ABOVE, entries.size * 2));
  };

  return {
    of(tenant) {
      const nowMs = options.clock.nowMs();
      const known = entries.get(tenant);
      if (known) {
        known.usedAtMs = nowMs;
        return known.budget;
      }
      if (entries.size >= sweepAt) sweep(nowMs);
      if (entries.size >= MAX_BUDGETS) return undefined;
      const budget = createBudget(options);
      entries.set(tenant, { budget, usedAtMs: nowMs });
      return budget;
    },
  };
}
