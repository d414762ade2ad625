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
export interface BudgetRegistry {
  /** @param formerKeyHash - The name that the tenant had under the secret before this one, where there was one. */
  of(keyHash: string, formerKeyHash?: string): KeyBudget;
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
  readonly keyHashes: Set<string>;
}

// What one takes on the heap whose window is full; with slots in Redis it is 10,000.
const BUDGET_BYTES = 14_000;
// With each budget that is made so many old ones are looked at, so that there are never many more than are in use.
const EVICTION_CHECKS = 4;

/** Whose slots they are. `former`: the name that the tenant had under the secret before this one. */
export type SlotOwner =
  | { readonly keyHash: string; readonly formerKeyHash?: string | undefined }
  | { readonly userId: string };

/** What the budgets of the process are made with. */
export interface BudgetRegistryOptions extends Omit<BudgetOptions, 'createSlots'> {
  /** What all of them may take on the heap. */
  readonly maxBytes: number;
  /** Where slots come from that several processes share. Default: from this process alone. */
  readonly createSlots?: ((owner: SlotOwner) => CreateSlotSource) | undefined;
}

/**
 * Makes the map of budgets. A budget that is not in use is forgotten once its windows have passed, never before: but where memory is there for no
 * more, one without a call under way makes room for a new one.
 */
export function createBudgetRegistry({ maxBytes, createSlots, ...options }: BudgetRegistryOptions): BudgetRegistry {
  const { clock, general } = options;
  const maxBudgets = Math.max(1, Math.floor(maxBytes / BUDGET_BYTES));
  // Those used least recently come first.
  const entries = new Map<string, Entry>();
  const users = new Map<string, User>();
  // Nobody makes a call with it.
  const unused = new Budget(options).view;

  const leaveUser = (keyHash: string, { userId }: Entry) => {
    const user = userId === undefined ? undefined : users.get(userId);
    user?.keyHashes.delete(keyHash);
    if (userId !== undefined && user?.keyHashes.size === 0) users.delete(userId);
  };

  const touch = (keyHash: string, entry: Entry) => {
    entry.usedAtMs = clock.nowMs();
    entries.delete(keyHash);
    entries.set(keyHash, entry);
  };

  const evictUnused = () => {
    const nowMs = clock.nowMs();
    let checksLeft = EVICTION_CHECKS;
    for (const [keyHash, entry] of entries) {
      if (checksLeft-- === 0) return;
      const isOld = nowMs - entry.usedAtMs >= general.windowMs && entry.budget.view.isIdle();
      if (isOld || (entries.size >= maxBudgets && entry.budget.view.isQuiet())) {
        entries.delete(keyHash);
        leaveUser(keyHash, entry);
      } else if (entries.size >= maxBudgets) {
        // In the way of others that may be forgotten.
        touch(keyHash, entry);
      }
    }
  };

  const createBudget = (owner: SlotOwner) =>
    new Budget({ ...options, ...(createSlots && { createSlots: createSlots(owner) }) });

  const create = (keyHash: string, formerKeyHash?: string): Entry => {
    evictUnused();
    const entry = { budget: createBudget({ keyHash, formerKeyHash }), usedAtMs: 0, userId: undefined };
    entries.set(keyHash, entry);
    return entry;
  };

  return {
    of: (keyHash, formerKeyHash) => ({
      get current() {
        const entry = entries.get(keyHash) ?? create(keyHash, formerKeyHash);
        touch(keyHash, entry);
        return entry.budget;
      },
      get view() {
        return entries.get(keyHash)?.budget.view ?? unused;
      },
      belongsTo(userId) {
        const entry = entries.get(keyHash) ?? create(keyHash, formerKeyHash);
        if (entry.userId === userId) return;
        leaveUser(keyHash, entry);
        entry.userId = userId;
        const user = users.get(userId) ?? {
          budget: createSlots ? createBudget({ userId }) : entry.budget,
          keyHashes: new Set(),
        };
        users.set(userId, user);
        user.keyHashes.add(keyHash);
        if (user.budget === entry.budget) return;
        entry.budget.moveTo(user.budget);
        entry.budget = user.budget;
      },
    }),
  };
}
