/**
 * Measures how often an operation makes the fewest calls that can serve it, for generated operations on generated
 * accounts, cold and with some responses cached. The fewest calls are those of a planner that knows all responses
 * beforehand. Prints for the operations that make more whether the responses known when the calls were planned would
 * have sufficed for fewer.
 * `npm run bench:fewest-calls -- [operations] [seed] [samples]`: 1000 operations by default; prints up to that many
 * samples of operations for which known responses would have sufficed.
 */
import { sample, tuple } from 'fast-check';
import { startAnyAccount } from '../../test/support/any-account.ts';
import { anyOperation } from '../../test/support/any-operation.ts';
import { anyInventory, anyWarmUp, measureOperation } from '../../test/support/measured-operation.ts';
import { countBadLuck, countRedundant, toLuckiestPlan, toSurePlan } from '../../test/support/planned-gets.ts';
import { anySmallAccount } from '../../test/support/small-account.ts';

const [count = 1_000, seed = 1, sampleCount = 0] = process.argv.slice(2).map(Number);

interface Tally {
  operations: number;
  calls: number;
  fewest: number;
  /** Operations by result. */
  equal: number;
  needsClairvoyance: number;
  couldHaveKnown: number;
  /** Calls beyond those that the known responses required. */
  callsTooMany: number;
}

const newTally = (): Tally => ({
  operations: 0,
  calls: 0,
  fewest: 0,
  equal: 0,
  needsClairvoyance: 0,
  couldHaveKnown: 0,
  callsTooMany: 0,
});
const tallies: Record<string, Tally> = {};
const samples: string[] = [];

const tested = await startAnyAccount(6 * count);
const generated = sample(tuple(anySmallAccount, anyOperation, anyWarmUp, anyInventory), { numRuns: count, seed });
const runs = generated.flatMap(([account, anything, warmUp, inventory]) => [
  { state: 'nothing cached', account, anything, warmUp: [] },
  { state: 'after other operations', account, anything, warmUp },
  { state: 'after lists of everything', account, anything, warmUp: inventory },
]);
for (const { state, account, anything, warmUp } of runs) {
  const { survey, made, cached, text } = await measureOperation(tested, account, warmUp, anything);
  const fewest = toLuckiestPlan(account, survey, cached);
  const informed = toSurePlan(account, survey, cached, true);
  const beyondPlan = made.length - informed.gets - countBadLuck(account, survey, made, cached, informed.plan);
  // Each measure can see what the other takes for chance.
  const tooMany = Math.max(beyondPlan, countRedundant(account, survey, made, cached));
  const tally = (tallies[state] ??= newTally());
  tally.operations++;
  tally.calls += made.length;
  tally.fewest += fewest.gets;
  if (made.length === fewest.gets) tally.equal++;
  else if (tooMany <= 0) tally.needsClairvoyance++;
  else {
    tally.couldHaveKnown++;
    tally.callsTooMany += tooMany;
    if (samples.length < sampleCount)
      samples.push(
        [
          text,
          `${beyondPlan} beyond the plan`,
          `made ${made.join('\n     ')}`,
          `informed ${informed.plan.join('\n         ')}`,
          `cached ${[...cached].join('\n       ')}`,
        ].join('\n'),
      );
  }
}
await tested.facade.close();

const percent = (part: number, whole: number) => `${Math.round((1_000 * part) / Math.max(1, whole)) / 10} %`;
const toRow = (name: string, tally: Tally) => ({
  'what is cached': name,
  operations: tally.operations,
  calls: tally.calls,
  'fewest calls': tally.fewest,
  'makes the fewest': percent(tally.equal, tally.operations),
  'fewer need clairvoyance': percent(tally.needsClairvoyance, tally.operations),
  'known responses would do': percent(tally.couldHaveKnown, tally.operations),
  'calls too many': tally.callsTooMany,
});
const all = Object.values(tallies).reduce((sum, tally) => {
  for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += tally[key];
  return sum;
}, newTally());
if (samples.length > 0) console.log(samples.join('\n\n'));
console.log(`${count} operations, seed ${seed}`);
console.table([...Object.entries(tallies).map(([name, tally]) => toRow(name, tally)), toRow('all', all)]);
