/**
 * Measures by which factor likely costs are off, for generated operations on generated accounts: unknown accounts,
 * accounts of known size, and repeated operations. Also checks the bounds; `bounds apart` are the operations whose
 * bounds differ by a factor of more than 1.5.
 * `npm run bench:likely-cost -- [operations] [seed]`, by default 1000 operations of each population.
 */
import { personsAndCompanies, teams } from './accounts.ts';
import { measureLikelyCost, type Sample, STATES, toError, toFactor } from './measure.ts';

const [count = 1_000, seed = 1] = process.argv.slice(2).map(Number);
const round = (factor: number) => Math.round(factor * 100) / 100;
const rows: Readonly<Record<string, string | number>>[] = [];

function addRow(account: string, state: string, samples: readonly Sample[]): void {
  const { median, p90, within } = toError(samples, ({ likely }) => likely);
  const most = toError(samples, ({ atMost }) => atMost);
  const least = toError(samples, ({ atLeast }) => atLeast);
  rows.push({
    account,
    state,
    operations: samples.length,
    'calls, mean': round(samples.reduce((sum, { real }) => sum + real, 0) / samples.length),
    'likely: median': round(median),
    '90 %': round(p90),
    'within 1.5': `${Math.round(within * 100)} %`,
    'cost: median': round(most.median),
    'cost: 90 %': round(most.p90),
    'at least: median': round(least.median),
    'at least: 90 %': round(least.p90),
    'outside bounds': samples.filter(
      ({ atLeast, likely, atMost, real }) => Math.min(likely, real) < atLeast || Math.max(likely, real) > atMost,
    ).length,
  });
}

for (const population of [teams, personsAndCompanies]) {
  const samples = await measureLikelyCost(population, count, seed);
  for (const state of STATES) {
    const ofState = samples[state];
    addRow(population.name, state, ofState);
    const isUncertain = ({ atLeast, atMost }: Sample) => toFactor(atMost, atLeast) > 1.5;
    addRow(population.name, `${state}, bounds apart`, ofState.filter(isUncertain));
  }
}
console.log(
  `${count} operations of each population, seed ${seed}; factors by which the real number of calls was missed`,
);
console.table(rows);
