import type { ResultError } from './facade.ts';
import { LASTING, type Trouble } from './any-trouble.ts';
import {
  type Episode,
  type SimulatedResponse,
  type SimulatedFacade,
  startSimulatedFacade,
} from './simulated-facade.ts';

/** Outcome of an operation whose client followed the advice in the errors. */
export interface Ending {
  /** `stuck`: it did not end. `wrong`: it ended without an error, but with wrong data. */
  readonly kind: 'complete' | 'final' | 'stuck' | 'wrong';
  readonly rounds: number;
  /** Codes of the remaining errors. */
  readonly codes: readonly string[];
  /** Final errors of fields that an immediate retry served. */
  readonly untrue: readonly string[];
  readonly last: readonly ResultError[];
}

// After all failures have ended.
const MAX_ROUNDS = 200;

function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const codeOf = ({ extensions, message }: ResultError) =>
  typeof extensions?.['code'] === 'string' ? extensions['code'] : message;

/** Whether there is a value at a path. */
function hasValue(data: unknown, path: readonly (string | number)[]): boolean {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return false;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value != null;
}

/** Serializes the data independently of the order in which parts arrived. */
function toText(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** Runs an operation, follows the advice in its errors and retries, until waiting brings nothing more. */
export async function followAdvice(trouble: Trouble): Promise<Ending> {
  const { account, query, headers, env, limits, episodes, foreignCallsAtMs, latencyMs, before, follows } = trouble;
  const wide = { limit: 100_000, windowMs: 1_000 };
  const untroubled = startSimulatedFacade({
    account,
    env: {
      RATE_LIMIT: '100000',
      RATE_LIMIT_WINDOW_MS: '1000',
      BURST_LIMIT: '0',
      MAX_CALLS_PER_OPERATION: '100000',
      MAX_CALLS_PER_STREAM: '100000',
    },
    limits: { general: wide, burst: wide },
    random: () => 0,
    latencyMs: 0,
  });
  const expected = toText((await untroubled.execute(query)).data);
  const facade = startSimulatedFacade({
    account,
    env,
    limits: {
      general: { limit: limits.general, windowMs: 60_000 },
      burst: { limit: limits.burst, windowMs: 10_000 },
    },
    episodes,
    foreignCallsAtMs,
    random: createRandom(1),
    latencyMs,
  });
  if (before) {
    await facade.execute(before.query);
    await facade.advance(before.agoMs);
  }
  const untrue: string[] = [];
  let troubled = 0;
  for (let rounds = 1; ; rounds++) {
    const faults = facade.faults();
    const response = await facade.execute(query, headers);
    const { errors } = response;
    const end = (kind: Ending['kind']): Ending => ({
      kind,
      rounds,
      codes: [...new Set(errors.map(codeOf))],
      untrue,
      last: errors.slice(0, 3),
    });
    const final = errors.filter(({ extensions }) => extensions?.['retryable'] !== true);
    if (final.length > 0) untrue.push(...(await findUntrue(facade, trouble, final, faults)));
    const waits = errors.flatMap(({ extensions }) =>
      extensions?.['retryable'] === true ? [Number(extensions['retryAfterSeconds'])] : [],
    );
    if (waits.length === 0) {
      if (errors.length > 0) return end('final');
      return end(toText(response.data) === expected ? 'complete' : 'wrong');
    }
    if (facade.faults().some(({ calls }) => calls === LASTING)) troubled = rounds;
    if (rounds - troubled >= MAX_ROUNDS) return end('stuck');
    const seconds = follows === 'errors' ? Math.min(...waits) : (response.retryAfterSeconds ?? Math.max(...waits));
    await facade.advance(Math.max(1, seconds) * 1_000);
  }
}

/**
 * Retries at once, and lists the fields with final errors that are now served. Changes at upstream in between are not
 * faults.
 */
async function findUntrue(
  facade: SimulatedFacade,
  { query, headers }: Trouble,
  final: readonly ResultError[],
  before: readonly Episode[],
): Promise<readonly string[]> {
  // Without any time in between, cached responses would have no age.
  await facade.advance(1);
  const again: SimulatedResponse = await facade.execute(query, headers);
  const after = facade.faults();
  const hasChanged = before.some((episode) => !after.includes(episode) && episode.calls === LASTING);
  if (hasChanged) return [];
  const isTooExpensive = ({ extensions }: ResultError) => extensions?.['code'] === 'OPERATION_TOO_EXPENSIVE';
  // Which of its fields fit into the budget may change; that not all of them fit, may not.
  const isRefusedAgain = again.errors.length > 0;
  const failed = new Set(again.errors.map(({ path = [] }) => JSON.stringify(path)));
  return final.flatMap((error) => {
    const { path = [] } = error;
    if (isTooExpensive(error) && isRefusedAgain) return [];
    const isServed = !failed.has(JSON.stringify(path)) && hasValue(again.data, path);
    return isServed ? [`${codeOf(error)}: ${error.message}`] : [];
  });
}
