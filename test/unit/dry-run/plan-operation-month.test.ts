import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { createSchema } from '../../../src/graph/schema.ts';
import { planOperation } from '../../../src/dry-run/plan-operation.ts';
import { createSimulationQueue } from '../../../src/dry-run/simulation-queue.ts';
import { createBudgetRegistry } from '../../../src/upstream/rate-limiter/budget-registry.ts';
import { uncountedResponses } from '../../../src/upstream/calls/operation/held-responses.ts';
import { openOperation } from '../../../src/upstream/calls/operation/operation.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const schema = createSchema();
const calls = {
  cachedOutcome: () => undefined,
  lastOutcome: () => undefined,
  isCached: () => false,
  load: () => undefined,
  sizesOf: () => undefined,
  cachedLists: () => [],
  loadLists: () => undefined,
  cachesAny: () => false,
  isRenewable: () => false,
  fairShareOf: () => 'key hash',
};

/** Milliseconds to serve three calls when the monthly quota has so many left. */
async function servedInMs(monthRemaining: number | undefined): Promise<number | null> {
  const clock = createVirtualClock();
  const keyBudget = createBudgetRegistry({
    general: { limit: 60, windowMs: 60_000, isCap: false },
    reservedCalls: 0,
    maxConcurrentCalls: 10,
    coldStart: 'off',
    maxBytes: 1_000_000,
    processStartedAtMs: clock.nowMs(),
    clock,
  }).of('key hash');
  const { view } = keyBudget;
  const snapshot = view.snapshot.bind(view);
  view.snapshot = () => ({ ...snapshot(), ...(monthRemaining !== undefined && { monthRemaining }) });
  const { operation } = openOperation({
    keyHash: 'key hash',
    apiKey: new Secret('key'),
    keyBudget: { current: keyBudget.current, view, belongsTo() {} },
    clientAddress: '127.0.0.1',
    heldResponses: { open: () => uncountedResponses },
    timeoutMs: 1_000,
    clientGone: new AbortController().signal,
    maxCalls: 60,
    clock,
  });
  const document = parse(
    '{ rateLimit(dryRun: true) { readyAt } me { id } a: environment(uid: "1-a") { values { key } } b: environment(uid: "1-b") { values { key } } }',
  );
  const { estimate } = await planOperation(
    { schema, document, operationName: undefined, variables: {}, operation },
    { calls, clock, simulations: createSimulationQueue(clock) },
  );
  const { atMost, servedInMs: inMs } = await estimate();
  expect(atMost).toBe(3);
  return inMs;
}

it.each([
  [undefined, expect.any(Number)],
  [4, expect.any(Number)],
  [3, expect.any(Number)],
  [2, null],
  [0, null],
])('three calls with %s left in the monthly quota take %s ms', async (monthRemaining, inMs) => {
  expect(await servedInMs(monthRemaining)).toEqual(inMs);
});
