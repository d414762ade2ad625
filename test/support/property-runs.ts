import { configureGlobal } from 'fast-check';

const { RUNS, SEED = RUNS === undefined ? '1' : 'random' } = process.env;

// Every test file runs this first (vitest.config.ts), so that a run of the tests finds what the one before it found.
if (SEED !== 'random') configureGlobal({ seed: Number(SEED) });

/** How often a property is tried: so often in every run of the tests; as often as `RUNS` says where it is set, and then with seeds of chance unless `SEED` is a number. */
export function toRuns(usual: number): { readonly numRuns: number } {
  return { numRuns: Number(RUNS ?? usual) };
}
