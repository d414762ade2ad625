import { type Announcement, ANNOUNCEMENTS } from './announcements.ts';
import { DRAWN_DEMANDS, DEMANDS, startForeignUsers } from './demand.ts';
import type { Figures } from './figures.ts';
import { LATENCIES } from './latency.ts';
import { createRandom } from './random.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

/** A finished run. */
export interface Run {
  readonly world: World;
  readonly figures: Figures;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const KEY = 'user-1';

/** Limits, latencies, header formats and settings drawn from a seed. */
function drawOptions(seed: number, calls: number): WorldOptions {
  const random = createRandom(seed ^ 0x5bd1e995);
  // Mostly the real limits; others for faults that only show at other proportions.
  const limits = random.chance(0.7)
    ? { general: random.chance(0.2) ? 300 : 60 }
    : {
        general: random.whole(1, 80),
        generalMs: 10_000 * random.whole(1, 6),
        burst: random.whole(1, 12),
        burstMs: 5_000 + 1_000 * random.whole(0, 5),
      };
  const general = limits.general;
  return {
    calls,
    // For low demand: ten times as long as the limit would require.
    durationMs: ((calls * (limits.generalMs ?? MINUTE_MS)) / general) * 10,
    latency: LATENCIES[seed % LATENCIES.length] ?? 'constant',
    limits,
    announcement: random.pick(ANNOUNCEMENTS),
    reset: random.pick(['next slot', 'whole window']),
    countsRefused: random.chance(0.5),
    settings: {
      general: { limit: general, windowMs: limits.generalMs ?? MINUTE_MS, isCap: random.chance(0.5) },
      reservedCalls: Math.min(general - 1, random.pick([0, 5, 5, 5, 1, 20])),
      maxConcurrentCalls: random.pick([10, 10, 10, 3, 100]),
      cacheTtlMs: random.pick([0, 10_000, 60_000]),
      coldStart: random.pick(['probe', 'wait']),
    },
    wallOffsetMs: random.pick([0, 0, 5_000, -5_000, HOUR_MS, -HOUR_MS]),
    processAgeMs: random.pick([0, HOUR_MS]),
  };
}

function startDemands(
  world: World,
  key: string,
  burstFractions: readonly [number, ...number[]] = [0, 0.2, 0.5, 1],
): void {
  const { random } = world;
  const burstFraction = random.pick(burstFractions);
  const first = random.pick(DRAWN_DEMANDS);
  DEMANDS[first](world, key, burstFraction);
  if (random.chance(0.3)) DEMANDS[random.pick(DRAWN_DEMANDS)](world, key, burstFraction);
  // The wall clock is changed, and changed back.
  if (random.chance(0.3)) {
    startRegularly(world, 20 * MINUTE_MS, () =>
      world.facade.jumpWallClock(random.pick([HOUR_MS, -HOUR_MS, 5_000, -5_000])),
    );
  }
}

/** Runs a function at random moments, `everyMs` apart on average, until the end of the run. */
export function startRegularly(world: World, everyMs: number, run: () => void): void {
  const { timeline, random } = world;
  const next = () => {
    timeline.act(timeline.nowMs() + random.between(0.1, 1.9) * everyMs, () => {
      if (world.isOver()) return;
      run();
      next();
    });
  };
  next();
}

/** Nobody else uses the key, and upstream works. No call may exceed a limit or be refused. */
export async function runAlone(seed: number, calls: number): Promise<Run> {
  const world = createWorld(seed, drawOptions(seed, calls));
  startDemands(world, KEY);
  await world.run();
  world.figures.never('calls above a window', world.figures.get('calls above a window'));
  world.figures.never('429', world.figures.get('429'));
  return { world, figures: world.figures };
}

/** The same with failures of upstream: a changing fraction of 5XX, and minutes in which it refuses connections. */
export async function runFaults(seed: number, calls: number): Promise<Run> {
  const world = createWorld(seed, drawOptions(seed, calls));
  const { random, upstream, wire, timeline } = world;
  startDemands(world, KEY);
  startRegularly(world, 5 * MINUTE_MS, () => upstream.fail(random.pick([0, 0.1, 0.5, 1]), [500, 502, 503, 504]));
  startRegularly(world, 20 * MINUTE_MS, () => {
    wire.isRefusing = true;
    timeline.act(timeline.nowMs() + random.between(0, 10 * MINUTE_MS), () => {
      wire.isRefusing = false;
    });
  });
  await world.run();
  world.figures.never('calls above a window', world.figures.get('calls above a window'));
  world.figures.never('429', world.figures.get('429'));
  return { world, figures: world.figures };
}

/** The process dies at random moments and restarts without its state. Upstream still counts the earlier calls. */
async function runCrashes(seed: number, calls: number, coldStart: 'probe' | 'wait'): Promise<Run> {
  const drawn = drawOptions(seed, calls);
  const options = { ...drawn, settings: { ...drawn.settings, coldStart } };
  const world = createWorld(seed, options);
  const { random, facade, figures } = world;
  startDemands(world, KEY);
  startRegularly(world, 5 * MINUTE_MS, () => {
    if (!facade.isUp) return;
    figures.add('restarts');
    facade.crash(random.between(200, 5_000));
  });
  await world.run();
  return { world, figures };
}

/** After each start the process waits until upstream has forgotten earlier calls. No call may exceed a limit. */
export async function runCrashesWaiting(seed: number, calls: number): Promise<Run> {
  const run = await runCrashes(seed, calls, 'wait');
  run.figures.never('calls above a window', run.figures.get('calls above a window'));
  run.figures.never('429', run.figures.get('429'));
  return run;
}

/** After each start the process probes. Measures what that costs. */
export async function runCrashesProbing(seed: number, calls: number): Promise<Run> {
  return runCrashes(seed, calls, 'probe');
}

/** Others use the same key. Calls are refused, but our own calls alone stay within every window. */
export async function runForeign(seed: number, calls: number): Promise<Run> {
  const world = createWorld(seed, drawOptions(seed, calls));
  const { random, upstream, figures } = world;
  startDemands(world, KEY);
  const perMinute = (upstream.limits.general * MINUTE_MS * random.pick([0.1, 0.3, 0.6])) / upstream.limits.generalMs;
  startForeignUsers(world, KEY, random.pick(['steady', 'bursts']), perMinute);
  await world.run();
  figures.never('calls above a window', figures.get('calls above a window'));
  return { world, figures };
}

/** The limit is lowered and raised while calls are made. Responses always announce it. */
export async function runLimits(seed: number, calls: number): Promise<Run> {
  const random = createRandom(seed);
  const announcement = random.pick<Announcement>(['X-RateLimit, epoch', 'RateLimit and policy', 'RateLimit-, seconds']);
  const world = createWorld(seed, {
    ...drawOptions(seed, calls),
    limits: { general: 60 },
    announcement,
    settings: {
      general: { limit: 60, windowMs: 60_000, isCap: false },
      coldStart: 'probe',
      maxConcurrentCalls: random.pick([10, 3, 30]),
    },
    durationMs: (calls / 10) * MINUTE_MS,
  });
  const { upstream, wire, timeline, figures, judge } = world;
  let knownGeneration = 0;
  let knownAtMs = timeline.nowMs();
  wire.onResponse = ({ generation, arrival }) => {
    // A 429 does not always name the limit. A limit of 10 without its window can be that of the burst window.
    const isPlain = arrival.status !== 429 && (!arrival.isBurst || announcement === 'RateLimit and policy');
    if (generation > knownGeneration && isPlain) {
      knownGeneration = generation;
      knownAtMs = timeline.nowMs();
    }
    if (arrival.status !== 429) return;
    const isKnown = knownGeneration === upstream.generation && arrival.sentAtMs > knownAtMs;
    figures.add(isKnown ? '429 after the limit was announced' : '429 before the limit was announced');
    if (isKnown) judge.freezeTrace();
  };
  const steps = [300, 10, 60];
  startRegularly(world, 8 * MINUTE_MS, () => {
    const limit = steps.shift() ?? 60;
    steps.push(limit);
    if (limit < upstream.limits.general) figures.add('lowerings');
    upstream.setGeneralLimit(limit);
  });
  // Not only burst routes: if no window is named, a limit of 10 could be that of either window.
  startDemands(world, KEY, [0, 0.2, 0.5]);
  await world.run();
  figures.never('429 after the limit was announced', figures.get('429 after the limit was announced'));
  return { world, figures };
}

/** 50 keys, one of which far exceeds its budget. The others must not notice. */
export async function runKeys(seed: number, calls: number): Promise<Run> {
  const drawn = drawOptions(seed, calls);
  const world = createWorld(seed, {
    ...drawn,
    limits: { general: 60 },
    settings: {
      ...drawn.settings,
      general: { limit: 60, windowMs: 60_000, isCap: true },
      maxConcurrentCalls: 10,
      coldStart: 'probe',
    },
    latency: seed % 2 === 0 ? 'constant' : 'jitter',
    processAgeMs: HOUR_MS,
  });
  const { random, facade, figures, timeline } = world;
  DEMANDS.greedy(world, 'user-greedy', 0.3);
  for (let index = 1; index < 50; index++) {
    const key = `user-${index}`;
    const sendOne = async () => {
      const calls = [world.newTarget(random.chance(0.1))];
      const [outcome] = await facade.execute({ key, calls, timeoutMs: 30_000, isWatched: true });
      const waitedMs = (outcome?.sentAtMs ?? Number.POSITIVE_INFINITY) - (outcome?.requestedAtMs ?? 0);
      figures.add('calls of other keys');
      figures.most('longest wait of other keys, ms', waitedMs);
      if (waitedMs > 0) figures.never('calls of other keys that waited', 1);
    };
    // At least three seconds apart: too few per window for the key's own budget to make them wait.
    const next = () => {
      timeline.act(timeline.nowMs() + 3_000 + random.exponential(17_000), () => {
        if (world.isOver()) return;
        void sendOne();
        next();
      });
    };
    next();
  }
  await world.run();
  figures.never('calls above a window', figures.get('calls above a window'));
  figures.never('429', figures.get('429'));
  return { world, figures };
}
