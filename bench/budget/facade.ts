import { UpstreamError, type UpstreamErrorKind } from '../../src/upstream/http/upstream-error.ts';
import type { Figures } from './figures.ts';
import type { Latency } from './latency.ts';
import { createLimiter, type Limiter, type LimiterSettings } from './limiter.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Upstream } from './upstream.ts';
import { createWireClient, type Wire } from './wire.ts';

/** One operation of a client. */
export interface ClientOperation {
  readonly key: string;
  /** Requested all at once, as the resolvers of one GraphQL level do. */
  readonly calls: readonly { readonly target: string; readonly isBurst: boolean }[];
  readonly timeoutMs: number;
  /** Default: the number of its calls. */
  readonly maxCalls?: number;
  /** The client disconnects after this time. */
  readonly leavesAfterMs?: number;
  /** Whether to record when each call was sent. For targets that no other operation requests. */
  readonly isWatched?: boolean;
}

/** Outcome of one call of a client. */
export interface Outcome {
  /** `crashed`: the process died, or was down. */
  readonly kind: 'answer' | 'crashed' | UpstreamErrorKind;
  readonly requestedAtMs: number;
  readonly atMs: number;
  readonly sentAtMs?: number;
  /** As clients receive it: whole seconds, rounded up. */
  readonly retryAfterSeconds?: number;
  readonly limitedBy?: 'upstream' | 'facade' | 'operation';
}

/** The program under test as its clients see it. */
export interface Facade {
  /** Never rejects. */
  execute(execute: ClientOperation): Promise<readonly Outcome[]>;
  /** Kills the process with all its state. Another one starts after this time. */
  crash(downMs: number): void;
  /** Sets the wall clock of the machine. */
  jumpWallClock(ms: number): void;
  readonly isUp: boolean;
  /** Number of clients that are still waiting. */
  readonly waiting: number;
}

/** Starts the program under test. */
export function startFacade({
  timeline,
  random,
  upstream,
  latency,
  wire,
  figures,
  settings,
  wallOffsetMs,
  processAgeMs,
}: {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly upstream: Upstream;
  readonly latency: Latency;
  readonly wire: Wire;
  readonly figures: Figures;
  readonly settings: LimiterSettings;
  /** Lead of its wall clock over upstream's. */
  readonly wallOffsetMs: number;
  /** Uptime of the first process at the start of the run. */
  readonly processAgeMs: number;
}): Facade {
  let offsetMs = wallOffsetMs;
  let limiter: Limiter | undefined;
  let die = () => {};
  const abandon = new Set<() => void>();

  const start = (ageMs: number) => {
    let isAlive = true;
    die = () => {
      isAlive = false;
    };
    const clock = {
      nowMs: () => timeline.nowMs(),
      epochMs: () => upstream.epochMs() + offsetMs,
      schedule: (atMs: number, run: () => void) => timeline.act(atMs, () => isAlive && run()),
    };
    const http = createWireClient(wire, { timeline, upstream, latency, figures, isAlive: () => isAlive });
    const limiterRandom = random.fork();
    const processStartedAtMs = timeline.nowMs() - ageMs;
    limiter = createLimiter({ settings, http, clock, random: () => limiterRandom.next(), processStartedAtMs });
  };
  start(processAgeMs);

  const toOutcome = (error: unknown, requestedAtMs: number): Outcome => {
    if (!(error instanceof UpstreamError)) throw error;
    const atMs = timeline.nowMs();
    const { kind, retryAtMs, limitedBy } = error;
    return {
      kind,
      requestedAtMs,
      atMs,
      ...(retryAtMs !== undefined && { retryAfterSeconds: Math.max(0, Math.ceil((retryAtMs - atMs) / 1_000)) }),
      ...(limitedBy !== undefined && { limitedBy }),
    };
  };

  return {
    async execute({ key, calls, timeoutMs, maxCalls = Math.max(1, calls.length), leavesAfterMs, isWatched = false }) {
      const requestedAtMs = timeline.nowMs();
      const crashed = (): Outcome => ({ kind: 'crashed', requestedAtMs, atMs: timeline.nowMs() });
      if (!limiter) return calls.map(crashed);
      const client = new AbortController();
      const operation = limiter.open({ key, timeoutMs, maxCalls, clientGone: client.signal });
      const hangUp =
        leavesAfterMs === undefined ? undefined : timeline.act(requestedAtMs + leavesAfterMs, () => client.abort());
      let onCrash = () => {};
      const crash = new Promise<'crash'>((resolve) => {
        onCrash = () => resolve('crash');
      });
      abandon.add(onCrash);
      const each = calls.map(async ({ target, isBurst }): Promise<Outcome> => {
        if (isWatched) wire.sentAtMs.set(target, undefined);
        figures.add('calls requested');
        const outcome = await operation.get(target, isBurst).then(
          (): Outcome => ({ kind: 'answer', requestedAtMs, atMs: timeline.nowMs() }),
          (error: unknown) => toOutcome(error, requestedAtMs),
        );
        const sentAtMs = isWatched ? wire.sentAtMs.get(target) : undefined;
        if (isWatched) wire.sentAtMs.delete(target);
        if (outcome.atMs > requestedAtMs + timeoutMs) figures.never('results after the deadline', 1);
        return { ...outcome, ...(sentAtMs !== undefined && { sentAtMs }) };
      });
      const outcomes = await Promise.race([Promise.all(each), crash]);
      abandon.delete(onCrash);
      hangUp?.();
      if (outcomes === 'crash') return calls.map(crashed);
      operation.close();
      for (const { kind, limitedBy } of outcomes) {
        figures.add(`client: ${kind}${limitedBy === undefined ? '' : ` by ${limitedBy}`}`);
      }
      return outcomes;
    },
    crash(downMs) {
      if (!limiter) return;
      die();
      limiter = undefined;
      for (const onCrash of abandon) onCrash();
      timeline.act(timeline.nowMs() + downMs, () => start(0));
    },
    jumpWallClock(ms) {
      offsetMs += ms;
    },
    get isUp() {
      return limiter !== undefined;
    },
    get waiting() {
      return abandon.size;
    },
  };
}
