import { ANNOUNCEMENTS } from './announcements.ts';
import { manyCalls, startGreedyClients, startStream } from './demand.ts';
import { LATENCIES, type LatencyName } from './latency.ts';
import { createRandom } from './random.ts';
import type { Run } from './traffic.ts';
import { createWorld } from './world.ts';

const MINUTE_MS = 60_000;
const KEY = 'user-1';

/** The demand while the use of the budget is measured. */
const USERS = {
  'clients, nothing reserved': { reservedCalls: 0, isOverloaded: false, minFraction: 0.98 },
  /**
   * Clients whose next operation follows the last. Slots reserved for first calls stay idle until one of the clients
   * starts an operation. That is the price of the reservation: reported, not judged.
   */
  'clients, 5 reserved': { reservedCalls: 5, isOverloaded: false, minFraction: 0 },
  /** Twice as many operations as the budget can serve, independent of earlier ones. */
  'crowd, 5 reserved': { reservedCalls: 5, isOverloaded: true, minFraction: 0.98 },
} as const;

/** Names of the kinds of demand. */
export const USER_NAMES = Object.keys(USERS) as readonly (keyof typeof USERS)[];

// Judge a single run only if it is far off: the target applies to all runs together.
const RUN_TOLERANCE = 0.01;

/** The fraction of the budget that has to be used; 0 if the use is only reported. */
export const toMinFraction = (users: keyof typeof USERS) => USERS[users].minFraction;

/** Name of the figure for a use of the budget. */
export const toUseName = (windowMs: number, users: keyof typeof USERS, latency: LatencyName) =>
  `use of the ${windowMs / 1_000} s window, ${users}, ${latency}`;

/**
 * Measures how much of the budget is used while enough operations wait, as a fraction of what is possible if each slot
 * is used for one window and one round trip.
 */
async function runUse(seed: number, isBurst: boolean, windowCount: number): Promise<Run> {
  const latency = LATENCIES[seed % LATENCIES.length] ?? 'constant';
  const users = USER_NAMES[Math.floor(seed / LATENCIES.length) % USER_NAMES.length] ?? 'clients, 5 reserved';
  const announcement =
    ANNOUNCEMENTS[Math.floor(seed / LATENCIES.length / USER_NAMES.length) % ANNOUNCEMENTS.length] ?? 'nothing';
  const { reservedCalls, isOverloaded, minFraction } = USERS[users];
  const windowMs = isBurst ? 10_000 : MINUTE_MS;
  const limit = isBurst ? 10 : 60;
  const world = createWorld(seed, {
    latency,
    announcement,
    durationMs: (windowCount + 2) * windowMs,
    settings: { reservedCalls, maxConcurrentCalls: 10 },
  });
  const { timeline, figures, random, facade } = world;
  const burstFraction = isBurst ? 1 : 0;
  if (isOverloaded) {
    // Operations request fewer lists than trees.
    const [perMinute, mostCalls] = isBurst ? [24, 10] : [12, 20];
    startStream(
      world,
      () => perMinute,
      () =>
        facade.execute({
          key: KEY,
          calls: manyCalls(world, random.whole(1, mostCalls), burstFraction),
          timeoutMs: 120_000,
        }),
    );
  } else startGreedyClients(world, KEY, burstFraction, 30);
  let before = { calls: 0, trips: 0, tripsMs: 0 };
  const measure = () => ({
    // Count calls sent, not arrived: a lost call has used its slot, too.
    calls: figures.get('attempts'),
    trips: figures.get('round trips'),
    tripsMs: figures.get('round trips, ms'),
  });
  timeline.at(timeline.nowMs() + 2 * windowMs, () => {
    before = measure();
  });
  timeline.at(timeline.nowMs() + (windowCount + 2) * windowMs, () => {
    const after = measure();
    const meanMs = (after.tripsMs - before.tripsMs) / Math.max(1, after.trips - before.trips);
    const fraction = (after.calls - before.calls) / ((windowCount * limit * windowMs) / (windowMs + meanMs));
    const name = toUseName(windowMs, users, latency);
    figures.add(name, fraction);
    figures.add(`${name}, runs`);
    figures.least(`${name}, lowest`, fraction);
    if (fraction < minFraction - RUN_TOLERANCE) figures.never(`${name}, far below ${minFraction * 100} %`, 1);
  });
  await world.run();
  figures.never('calls above a window', figures.get('calls above a window'));
  figures.never('429', figures.get('429'));
  return { world, figures };
}

/** Greedy demand of calls that only the general window limits. */
export const runUseOfGeneral = (seed: number, windows: number): Promise<Run> => runUse(seed, false, windows);

/** Greedy demand of calls that the burst window limits first. */
export const runUseOfBurst = (seed: number, windows: number): Promise<Run> => runUse(seed, true, windows);

/** An account with 300 calls a minute, which its first response announces. */
export async function runLargeAccount(seed: number): Promise<Run> {
  const random = createRandom(seed);
  const world = createWorld(seed, {
    latency: random.pick(['constant', 'jitter', 'heavy tail']),
    limits: { general: 300 },
    announcement: random.pick(['X-RateLimit, epoch', 'RateLimit and policy', 'RateLimit list', 'RateLimit-, seconds']),
    reset: random.pick(['next slot', 'whole window']),
    settings: { general: { limit: 60, windowMs: MINUTE_MS, isCap: false } },
    durationMs: 5 * MINUTE_MS,
  });
  const { timeline, wire, figures, upstream } = world;
  startGreedyClients(world, KEY, 0, 60);
  let firstResponseAtMs = Number.NaN;
  wire.onResponse = ({ arrival }) => {
    if (Number.isNaN(firstResponseAtMs)) firstResponseAtMs = timeline.nowMs();
    if (arrival.ours < upstream.limits.general || figures.has('300 in a window after, s')) return;
    figures.most('300 in a window after, s', (arrival.atMs - firstResponseAtMs) / 1_000);
    figures.add('runs that reached 300');
  };
  await world.run();
  figures.add('runs');
  figures.never('calls above a window', figures.get('calls above a window'));
  figures.never('429', figures.get('429'));
  figures.never('runs that never reached 300', figures.has('300 in a window after, s') ? 0 : 1);
  return { world, figures };
}
