import type { Announcement } from './announcements.ts';
import { type Facade, startFacade } from './facade.ts';
import { createFigures, type Figures } from './figures.ts';
import { createJudge, type Judge, type Limits } from './judge.ts';
import { createLatency, type LatencyName } from './latency.ts';
import type { LimiterSettings } from './limiter.ts';
import { createRandom, type Random } from './random.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { createUpstream, type Upstream, type UpstreamOptions } from './upstream.ts';
import type { Wire } from './wire.ts';

/** One simulated run: the program under test, upstream, and the network between them. */
export interface World {
  readonly timeline: Timeline;
  /** Decides what clients do. */
  readonly random: Random;
  readonly judge: Judge;
  readonly upstream: Upstream;
  readonly wire: Wire;
  readonly facade: Facade;
  readonly figures: Figures;
  /** Describes the settings of the run for people. */
  readonly description: string;
  /** Returns a target that nobody has requested yet. */
  newTarget(isBurst: boolean): { readonly target: string; readonly isBurst: boolean };
  /** Whether clients must stop sending operations. */
  isOver(): boolean;
  end(): void;
  /** Runs until no event is left, and checks that every client has its outcome. */
  run(): Promise<void>;
}

/** Settings of a world. All have defaults. */
export interface WorldOptions {
  readonly latency?: LatencyName;
  readonly limits?: Partial<Limits>;
  readonly announcement?: Announcement;
  readonly reset?: UpstreamOptions['reset'];
  readonly countsRefused?: boolean;
  readonly settings?: Partial<LimiterSettings>;
  readonly wallOffsetMs?: number;
  readonly processAgeMs?: number;
  /** Clients stop when upstream has received so many of our calls ... */
  readonly calls?: number;
  /** ... or after this time. */
  readonly durationMs?: number;
}

const HOUR_MS = 3_600_000;

/** Creates the world of one seed. */
export function createWorld(
  seed: number,
  {
    latency = 'constant',
    limits: limitOverrides = {},
    announcement = 'X-RateLimit, epoch',
    reset = 'next slot',
    countsRefused = false,
    settings: settingOverrides = {},
    wallOffsetMs = 0,
    processAgeMs = HOUR_MS,
    calls = Number.POSITIVE_INFINITY,
    durationMs = Number.POSITIVE_INFINITY,
  }: WorldOptions,
): World {
  const root = createRandom(seed);
  const random = root.fork();
  const timeline = createTimeline();
  const figures = createFigures();
  const limits: Limits = { general: 60, generalMs: 60_000, burst: 10, burstMs: 10_000, ...limitOverrides };
  const judge = createJudge(limits);
  const upstream = createUpstream(
    { limits, announcement, reset, countsRefused },
    { timeline, random: root.fork(), judge, figures },
  );
  const wire: Wire = { isRefusing: false, sentAtMs: new Map() };
  const settings: LimiterSettings = {
    general: { limit: limits.general, windowMs: limits.generalMs, isCap: false },
    burst: { limit: limits.burst, windowMs: limits.burstMs },
    reservedCalls: 5,
    maxConcurrentCalls: 10,
    cacheTtlMs: 0,
    coldStart: 'probe',
    ...settingOverrides,
  };
  const facade = startFacade({
    timeline,
    random: root.fork(),
    upstream,
    latency: createLatency(latency, root.fork()),
    wire,
    figures,
    settings,
    wallOffsetMs,
    processAgeMs,
  });
  const endMs = timeline.nowMs() + durationMs;
  let isEnded = false;
  let targets = 0;
  return {
    timeline,
    random,
    judge,
    upstream,
    wire,
    facade,
    figures,
    description: JSON.stringify({
      latency,
      limits,
      announcement,
      reset,
      countsRefused,
      settings,
      wallOffsetMs,
      processAgeMs,
    }),
    newTarget: (isBurst) => ({ target: `/${isBurst ? 'burst' : 'general'}/${targets++}`, isBurst }),
    isOver: () => isEnded || judge.calls >= calls || timeline.nowMs() >= endMs,
    end() {
      isEnded = true;
    },
    async run() {
      const startMs = timeline.nowMs();
      await timeline.run();
      figures.add('virtual minutes', (timeline.nowMs() - startMs) / 60_000);
      figures.never('clients left without a result', facade.waiting);
    },
  };
}
