import type { CreateSlotSource } from './slot-source.ts';
import { Budget, type BudgetOptions, type BudgetView } from './budget.ts';

/** The budget that one key's calls count against. */
export interface KeyBudget {
  /** Made when it is first asked for. Another one after it has become known that the key is of the same user as a key that is in use. */
  readonly current: Budget;
  /** The same, as far as it is there; of a key that has made no call lately, that of one that never made any. */
  readonly view: BudgetView;
  /** Postman counts for a user, whichever of its keys is used: the budgets of keys that belong to the same one become one. */
  belongsTo(userId: string): void;
}

/** The budgets of the process, one per tenant that makes calls. */
export interface Budgets {
  /** @param former - The name that the tenant had under the secret before this one, where there was one. */
  of(tenant: string, former?: string): KeyBudget;
}

/** What is known of one tenant. */
interface Entry {
  budget: Budget;
  usedAtMs: number;
  userId: string | undefined;
}

/** The budget of a user with several keys. */
interface User {
  readonly budget: Budget;
  readonly tenants: Set<string>;
}

// What one takes on the heap whose window is full; with slots in Redis it is 10,000.
const BUDGET_BYTES = 14_000;
// With each budget that is made so many old ones are looked at, so that there are never many more than are in use.
const LOOKED_AT = 4;

/** Whose slots they are. `former`: the name that the tenant had under the secret before this one. */
export type SlotOwner = { readonly tenant: string; readonly former?: string | undefined } | { readonly userId: string };

/** What the budgets of the process are made with. */
export interface BudgetsOptions extends Omit<BudgetOptions, 'createSlots'> {
  /** What all of them may take on the heap. */
  readonly maxBytes: number;
  /** Where slots come from that several processes share. Default: from this process alone. */
  readonly createSlots?: ((owner: SlotOwner) => CreateSlotSource) | undefined;
}

/**
 * Makes the map of budgets. A budget that is not in use is forgotten once its windows have passed, never before: but where memory is there for no
 * more, one without a call under way makes room for a new one.
 */
export function createBudgets({ maxBytes, createSlots, ...options }: BudgetsOptions): Budgets {
  const { clock, general } = options;
  const maxBudgets = Math.max(1, Math.floor(maxBytes / BUDGET_BYTES));
  // Those used least recently come first.
  const entries = new Map<string, Entry>();
  const users = new Map<string, User>();
  // Nobody makes a call with it.
  const unused = new Budget(options).view;

  const leaveUser = (tenant: string, { userId }: Entry) => {
    const user = userId === undefined ? undefined : users.get(userId);
    user?.tenants.delete(tenant);
    if (userId !== undefined && user?.tenants.size === 0) users.delete(userId);
  };

  const use = (tenant: string, entry: Entry) => {
    entry.usedAtMs = clock.nowMs();
    entries.delete(tenant);
    entries.set(tenant, entry);
  };

  const forgetUnused = () => {
    const nowMs = clock.nowMs();
    let left = LOOKED_AT;
    for (const [tenant, entry] of entries) {
      if (left-- === 0) return;
      const isOld = nowMs - entry.usedAtMs >= general.windowMs && entry.budget.view.isIdle();
      if (isOld || (entries.size >= maxBudgets && entry.budget.view.isQuiet())) {
        entries.delete(tenant);
        leaveUser(tenant, entry);
      } else if (entries.size >= maxBudgets) {
        // In the way of others that may be forgotten.
        use(tenant, entry);
      }
    }
  };

  const createBudget = (owner: SlotOwner) =>
    new Budget({ ...options, ...(createSlots && { createSlots: createSlots(owner) }) });

  const create = (tenant: string, former?: string): Entry => {
    forgetUnused();
    const entry = { budget: createBudget({ tenant, former }), usedAtMs: 0, userId: undefined };
    entries.set(tenant, entry);
    return entry;
  };

  return {
    of: (tenant, former) => ({
      get current() {
        const entry = entries.get(tenant) ?? create(tenant, former);
        use(tenant, entry);
        return entry.budget;
      },
      get view() {
        return entries.get(tenant)?.budget.view ?? unused;
      },
      belongsTo(userId) {
        const entry = entries.get(tenant) ?? create(tenant, former);
        if (entry.userId === userId) return;
        leaveUser(tenant, entry);
        entry.userId = userId;
        const user = users.get(userId) ?? {
          budget: createSlots ? createBudget({ userId }) : entry.budget,
          tenants: new Set(),
        };
        users.set(userId, user);
        user.tenants.add(tenant);
        if (user.budget === entry.budget) return;
        entry.budget.moveTo(user.budget);
        entry.budget = user.budget;
      },
    }),
  };
}
