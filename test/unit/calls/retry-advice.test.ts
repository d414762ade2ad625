import { assert, asyncProperty } from 'fast-check';
import { expect, it } from 'vitest';
import { anyTrouble, type Trouble } from '../../support/any-trouble.ts';
import { type Ending, followAdvice } from '../../support/follow-advice.ts';
import { toRuns } from '../../support/property-runs.ts';

const runs = toRuns(60);

/** What of a run has to be seen to find out about it. */
function describeRun(trouble: Trouble, ending: Ending): string {
  return JSON.stringify({ ending, trouble: { ...trouble, account: undefined } }, (_, value: unknown) =>
    value instanceof RegExp ? String(value) : value,
  );
}

it('ends complete for whoever does what the errors say, and never serves at once what it called final', async () => {
  const seen = new Map<string, number>();
  const count = (name: string) => seen.set(name, (seen.get(name) ?? 0) + 1);
  const wrong: string[] = [];
  await assert(
    asyncProperty(anyTrouble, async (trouble) => {
      const ending = await followAdvice(trouble);
      const { kind, codes, untrue } = ending;
      count(kind === 'complete' ? kind : `${kind}: ${[...codes].sort().join(', ')}`);
      if (untrue.length > 0) count('final errors of fields that were served at once');
      if (kind === 'stuck' || kind === 'wrong' || untrue.length > 0) wrong.push(describeRun(trouble, ending));
    }),
    runs,
  );
  if (process.env['RUNS'])
    process.stdout.write(`${JSON.stringify(Object.fromEntries(seen), null, 1)}\n${wrong.join('\n')}\n`);
  // One in a thousand: a freshness of seconds beside a budget of a few calls a minute.
  expect(wrong.slice(Math.floor(runs.numRuns / 1_000))).toEqual([]);
}, 7_200_000);
