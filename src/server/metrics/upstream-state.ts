import { setImmediate as nextRound } from 'node:timers/promises';
import type { CacheUsage } from '../../upstream/cache/response-store.ts';
import type { BudgetOfKeys, BudgetRegistry } from '../../upstream/rate-limiter/budget-registry.ts';
import type { CircuitBreakers } from '../../upstream/calls/circuit-breakers.ts';
import type { WindowSnapshot } from '../../upstream/rate-limiter/slot-source.ts';
import type { SharedCacheMode } from '../shared-responses.ts';
import type { LimiterMode } from '../shared-slots.ts';
import type { MetricsByName } from './registry.ts';

/** The state of the upstream layer that metrics read at each scrape. */
export interface UpstreamState {
  readonly budgets: Pick<BudgetRegistry, 'all'>;
  readonly cacheUsage: () => CacheUsage;
  readonly openCircuits: CircuitBreakers['openCircuits'];
  readonly limiterMode: () => LimiterMode;
  readonly sharedCacheMode: () => SharedCacheMode;
}

// Reading a budget takes some microseconds, and there may be tens of thousands.
const BUDGETS_PER_ROUND = 500;
const MODES: readonly LimiterMode[] = ['process', 'shared', 'local', 'closed'];
const CACHE_MODES: readonly SharedCacheMode[] = ['process', 'shared', 'full', 'off'];

/** Reads every budget, some in each round of the event loop. */
export async function readBudgets(budgets: Iterable<BudgetOfKeys>, read: (budget: BudgetOfKeys) => void) {
  let count = 0;
  for (const budget of budgets) {
    read(budget);
    if (++count % BUDGETS_PER_ROUND === 0) await nextRound();
  }
}

/** The fraction of a window that is in use, 0 to 1. A window that nothing may use is all in use. */
export const toUsedRatio = ({ limit, remaining }: WindowSnapshot) =>
  limit > 0 ? Math.min(1, Math.max(0, 1 - remaining / limit)) : 1;

/** Sets the metrics that are states, not events. */
export async function writeState(metrics: MetricsByName, state: UpstreamState): Promise<void> {
  await writeBudgets(metrics, state);
  const { entries, bytes, evictions } = state.cacheUsage();
  const level = { level: 'memory' };
  metrics.postman_graphql_cache_entries.set(level, entries);
  metrics.postman_graphql_cache_bytes.set(level, bytes);
  metrics.postman_graphql_cache_evictions_total.reset();
  metrics.postman_graphql_cache_evictions_total.inc(level, evictions);
  const { ofAllKeys, ofOneKey } = state.openCircuits();
  metrics.postman_graphql_circuit_breaker_open.set({ scope: 'all' }, ofAllKeys ? 1 : 0);
  metrics.postman_graphql_circuit_breaker_open.set({ scope: 'api_key' }, ofOneKey);
  const current = state.limiterMode();
  for (const mode of MODES) metrics.postman_graphql_limiter_mode.set({ mode }, mode === current ? 1 : 0);
  const ofCache = state.sharedCacheMode();
  for (const mode of CACHE_MODES) metrics.postman_graphql_shared_cache_mode.set({ mode }, mode === ofCache ? 1 : 0);
}

async function writeBudgets(metrics: MetricsByName, { budgets }: UpstreamState): Promise<void> {
  const keys = { idle: 0, busy: 0, full: 0, paused: 0, monthSpent: 0 };
  const queued = { general: 0, burst: 0 };
  const used = { general: createMaxAndMean(), burst: createMaxAndMean() };
  let monthRemaining = 1;
  await readBudgets(budgets.all(), ({ view }) => {
    const budgetState = view.state();
    const snapshot = view.snapshot();
    keys[budgetState]++;
    const { monthLimit, monthRemaining: left, queuedCalls } = snapshot;
    if (monthLimit !== undefined && left !== undefined && monthLimit > 0)
      monthRemaining = Math.min(monthRemaining, left / monthLimit);
    if (budgetState === 'idle') return;
    if (queuedCalls > 0) {
      const { general, burst } = view.queuedCalls();
      queued.general += general;
      queued.burst += burst;
    }
    used.general.add(toUsedRatio(snapshot));
    if (snapshot.burst) used.burst.add(toUsedRatio(snapshot.burst));
  });
  const { monthSpent, ...others } = keys;
  for (const [name, count] of Object.entries({ ...others, month_spent: monthSpent }))
    metrics.postman_graphql_budget_keys.set({ state: name }, count);
  metrics.postman_graphql_budget_month_remaining_ratio.set(monthRemaining);
  for (const window of ['general', 'burst'] as const) {
    metrics.postman_graphql_budget_queued.set({ route_class: window }, queued[window]);
    metrics.postman_graphql_budget_used_ratio.set({ window, statistic: 'max' }, used[window].max());
    metrics.postman_graphql_budget_used_ratio.set({ window, statistic: 'mean' }, used[window].mean());
  }
}

function createMaxAndMean() {
  let max = 0;
  let sum = 0;
  let count = 0;
  return {
    add(value: number) {
      max = Math.max(max, value);
      sum += value;
      count++;
    },
    max: () => max,
    mean: () => (count > 0 ? sum / count : 0),
  };
}
