import { OperationTypeNode } from 'graphql';
import { expect, it } from 'vitest';
import { createOperationObserver, createUpstreamObserver } from '../../../src/server/metrics/observers.ts';
import { listFullestKeys } from '../../../src/server/metrics/fullest-keys.ts';
import { loadPromClient } from '../../../src/server/metrics/prom-client.ts';
import { createRegistry } from '../../../src/server/metrics/registry.ts';
import { writeState } from '../../../src/server/metrics/upstream-state.ts';
import { createBudgetRegistry } from '../../../src/upstream/rate-limiter/budget-registry.ts';
import { createFairShare } from '../../../src/upstream/rate-limiter/queue/fair-share.ts';
import { routes } from '../../../src/upstream/postman/routes.ts';
import { toBudgetOptions } from '../../support/budget-options.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

it('have as many series after 10,000 keys and 10,000 names of operations as after one', async () => {
  const { registry, metrics } = createRegistry(await loadPromClient());
  const upstream = createUpstreamObserver(metrics);
  const operations = createOperationObserver(metrics);
  const clock = createVirtualClock();
  const budgets = createBudgetRegistry({ ...toBudgetOptions(clock), maxBytes: 1_000_000_000, observer: upstream });
  const state = {
    budgets,
    cacheUsage: () => ({ entries: 1, bytes: 1, evictions: 0 }),
    openCircuits: () => ({ ofAllKeys: false, ofOneKey: 0 }),
    limiterMode: () => 'process' as const,
    sharedCacheMode: () => 'process' as const,
  };
  const use = (index: number) => {
    const keyHash = `hash-of-key-${index}`;
    budgets.of(keyHash).current.enter('general', createFairShare(), 'target', () => {});
    for (const route of routes)
      upstream.onSettled(
        { route, initiator: {}, keyHash, origin: { operation: `Operation${index}`, client: `client-${index}` } },
        { resends: 0, durationMs: index, waitedMs: 0, status: 200 },
      );
    operations.operationEnded({
      type: OperationTypeNode.QUERY,
      outcome: 'ok',
      durationMs: index,
      cost: { calls: index, cached: 0, coalesced: 0, waitedMs: 0 },
      isLate: false,
    });
  };
  const series = async () => {
    await writeState(metrics, state);
    const text = await registry.metrics();
    return text.split('\n').flatMap((line) => (/^[a-z]/.test(line) ? [line.slice(0, line.lastIndexOf(' '))] : []));
  };
  use(0);
  const first = (await series()).filter((name) => !name.startsWith('nodejs_'));
  for (let index = 1; index < 10_000; index++) use(index);
  const last = (await series()).filter((name) => !name.startsWith('nodejs_'));
  expect(last).toEqual(first);
  expect(last.length).toBeLessThan(1_000);
  expect(await listFullestKeys(budgets)).toHaveLength(10);
});
