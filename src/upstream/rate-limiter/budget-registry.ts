import type { CreateSlotSource } from './slot-source.ts';
import { Budget, type BudgetOptions, type BudgetView } from './budget.ts';

/** The budget of one API key. */
export interface KeyBudget {
  /** The budget, created on first access. It changes when the key turns out to be of a user with another key in use. */
  readonly current: Budget;
  /** View of the budget without creating it: if the key has none, the view of an unused budget. */
  readonly view: BudgetView;
  /** Reports whose key it is. Postman counts per user, so the keys of one user get one budget. */
  belongsTo(userId: string): void;
}

/** The budgets of the process, one per API key that makes calls. */
export interface BudgetRegistry {
  /** @param formerKeyHash - Hash of the same key under the previous secret, if there is one. */
  of(keyHash: string, formerKeyHash?: string): KeyBudget;
  /** Every budget, with the hashes of the keys that share it. */
  all(): Iterable<BudgetOfKeys>;
}

/** A budget, and whose it is. */
export interface BudgetOfKeys {
  readonly keyHashes: readonly string[];
  readonly view: BudgetView;
}

/** The entry of one API key. */
interface Entry {
  budget: Budget;
  usedAtMs: number;
  userId: string | undefined;
}

/** A user, whose keys share one budget. */
interface User {
  readonly budget: Budget;
  readonly keyHashes: Set<string>;
}

// Heap bytes of a budget with a full window; with slots in Redis it is 10,000.
const BUDGET_BYTES = 14_000;
// Creating one budget checks this many old ones, so that unused budgets do not accumulate.
const EVICTION_CHECKS = 4;

/** Who slots belong to: an API key or a user. `formerKeyHash`: hash of the key under the previous secret. */
export type SlotOwner =
  | { readonly keyHash: string; readonly formerKeyHash?: string | undefined }
  | { readonly userId: string };

/** Options of `createBudgetRegistry`. */
export interface BudgetRegistryOptions extends Omit<BudgetOptions, 'createSlots'> {
  /** Heap bytes for all budgets. */
  readonly maxBytes: number;
  /** Creates slot sources that several processes share. Default: each process counts alone. */
  readonly createSlots?: ((owner: SlotOwner) => CreateSlotSource) | undefined;
}

/**
 * Creates the registry. An unused budget is dropped once its windows have passed. When `maxBytes` is used up, budgets
 * without waiting or in-flight calls are dropped earlier.
 */
export function createBudgetRegistry({ maxBytes, createSlots, ...options }: BudgetRegistryOptions): BudgetRegistry {
  const { clock, general } = options;
  const maxBudgets = Math.max(1, Math.floor(maxBytes / BUDGET_BYTES));
  // Least recently used first.
  const entries = new Map<string, Entry>();
  const users = new Map<string, User>();
  // For its view only: no call enters it.
  const unused = new Budget(options).view;

  const leaveUser = (keyHash: string, { userId }: Entry) => {
    const user = userId === undefined ? undefined : users.get(userId);
    user?.keyHashes.delete(keyHash);
    if (userId !== undefined && user?.keyHashes.size === 0) users.delete(userId);
  };

  let newest: Entry | undefined;
  const touch = (keyHash: string, entry: Entry) => {
    entry.usedAtMs = clock.nowMs();
    // A map that is changed for each access is copied again and again.
    if (entry === newest) return;
    newest = entry;
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
        // Moved to the end, so that the next check sees others.
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
    newest = entry;
    return entry;
  };

  return {
    *all() {
      for (const [keyHash, { budget, userId }] of entries) {
        const keyHashes = userId === undefined ? undefined : users.get(userId)?.keyHashes;
        const [first = keyHash] = keyHashes ?? [];
        if (first === keyHash) yield { keyHashes: [...(keyHashes ?? [keyHash])], view: budget.view };
      }
    },
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
