import { ANNOUNCEMENTS, leastPauseMs, type Refusal, REFUSALS } from './announcements.ts';
import { manyCalls, startStream } from './demand.ts';
import type { LatencyName } from './latency.ts';
import { createRandom } from './random.ts';
import type { Run } from './traffic.ts';
import { createWorld, type World } from './world.ts';

const MINUTE_MS = 60_000;
const KEY = 'user-1';

const call = (world: World, isBurst = false) => [world.newTarget(isBurst)];

async function timeBigOperation(
  seed: number,
  latency: LatencyName,
  reservedCalls: number,
  startOthers: (world: World) => void,
): Promise<{ readonly world: World; readonly tookMs: number; readonly answered: number }> {
  const world = createWorld(seed, { latency, announcement: 'nothing', settings: { reservedCalls } });
  startOthers(world);
  const startMs = world.timeline.nowMs();
  let tookMs = Number.POSITIVE_INFINITY;
  let answered = 0;
  const sendMany = async () => {
    const outcomes = await world.facade.execute({ key: KEY, calls: manyCalls(world, 200, 0), timeoutMs: 3_600_000 });
    tookMs = world.timeline.nowMs() - startMs;
    answered = outcomes.filter(({ kind }) => kind === 'answer').length;
    world.end();
  };
  void sendMany();
  await world.run();
  return { world, tookMs, answered };
}

/** Look-ups beside an operation of 200 calls, no more of them than the slots reserved for first calls. */
export async function runLookups(seed: number): Promise<Run> {
  const latency = seed % 2 === 0 ? 'constant' : 'jitter';
  const alone = await timeBigOperation(seed, latency, 0, () => undefined);
  const { world, tookMs, answered } = await timeBigOperation(seed, latency, 5, (loadedWorld) => {
    const { timeline, random, facade, figures } = loadedWorld;
    const lookUp = async () => {
      const [outcome] = await facade.execute({
        key: KEY,
        calls: call(loadedWorld),
        timeoutMs: 30_000,
        isWatched: true,
      });
      const waitedMs = (outcome?.sentAtMs ?? Number.POSITIVE_INFINITY) - (outcome?.requestedAtMs ?? 0);
      figures.add('look-ups');
      figures.most('longest wait of a look-up, ms', waitedMs);
      if (waitedMs === 0) figures.add('look-ups that did not wait');
    };
    const next = () => {
      // Five a minute at most: each look-up starts when the one five before it has left the window.
      timeline.act(timeline.nowMs() + 12_200 + random.between(0, 2_000), () => {
        if (loadedWorld.isOver()) return;
        void lookUp();
        next();
      });
    };
    next();
  });
  const { figures } = world;
  figures.most('big operation beside look-ups, longer by', tookMs / alone.tookMs - 1);
  figures.never('big operations more than 10 % longer', tookMs > alone.tookMs * 1.1 ? 1 : 0);
  figures.never('calls of the big operation without a response', 200 - answered);
  figures.never('calls above a window', figures.get('calls above a window'));
  return { world, figures };
}

/** Look-ups at the rate of the whole budget beside an operation of 200 calls. */
export async function runLookupStream(seed: number): Promise<Run> {
  const { world, tookMs, answered } = await timeBigOperation(seed, 'jitter', 5, (loadedWorld) => {
    startStream(
      loadedWorld,
      () => 60,
      () => loadedWorld.facade.execute({ key: KEY, calls: call(loadedWorld), timeoutMs: 30_000 }),
    );
  });
  const { figures } = world;
  figures.most('big operation beside a stream of look-ups, s', tookMs / 1_000);
  figures.never('calls of the big operation without a response', 200 - answered);
  return { world, figures };
}

/** Measures whether refused clients that retry exactly at the reported time are served within their deadline. */
export async function runPromises(seed: number): Promise<Run> {
  const random = createRandom(seed);
  const timeoutMs = [1_000, 10_000, 30_000][seed % 3] ?? 1_000;
  const latency = random.pick<LatencyName>(['constant', 'jitter']);
  const world = createWorld(seed, { latency, announcement: random.pick(ANNOUNCEMENTS), durationMs: 60 * MINUTE_MS });
  const { timeline, facade, figures } = world;
  // Other clients: steady, patient, and below the budget, so that slots are left for the retries.
  startStream(
    world,
    () => 36,
    () => facade.execute({ key: KEY, calls: call(world), timeoutMs: 120_000 }),
  );
  const sendTwice = async () => {
    const calls = call(world);
    const [first] = await facade.execute({ key: KEY, calls, timeoutMs });
    if (first?.retryAfterSeconds === undefined || first.limitedBy !== 'facade') return;
    await timeline.sleep(first.retryAfterSeconds * 1_000);
    const [second] = await facade.execute({ key: KEY, calls, timeoutMs });
    figures.add(`refused, deadline ${timeoutMs / 1_000} s`);
    if (second?.kind === 'answer') figures.add(`served when retried, deadline ${timeoutMs / 1_000} s`);
  };
  const next = () => {
    timeline.act(timeline.nowMs() + world.random.between(4, 6) * MINUTE_MS, () => {
      if (world.isOver()) return;
      for (let count = world.random.whole(50, 90); count > 0; count--) void sendTwice();
      next();
    });
  };
  next();
  await world.run();
  return { world, figures };
}

