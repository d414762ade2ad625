import { describe, expect, it } from 'vitest';
import { toBarText, toWindowText } from '../../../src/graphiql/bar-text.ts';
import { type Run, startRun, withPayload } from '../../../src/graphiql/run.ts';
import type { Payload } from '../../../src/graphiql/payloads.ts';

const upstream = { calls: 5, cached: 2, coalesced: 0, waitedMs: 0, sandbox: true };
const ended = (payloads: readonly Payload[], change: Partial<Run> = {}): Run => ({
  ...payloads.reduce((run, payload) => withPayload(run, payload, 1_000), startRun('query', 0)),
  state: 'ended',
  endedAtMs: 1_200,
  status: 200,
  ...change,
});
const error = (code: string, more: object = {}) => ({
  message: 'PMAK-secret',
  extensions: { code, ...more },
});
const limited = { retryable: true, limitedBy: 'facade', retryAfterSeconds: 12, retryAt: '2001-01-01T00:00:00Z' };

describe('the bar', () => {
  it('says that nothing was run', () => {
    expect(toBarText(undefined, 0)).toMatchObject({ tone: 'idle', headline: 'Not run yet' });
  });

  it('names calls, cached responses, waiting and stale parts', () => {
    const stale = [{ ageSeconds: 70 }, { ageSeconds: 200 }];
    const run = ended([{ data: {}, extensions: { upstream: { ...upstream, coalesced: 1, waitedMs: 2_400, stale } } }]);
    expect(toBarText(run, 9_000)).toEqual({
      tone: 'good',
      headline: '5 calls',
      details: '2 cached · 1 shared · waited 3 s · 2 stale parts, up to 3 min 20 s old · 2 s',
    });
  });

  it.each([
    [0, 'No calls'],
    [1, '1 call'],
  ])('counts %i calls', (calls, headline) => {
    expect(toBarText(ended([{ data: {}, extensions: { upstream: { ...upstream, calls } } }]), 0).headline).toBe(
      headline,
    );
  });

  it('counts down to the earliest retry, then offers it', () => {
    const causes = [
      { code: 'FORBIDDEN', count: 2, retryable: false },
      { code: 'RATE_LIMITED', count: 14, ...limited, retryAfterSeconds: 30 },
      { code: 'RATE_LIMITED', count: 3, ...limited },
    ];
    const run = ended([{ errors: [error('FORBIDDEN')], extensions: { errorsByCause: causes, upstream } }]);
    expect(toBarText(run, 1_500)).toEqual({
      tone: 'waiting',
      headline: '3 × RATE_LIMITED and 2 other causes',
      details: 'Run again in 12 s · waits for free slots · 5 calls · 2 cached',
      again: { isDue: false },
    });
    expect(toBarText(run, 13_000)).toMatchObject({
      details: 'Run again now · 5 calls · 2 cached',
      again: { isDue: true },
    });
  });

  it('takes errors one by one where the response does not group them', () => {
    const run = ended([{ errors: [error('RATE_LIMITED', limited), error('RATE_LIMITED', limited)] }]);
    expect(toBarText(run, 1_000).headline).toBe('2 × RATE_LIMITED');
  });

  it('offers no retry that would not help, and never shows a message', () => {
    const run = ended([{ errors: [error('UNAUTHENTICATED'), { message: 'PMAK-secret' }, null] }]);
    const text = toBarText(run, 1_000);
    expect(text).toEqual({ tone: 'bad', headline: 'UNAUTHENTICATED and 1 other cause', details: '' });
  });

  it('shows how far a stream has come', () => {
    const parts: Payload[] = [
      { data: { a: [] }, hasNext: true },
      { hasNext: true },
      { incremental: [{ items: [1, 2] }, { items: null }], hasNext: true },
    ];
    const running = ended(parts, { state: 'running', isInParts: true });
    expect(toBarText(running, 4_000, 7)).toEqual({
      tone: 'busy',
      headline: 'Streaming …',
      details: '2 rows in 2 parts · 4 s · 7 calls in the queue',
    });
    const last = ended([...parts, { hasNext: false, extensions: { upstream } }], { isInParts: true });
    expect(toBarText(last, 4_000)).toMatchObject({
      headline: '5 calls',
      details: '2 rows in 3 parts · 2 cached · 2 s',
    });
  });

  it.each([
    [{ likelyCost: 26, cost: 56, costAtLeast: 1 }, 'likely 26 calls', 'at least 1, at most 56 · slots for all in 13 s'],
    [
      { likelyCost: 26, cost: 1_000, costAtLeast: 1 },
      'likely 26 calls',
      'at least 1, at most 1000 or more · slots for all in 13 s',
    ],
    [{ likelyCost: 3, cost: 3, costAtLeast: 3 }, 'exactly 3 calls', 'slots for all in 13 s'],
    [{ likelyCost: 0, cost: 0, costAtLeast: 0 }, 'no calls', 'everything is cached'],
  ])('shows the estimate %j', (estimate, headline, details) => {
    const rateLimit = { ...estimate, likelyReadyAt: '1970-01-01T00:00:14.500Z' };
    const run = ended([{ data: { rateLimit }, extensions: { upstream } }], { kind: 'dryRun' });
    expect(toBarText(run, 1_500)).toEqual({
      tone: 'plan',
      headline: `Dry run: ${headline}`,
      details: `${details} · nothing was sent`,
    });
  });

  it.each([
    [{ state: 'stopped' }, 'Stopped after 2 s'],
    [{ state: 'unanswered' }, 'No response'],
    [{ kind: 'dryRun' }, 'No estimate'],
    [{ status: 502 }, 'HTTP status 502'],
  ] as const)('says how a run with %j ended', (change, headline) => {
    expect(toBarText(ended([], change), 0).headline).toBe(headline);
  });

  it('describes a window', () => {
    const window = { name: 'general', limit: 60, windowSeconds: 60, free: 52, fullInMs: 38_000 };
    expect(toWindowText(window).short).toBe('52 of 60 calls free, all in 38 s');
    expect(toWindowText({ ...window, name: 'burst', limit: 10, free: 10 }).short).toBe('10 of 10 in a burst');
  });
});
