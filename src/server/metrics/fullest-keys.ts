import type { BudgetOfKeys, BudgetRegistry } from '../../upstream/rate-limiter/budget-registry.ts';
import type { BudgetState } from '../../upstream/rate-limiter/budget.ts';
import type { WindowSnapshot } from '../../upstream/rate-limiter/slot-source.ts';
import { readBudgets, toUsedRatio } from './upstream-state.ts';

/** The budget of an API key, or of all keys of one user, for operators. */
export interface KeyUse {
  /** The first eight characters of the hash of each key, ten keys at most. */
  readonly keys: readonly string[];
  readonly state: BudgetState;
  readonly windows: readonly { readonly windowSeconds: number; readonly limit: number; readonly used: number }[];
  /** Calls that wait. */
  readonly queued: number;
  /** null: Postman has not announced a quota. */
  readonly monthLimit: number | null;
  readonly monthRemaining: number | null;
}

const MAX_BUDGETS = 10;
const HASH_LENGTH = 8;

/** Lists the ten budgets of which the largest part of a window is in use, fullest first; idle ones are left out. */
export async function listFullestKeys({ all }: Pick<BudgetRegistry, 'all'>): Promise<readonly KeyUse[]> {
  let fullest: { readonly rank: number; readonly use: KeyUse }[] = [];
  await readBudgets(all(), (budget) => {
    const use = toKeyUse(budget);
    if (use.state === 'idle') return;
    const { queuedCalls, burst, learned, ...general } = budget.view.snapshot();
    const rank = Math.max(...[general, ...(burst ? [burst] : []), ...learned].map(toUsedRatio)) + queuedCalls;
    fullest = [...fullest, { rank, use }].sort((a, b) => b.rank - a.rank).slice(0, MAX_BUDGETS);
  });
  return fullest.map(({ use }) => use);
}

function toKeyUse({ keyHashes, view }: BudgetOfKeys): KeyUse {
  const { queuedCalls, burst, learned, monthLimit = null, monthRemaining = null, ...general } = view.snapshot();
  const toWindow = ({ windowMs, limit, remaining }: WindowSnapshot) => ({
    windowSeconds: windowMs / 1_000,
    limit,
    used: Math.max(0, limit - remaining),
  });
  return {
    keys: keyHashes.slice(0, MAX_BUDGETS).map((keyHash) => keyHash.slice(0, HASH_LENGTH)),
    state: view.state(),
    windows: [general, ...(burst ? [burst] : []), ...learned].map(toWindow),
    queued: queuedCalls,
    monthLimit,
    monthRemaining,
  };
}
