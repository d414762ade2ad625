import { configureGlobal } from 'fast-check';

const { RUNS, SEED = RUNS === undefined ? '1' : 'random' } = process.env;

// Every test file runs this first (vitest.config.ts), so that all runs of the tests use the same seed.
if (SEED !== 'random') configureGlobal({ seed: Number(SEED) });

/**
 * Options of a property: the given number of runs, or `RUNS` runs if that is set, then with random seeds unless `SEED`
 * is a number.
 */
export function toRuns(usual: number): { readonly numRuns: number } {
  return { numRuns: Number(RUNS ?? usual) };
}
