import { type Budget, type BudgetOptions, createBudget } from './budget.ts';

/** The budget that one key's calls count against. */
export interface KeyBudget {
  /** Another one after it has become known that the key is of the same user as a key that is in use. */
  readonly current: Budget;
  /** Postman counts for a user, whichever of its keys is used: the budgets of keys that belong to the same one become one. */
  belongsTo(userId: string): void;
}

/** The budgets of the process, one per tenant. */
export interface Budgets {
  /** The tenant's budget, made when it is first asked for. undefined: too many keys are in use at once to keep count for one more. */
  of(tenant: string): KeyBudget | undefined;
}

interface Entry {
  readonly keyBudget: KeyBudget;
  budget: Budget;
  usedAtMs: number;
}

// Each holds a few hundred numbers at most. Whoever sends made-up keys gets one call each and is forgotten a window later.
const MAX_BUDGETS = 10_000;
const SWEEP_ABOVE = 1_000;

/** Makes the map of budgets. A budget that is not in use is forgotten once its windows have passed, never before. */
export function createBudgets(options: BudgetOptions): Budgets {
  const entries = new Map<string, Entry>();
  const ofUsers = new Map<string, Budget>();
  let sweepAt = SWEEP_ABOVE;

  const sweep = (nowMs: number) => {
    for (const [tenant, { budget, usedAtMs }] of entries) {
      // An operation that has just found its budget may not have made its first call yet.
      if (nowMs - usedAtMs >= options.general.windowMs && budget.isIdle()) entries.delete(tenant);
    }
    const inUse = new Set([...entries.values()].map(({ budget }) => budget));
    for (const [userId, budget] of ofUsers) if (!inUse.has(budget)) ofUsers.delete(userId);
    // Sweeping costs a walk over all; doubling keeps that proportional to what is added.
    sweepAt = Math.min(MAX_BUDGETS, Math.max(SWEEP_ABOVE, entries.size * 2));
  };

  const create = (usedAtMs: number): Entry => {
    const entry: Entry = {
      budget: createBudget(options),
      usedAtMs,
      keyBudget: {
        get current() {
          return entry.budget;
        },
        belongsTo(userId) {
          const known = ofUsers.get(userId);
          if (!known) ofUsers.set(userId, entry.budget);
          else if (known !== entry.budget) {
            entry.budget.bequeath(known);
            entry.budget = known;
          }
        },
      },
    };
    return entry;
  };

  return {
    of(tenant) {
      const nowMs = options.clock.nowMs();
      const known = entries.get(tenant);
      if (known) {
        known.usedAtMs = nowMs;
        return known.keyBudget;
      }
      if (entries.size >= sweepAt) sweep(nowMs);
      if (entries.size >= MAX_BUDGETS) return undefined;
      const entry = create(nowMs);
      entries.set(tenant, entry);
      return entry.keyBudget;
    },
  };
}
