import { pino } from 'pino';
import { parseConfig } from '../../src/config/config.ts';
import { LARGEST_COST } from '../../src/graph/planning/estimate.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { startServer } from '../../src/server.ts';
import { createSystemClock } from '../../src/upstream/clock.ts';
import { createLiveAccount } from './live-account.ts';
import { createRandom } from '../budget/random.ts';
import { createAnyAccount, type Population } from './accounts.ts';
import { createAnyOperation } from './operations.ts';

/**
 * What is known about an account at the dry run: nothing; its list sizes of two days ago; or what the same operation
 * read ten minutes ago.
 */
export const STATES = ['cold', 'read two days ago', 'queried ten minutes ago'] as const;
export type State = (typeof STATES)[number];

/** The estimates of one dry run, and the real cost. */
export interface Sample {
  readonly query: string;
  readonly atLeast: number;
  readonly likely: number;
  readonly atMost: number;
  /** Calls made. */
  readonly real: number;
}

export type Samples = Readonly<Record<State, readonly Sample[]>>;

/** Errors of estimates, as factors that are too high or too low. */
export interface Error {
  readonly median: number;
  readonly p90: number;
  /** Fraction of estimates with a factor of at most 1.5. */
  readonly within: number;
}

interface Estimate {
  readonly cost: number;
  readonly likelyCost: number;
  readonly costAtLeast: number;
}

interface GraphQLResponse {
  readonly data?: { readonly rateLimit?: Estimate } | null;
  readonly errors?: readonly { readonly message: string }[];
  readonly extensions?: { readonly upstream?: { readonly calls: number } };
}

const INVENTORY =
  '{ workspaces(first: 100) { nodes { collections { nodes { updatedAt } } environments { nodes { updatedAt } } } } collections(first: 1) { nodes { updatedAt } } environments(first: 1) { nodes { updatedAt } } }';
const TEN_MINUTES_MS = 600_000;
const TWO_DAYS_MS = 172_800_000;

/**
 * Estimates operations, each on a separate account, and then executes them. The sandbox has no limits, so none waits.
 */
export async function measureLikelyCost(population: Population, count: number, seed: number): Promise<Samples> {
  const random = createRandom(seed);
  const { account: liveAccount, serve } = createLiveAccount();
  const keys = Array.from({ length: 2 * count }, (_, index) => `PMAK-likely-${index}`);
  const sandbox = await startSandbox({ limits: 'off', otherApiKeys: keys, account: liveAccount });
  const system = createSystemClock();
  let skippedMs = 0;
  const clock = {
    nowMs: () => system.nowMs() + skippedMs,
    epochMs: () => system.epochMs() + skippedMs,
    schedule: (atMs: number, run: () => void) => system.schedule(atMs - skippedMs, run),
  };
  const config = parseConfig({
    PORT: '0',
    POSTMAN_API_BASE_URL: sandbox.origin,
    RATE_LIMIT: '100000',
    RATE_LIMIT_WINDOW_MS: '1000',
    BURST_LIMIT: '0',
    MAX_CALLS_PER_OPERATION: String(LARGEST_COST),
    COLD_START: 'off',
    LOG_LEVEL: 'silent',
  });
  const server = await startServer(config, pino({ level: 'silent' }), clock);

  const sendQuery = async (query: string, key: string): Promise<GraphQLResponse> => {
    const response = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key },
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as GraphQLResponse;
  };
  const sample = async (query: string, key: string): Promise<Sample> => {
    const dry = await sendQuery(`{ rateLimit(dryRun: true) { cost likelyCost costAtLeast } ${query} }`, key);
    const estimate = dry.data?.rateLimit;
    if (!estimate) throw new TypeError(`${query}: ${dry.errors?.[0]?.message ?? 'there is no estimate'}`);
    const real = (await sendQuery(`{ ${query} }`, key)).extensions?.upstream?.calls ?? 0;
    return { query, atLeast: estimate.costAtLeast, likely: estimate.likelyCost, atMost: estimate.cost, real };
  };

  const samples: Record<State, Sample[]> = { cold: [], 'read two days ago': [], 'queried ten minutes ago': [] };
  for (let index = 0; index < count; index++) {
    const account = createAnyAccount(population, random);
    serve(account);
    const query = createAnyOperation(account, random);
    samples.cold.push(await sample(query, keys[2 * index] ?? ''));
    const key = keys[2 * index + 1] ?? '';
    await sendQuery(INVENTORY, key);
    skippedMs += TWO_DAYS_MS;
    samples['read two days ago'].push(await sample(query, key));
    skippedMs += TEN_MINUTES_MS;
    samples['queried ten minutes ago'].push(await sample(query, key));
    sandbox.reset();
  }
  await server.stop();
  await sandbox.close();
  return samples;
}

/** Returns the factor by which an estimate was off. No calls count as one call. */
export function toFactor(estimated: number, real: number): number {
  const [a, b] = [Math.max(1, estimated), Math.max(1, real)];
  return Math.max(a / b, b / a);
}

/** Summarizes the errors of estimates. */
export function toError(samples: readonly Sample[], estimateOf: (sample: Sample) => number): Error {
  const factors = samples.map((sample) => toFactor(estimateOf(sample), sample.real)).sort((a, b) => a - b);
  const at = (fraction: number) => factors[Math.floor(factors.length * fraction)] ?? Number.NaN;
  return {
    median: at(0.5),
    p90: at(0.9),
    within: factors.filter((factor) => factor <= 1.5).length / factors.length,
  };
}