/** One 429 of each format during traffic. No call is sent during the pause; the refused call is served after it. */
export async function runPauses(seed: number): Promise<Run> {
  const refusal: Refusal = REFUSALS[seed % REFUSALS.length] ?? 'nothing';
  const random = createRandom(seed);
  const isBurst = random.chance(0.3);
  const waitMs = 1_000 * random.whole(2, 50);
  const world = createWorld(seed, {
    latency: random.pick(['instant', 'constant', 'jitter', 'heavy tail']),
    announcement: random.pick(ANNOUNCEMENTS),
    durationMs: 15 * MINUTE_MS,
    wallOffsetMs: random.pick([0, 3_600_000, -3_600_000, 5_000]),
  });
  const { timeline, wire, upstream, figures, facade } = world;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  wire.onSend = (sentAtMs) => {
    if (sentAtMs < pausedUntilMs) {
      figures.add('sent during a pause');
      figures.never(`sent during a pause: ${refusal}`, 1);
    }
  };
  wire.onResponse = ({ ordered, arrival }) => {
    if (!ordered) return;
    figures.add('pauses');
    // A point in time is the same for both sides. A number of seconds counts from the receipt of the response.
    const isInstant = /epoch|date/.test(refusal);
    const fromMs = isInstant ? arrival.atMs : timeline.nowMs();
    pausedUntilMs = fromMs + leastPauseMs(refusal, waitMs, arrival.isBurst ? 10_000 : MINUTE_MS);
  };
  startStream(
    world,
    () => 40,
    () => facade.execute({ key: KEY, calls: call(world, isBurst), timeoutMs: 600_000 }),
  );
  timeline.act(timeline.nowMs() + random.between(60_000, 180_000), () => {
    upstream.refuseNext(refusal, waitMs);
  });
  await world.run();
  // A client is not kept waiting for a pause of hours.
  if (refusal !== 'hours') {
    figures.never('refused calls that were not served after the pause', figures.get('client: rateLimited by upstream'));
  }
  figures.never('429', figures.get('429'));
  return { world, figures };
}

/** Five minutes in which upstream is down: it refuses connections, or responds to every call with 503. */
export async function runOutage(seed: number): Promise<Run> {
  const kind = seed % 2 === 0 ? 'connection refused' : '503';
  const random = createRandom(seed);
  const world = createWorld(seed, { latency: random.pick(['constant', 'jitter']), durationMs: 20 * MINUTE_MS });
  const { timeline, wire, upstream, figures, facade } = world;
  startStream(
    world,
    () => 30,
    () =>
      facade.execute({
        key: KEY,
        calls: call(world, world.random.chance(0.2)),
        timeoutMs: world.random.pick([1_000, 10_000, 30_000]),
      }),
  );
  const downAtMs = timeline.nowMs() + random.between(2, 5) * MINUTE_MS;
  const upAtMs = downAtMs + 5 * MINUTE_MS;
  let before = { attempts: 0, requested: 0 };
  const measure = () => ({ attempts: figures.get('attempts'), requested: figures.get('calls requested') });
  timeline.at(downAtMs, () => {
    before = measure();
    if (kind === '503') upstream.fail(1, [503]);
    else wire.isRefusing = true;
  });
  timeline.at(upAtMs, () => {
    const after = measure();
    figures.add(`${kind}: attempts`, after.attempts - before.attempts);
    figures.add(`${kind}: calls requested`, after.requested - before.requested);
    figures.most(
      `${kind}: attempts per call`,
      (after.attempts - before.attempts) / Math.max(1, after.requested - before.requested),
    );
    upstream.fail(0, [503]);
    wire.isRefusing = false;
  });
  wire.onResponse = ({ status }) => {
    if (status === 200 && timeline.nowMs() > upAtMs && !figures.has('first response after an outage, s')) {
      figures.most('first response after an outage, s', (timeline.nowMs() - upAtMs) / 1_000);
    }
  };
  await world.run();
  figures.never(
    'outages with more than 1.1 attempts per call',
    figures.get(`${kind}: attempts per call`) > 1.1 ? 1 : 0,
  );
  figures.never('no response after an outage', figures.has('first response after an outage, s') ? 0 : 1);
  figures.never('calls above a window', figures.get('calls above a window'));
  figures.never('429', figures.get('429'));
  return { world, figures };
}
