import type { Outcome } from './facade.ts';
import type { World } from './world.ts';

/** Starts clients that send operations until the end of the run. */
export type Demand = (world: World, key: string, burstFraction: number) => void;

const MINUTE_MS = 60_000;

/** Scales a rate, given for a budget of 60 a minute, to the actual budget. */
const inProportion =
  (world: World, perMinute: number, isBurstAlone = false) =>
  (): number => {
    const { general, generalMs, burst, burstMs } = world.upstream.limits;
    const capacityPerMs = isBurstAlone ? Math.min(general / generalMs, burst / burstMs) : general / generalMs;
    return perMinute * capacityPerMs * 1_000;
  };

/** Independent single calls, `perMinute` on average. */
export function startStream(world: World, perMinute: () => number, execute: () => unknown): void {
  const next = () => {
    world.timeline.act(world.timeline.nowMs() + world.random.exponential(MINUTE_MS / perMinute()), () => {
      if (world.isOver()) return;
      void execute();
      next();
    });
  };
  next();
}

/** A client whose next operation follows the last at once. */
async function loadContinuously(world: World, execute: () => Promise<readonly Outcome[]>): Promise<void> {
  await world.timeline.sleep(world.random.between(0, 1_000));
  while (!world.isOver()) {
    const outcomes = await execute();
    // Pause after a refusal. Without it, clients of a dead upstream would loop for ever at one simulated moment.
    if (outcomes.some(({ kind }) => kind !== 'answer')) await world.timeline.sleep(world.random.between(500, 5_000));
  }
}

/** Creates calls for new targets. */
export const manyCalls = (world: World, count: number, burstFraction: number) =>
  Array.from({ length: count }, () => world.newTarget(world.random.chance(burstFraction)));

/** Sends an operation, and repeats it at the reported retry time while it is refused, up to `tries` times in all. */
async function retryAsAdvised(
  world: World,
  key: string,
  call: { readonly target: string; readonly isBurst: boolean },
  timeoutMs: number,
  tries: number,
): Promise<void> {
  for (let triesLeft = tries; triesLeft > 0; triesLeft--) {
    const [outcome] = await world.facade.execute({ key, calls: [call], timeoutMs });
    if (outcome?.retryAfterSeconds === undefined || world.isOver()) return;
    await world.timeline.sleep(outcome.retryAfterSeconds * 1_000);
  }
}

/** Clients that never pause: operations of 1 to 20 calls, each client's next when its last has its response. */
export function startGreedyClients(world: World, key: string, burstFraction: number, clients: number): void {
  const { random, facade } = world;
  for (let count = clients; count > 0; count--) {
    void loadContinuously(world, () =>
      facade.execute({ key, calls: manyCalls(world, random.whole(1, 20), burstFraction), timeoutMs: 3_600_000 }),
    );
  }
}

const greedy: Demand = (world, key, burstFraction) =>
  startGreedyClients(world, key, burstFraction, world.random.whole(1, 4));

const bursty: Demand = (world, key, burstFraction) => {
  const { random, facade } = world;
  startStream(world, inProportion(world, 0.3, burstFraction === 1), () => {
    for (let count = 100; count > 0; count--) {
      const timeoutMs = random.pick([1_000, 10_000, 30_000, 300_000]);
      void facade.execute({ key, calls: manyCalls(world, 1, burstFraction), timeoutMs });
    }
  });
};

const bigAndSmall: Demand = (world, key, burstFraction) => {
  const { random, facade } = world;
  void loadContinuously(world, () =>
    facade.execute({ key, calls: manyCalls(world, 200, burstFraction), timeoutMs: 3_600_000 }),
  );
  startStream(world, inProportion(world, 10, burstFraction === 1), () =>
    facade.execute({ key, calls: manyCalls(world, 1, burstFraction), timeoutMs: random.pick([1_000, 30_000]) }),
  );
};

const returning: Demand = (world, key, burstFraction) => {
  const { random } = world;
  startStream(world, inProportion(world, 65, burstFraction === 1), () =>
    retryAsAdvised(world, key, world.newTarget(random.chance(burstFraction)), random.pick([1_000, 10_000, 30_000]), 3),
  );
};

const leaving: Demand = (world, key, burstFraction) => {
  const { random, facade } = world;
  startStream(world, inProportion(world, 15, burstFraction === 1), () =>
    facade.execute({
      key,
      calls: manyCalls(world, random.whole(1, 10), burstFraction),
      timeoutMs: 30_000,
      leavesAfterMs: random.between(0, 20_000),
    }),
  );
};

const alike: Demand = (world, key, burstFraction) => {
  const { random, facade } = world;
  startStream(world, inProportion(world, 30, burstFraction === 1), () => {
    const isBurst = random.chance(burstFraction);
    const calls = Array.from({ length: random.whole(1, 5) }, () => ({
      target: `/${isBurst ? 'burst' : 'general'}/shared/${random.whole(1, 100)}`,
      isBurst,
    }));
    const leaves = random.chance(0.3) ? { leavesAfterMs: random.between(0, 10_000) } : {};
    return facade.execute({ key, calls, timeoutMs: random.pick([1_000, 30_000, 120_000]), ...leaves });
  });
};

/** Kinds of demand that exceed the budget, or nearly do. */
export const DEMANDS = { greedy, bursty, bigAndSmall, returning, leaving, alike };

/** Name of a kind of demand. */
export type DemandName = keyof typeof DEMANDS;

/** Weighted for a random choice: demand without pauses is the most frequent, because it makes the most calls. */
export const DRAWN_DEMANDS: readonly [DemandName, ...DemandName[]] = [
  'greedy',
  'greedy',
  'greedy',
  'greedy',
  'greedy',
  'greedy',
  'greedy',
  'bursty',
  'bigAndSmall',
  'returning',
  'leaving',
  'alike',
];

/** Other programs that use the same key and ignore its limits. */
export function startForeignUsers(world: World, key: string, kind: 'steady' | 'bursts', perMinute: number): void {
  const { timeline, random, upstream } = world;
  const next = () => {
    const size = kind === 'steady' ? 1 : random.whole(5, 30);
    timeline.at(timeline.nowMs() + random.exponential((MINUTE_MS * (kind === 'steady' ? 1 : 17.5)) / perMinute), () => {
      if (world.isOver()) return;
      for (let count = size; count > 0; count--) {
        upstream.receive({ user: key, isBurst: random.chance(0.2), isOurs: false, sentAtMs: timeline.nowMs() });
      }
      next();
    });
  };
  next();
}
