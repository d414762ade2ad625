import { array, assert, constantFrom, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRetryBudget } from '../../../src/upstream/calls/retry-budget.ts';
import { UpstreamError, type UpstreamErrorKind } from '../../../src/upstream/http/upstream-error.ts';

const failure = (kind: UpstreamErrorKind, hintedWaitMs?: number) =>
  new UpstreamError(kind, 'It failed.', { route: '/me', ...(hintedWaitMs !== undefined && { hintedWaitMs }) });

const createSteady = () => createRetryBudget(() => 0);

/** The results of `spend` for this many failures in a row. */
const spendAll = (retries: ReturnType<typeof createRetryBudget>, count: number) =>
  Array.from({ length: count }, () => retries.spend('tenant', failure('serverError')));

describe('createRetryBudget', () => {
  it('retries broken connections and 5XX, and nothing else', () => {
    const kinds: readonly UpstreamErrorKind[] = [
      'unavailable',
      'serverError',
      'timeout',
      'rateLimited',
      'quotaExhausted',
      'unauthenticated',
      'forbidden',
      'notFound',
      'badInput',
      'badResponse',
      'tooExpensive',
    ];
    expect(kinds.filter((kind) => createSteady().spend('tenant', failure(kind)) !== undefined)).toEqual([
      'unavailable',
      'serverError',
    ]);
  });

  it('waits a random time from 200 ms to below a second', () => {
    const delayOf = (random: number) => createRetryBudget(() => random).spend('tenant', failure('unavailable'));
    expect([delayOf(0), delayOf(0.5), delayOf(0.999999)]).toEqual([200, 600, 999.9992]);
  });

  it('waits as long as upstream asks, up to five seconds, and at least as long as without a hint', () => {
    const delayOf = (hintedWaitMs: number) => createSteady().spend('tenant', failure('serverError', hintedWaitMs));
    expect([0, 199, 201, 1_000, 5_000].map(delayOf)).toEqual([200, 200, 201, 1_000, 5_000]);
  });

  it('leaves a longer wait to the client', () => {
    expect(createSteady().spend('tenant', failure('serverError', 5_001))).toBeUndefined();
  });

  it('starts with three retries', () => {
    expect(spendAll(createSteady(), 5)).toEqual([200, 200, 200, undefined, undefined]);
  });

  it('deducts nothing for a failure that is not worth a retry', () => {
    const retries = createSteady();
    for (let index = 0; index < 50; index++) {
      retries.spend('tenant', failure('timeout'));
      retries.spend('tenant', failure('unavailable', 60_000));
    }
    expect(spendAll(retries, 4)).toEqual([200, 200, 200, undefined]);
  });

  it('earns one retry with every ten responses', () => {
    const retries = createSteady();
    spendAll(retries, 3);
    for (let answer = 0; answer < 9; answer++) retries.earn('tenant');
    const afterNine = retries.spend('tenant', failure('serverError'));
    retries.earn('tenant');
    expect([afterNine, ...spendAll(retries, 2)]).toEqual([undefined, 200, undefined]);
  });

  it('has three retries for each key, whatever others have used', () => {
    const retries = createSteady();
    const spend = (tenant: string) => retries.spend(tenant, failure('serverError'));
    const one = Array.from({ length: 10 }, () => spend('one'));
    const two = Array.from({ length: 4 }, () => spend('two'));
    expect([one.filter(Boolean).length, two]).toEqual([3, [200, 200, 200, undefined]]);
  });

  it('has thirty retries for all keys together, to which the responses of each key add', () => {
    const retries = createSteady();
    const spend = (tenant: string) => retries.spend(tenant, failure('serverError')) !== undefined;
    const made = Array.from({ length: 40 }, (_, index) => spend(`tenant-${index}`)).filter(Boolean).length;
    for (let answer = 0; answer < 10; answer++) retries.earn('tenant-0');
    expect([made, spend('late'), spend('later')]).toEqual([30, true, false]);
  });

  it('never saves up more than three retries', () => {
    const retries = createSteady();
    for (let answer = 0; answer < 1_000; answer++) retries.earn('tenant');
    expect(spendAll(retries, 4)).toEqual([200, 200, 200, undefined]);
  });

  it('never allows more retries than three plus a tenth of the responses, in whatever order they come', () => {
    assert(
      property(
        array(constantFrom('answer', 'answer', 'answer', 'unavailable', 'serverError', 'timeout'), { maxLength: 400 }),
        (events) => {
          const retries = createSteady();
          let answers = 0;
          let made = 0;
          for (const event of events) {
            if (event === 'answer') {
              answers++;
              retries.earn('tenant');
            } else if (retries.spend('tenant', failure(event)) !== undefined) made++;
            expect(made).toBeLessThanOrEqual(3 + answers / 10);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
