import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Budget } from '../../../src/upstream/rate-limiter/budget.ts';
import { uncountedResponses } from '../../../src/upstream/calls/operation/held-responses.ts';
import { openOperation } from '../../../src/upstream/calls/operation/operation.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

function open(client = new AbortController()) {
  const clock = createVirtualClock();
  const general = { limit: 60, windowMs: 60_000, isCap: false };
  const budget = new Budget({
    general,
    reservedCalls: 5,
    maxConcurrentCalls: 10,
    coldStart: 'off',
    processStartedAtMs: 0,
    clock,
  });
  const apiKey = new Secret('PMAK-canary');
  const options = {
    keyHash: 'tenant',
    apiKey,
    keyBudget: { current: budget, view: budget.view, belongsTo: () => {} },
    clientAddress: '127.0.0.1',
    heldResponses: { open: () => uncountedResponses },
    timeoutMs: 30_000,
    clientGone: client.signal,
    maxCalls: 60,
    clock,
  };
  return { client, clock, ...openOperation(options) };
}

describe('openOperation', () => {
  it('starts with nothing spent', () => {
    const { clock, operation } = open();
    const { meter, caller, ...rest } = operation;
    expect({
      ...rest,
      keyHash: caller.keyHash,
      clientAddress: caller.clientAddress,
      belongsTo: undefined,
      fairShare: undefined,
      refusals: undefined,
      retryOutlook: undefined,
      ended: operation.ended.aborted,
      meter: { ...meter, pendingCalls: meter.pendingCalls.count, wait: meter.wait.totalMs() },
    }).toEqual({
      keyHash: 'tenant',
      clientAddress: '127.0.0.1',
      belongsTo: undefined,
      fairShare: undefined,
      openedAtMs: clock.nowMs(),
      deadlineMs: clock.nowMs() + 30_000,
      ended: false,
      maxCalls: 60,
      firstRowScheduler: undefined,
      idleTasks: { add: expect.any(Function), waitFor: expect.any(Function) },
      meter: {
        requestedCalls: 0,
        cost: { calls: 0, cached: 0, coalesced: 0 },
        ages: { add: expect.any(Function), staleMs: expect.any(Function), oldestMs: expect.any(Function) },
        wait: 0,
        pendingCalls: 0,
        servedTargets: new Set(),
        freshUntilMs: Number.POSITIVE_INFINITY,
      },
      directives: {},
      responses: uncountedResponses,
      refusals: undefined,
      retryOutlook: undefined,
      waitFor: expect.any(Function),
      lastSlotAtMs: expect.any(Function),
    });
    expect(JSON.stringify(operation)).not.toContain('canary');
  });

  it('ends at its deadline, on the monotonic clock', async () => {
    const { clock, operation } = open();
    clock.jumpWallClock(3_600_000);
    await clock.advance(29_999);
    expect(operation.ended.aborted).toBe(false);
    await clock.advance(1);
    expect(operation.ended.reason).toBe('deadline');
  });

  it('ends when the client disconnects', () => {
    const { client, operation } = open();
    client.abort();
    expect(operation.ended.reason).toBe('clientGone');
  });

  it('has ended if the client disconnected before', () => {
    const client = new AbortController();
    client.abort();
    expect(open(client).operation.ended.reason).toBe('clientGone');
  });

  it('can have its deadline brought forward', () => {
    const { operation, expire } = open();
    expire();
    expect(operation.ended.reason).toBe('deadline');
  });

  it('ends when it is closed, also by an abort listener that runs before its own', () => {
    const client = new AbortController();
    let close = () => undefined as void;
    client.signal.addEventListener('abort', () => close());
    const opened = open(client);
    close = opened.close;
    client.abort();
    expect(opened.operation.ended.reason).toBe('clientGone');
  });

  it('leaves no listener and no timer behind', async () => {
    const { client, clock, operation, close } = open();
    close();
    await clock.advance(60_000);
    expect([operation.ended.reason, getEventListeners(client.signal, 'abort')]).toEqual(['clientGone', []]);
  });

  it('measures how long at least one call waits', async () => {
    const { clock, operation } = open();
    const { wait } = operation.meter;
    wait.start();
    await clock.advance(100);
    wait.start();
    await clock.advance(100.4);
    wait.stop();
    await clock.advance(100);
    expect(wait.totalMs()).toBe(300);
    wait.stop();
    await clock.advance(1_000);
    wait.start();
    await clock.advance(50);
    expect(wait.totalMs()).toBe(350);
  });
});
