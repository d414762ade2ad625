import { assert, asyncProperty, integer, nat, oneof, record, uniqueArray } from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AnyAccountFacade, startAnyAccount } from '../support/any-account.ts';
import { anyOperation } from '../support/any-operation.ts';
import { anyWarmUp, measureOperation } from '../support/measured-operation.ts';
import { countBadLuck, countRedundant, toLuckiestPlan, toSurePlan } from '../support/planned-gets.ts';
import { toRuns } from '../support/property-runs.ts';
import { anySmallAccount, collectionUidAt, toPlainAccount, toServedAccount } from '../support/small-account.ts';

const runs = toRuns(200);

let tested: AnyAccountFacade;
beforeAll(async () => {
  tested = await startAnyAccount(3 * runs.numRuns + 6_000);
});
afterAll(() => tested.facade.close());

it('never makes more calls than a plan with the knowledge of the responses so far, except by chance', async () => {
  const seen = { runs: 0, calls: 0, least: 0, minimal: 0, sure: 0, lucky: 0, burst: 0 };
  await assert(
    asyncProperty(anySmallAccount, anyWarmUp, anyOperation, async (account, warmUp, anything) => {
      const { text, survey, data, errors, made, cached } = await measureOperation(tested, account, warmUp, anything);
      const luckiest = toLuckiestPlan(account, survey, cached);
      const sure = toSurePlan(account, survey, cached, true);
      const bad = countBadLuck(account, survey, made, cached, sure.plan);
      const redundant = countRedundant(account, survey, made, cached);
      expect({ data, errors, text }).toEqual({ data: survey.data, errors: [], text });
      const burst = made.filter((line) => /^GET \/(?:workspaces(?:[?]|\/[^/]+$)|collections[?])/.test(line)).length;
      if (
        made.length < luckiest.gets ||
        made.length > sure.gets + bad ||
        redundant > 0 ||
        (bad === 0 && made.length === sure.gets && burst > sure.burst)
      ) {
        throw new Error(
          `${luckiest.gets} <= ${made.length} <= ${sure.gets} + ${bad} is wrong, or ${burst} <= ${sure.burst}, or ${redundant} redundant calls\n${text}\n made\n${made.join('\n')}\n sure\n${sure.plan.join('\n')}\n luckiest\n${luckiest.plan.join('\n')}\n cached\n${[...cached].join('\n')}`,
        );
      }
      seen.runs++;
      seen.calls += made.length;
      seen.least += luckiest.gets;
      if (made.length === luckiest.gets) seen.minimal++;
      if (made.length <= sure.gets) seen.sure++;
      if (sure.gets === luckiest.gets && bad === 0) seen.lucky++;
      seen.burst += burst;
    }),
    runs,
  );
  if (process.env['RUNS']) process.stdout.write(`${JSON.stringify(seen)}\n`);
}, 3_600_000);

const anyLookUps = record({
  size: oneof({ weight: 1, arbitrary: nat(12) }, { weight: 2, arbitrary: integer({ min: 90, max: 420 }) }),
  wanted: uniqueArray(nat(450), { minLength: 2, maxLength: 25 }),
  unlisted: integer({ min: 2, max: 9 }),
}).map(({ size, wanted, unlisted }) => ({
  // Indexes beyond the size are of collections that do not exist.
  uids: wanted.map(collectionUidAt),
  account: toPlainAccount(Array.from({ length: size }, (_, index) => index % unlisted !== 0)),
}));

it('reads, for summaries of many collections by uid, at most the first page of the list, one for each that it lacks, and one for each that no page has', async () => {
  const { facade } = tested;
  await assert(
    asyncProperty(anyLookUps, async ({ account, uids }) => {
      tested.serve(toServedAccount(account));
      const { data, errors } = await facade.query(
        `{ ${uids.map((uid, index) => `f${index}: collection(uid: "${uid}") { updatedAt }`).join(' ')} }`,
        { headers: tested.nextKey() },
      );
      const found = uids.map((uid) => account.collections.find((one) => one.uid === uid));
      expect({ data, errors }).toEqual({
        data: Object.fromEntries(found.map((one, index) => [`f${index}`, one ? { updatedAt: one.updatedAt } : null])),
        errors: [],
      });
      const listed = account.collections.filter(({ isListed }) => isListed).map(({ uid }) => uid);
      const missing = uids.filter((uid) => !listed.slice(0, 99).includes(uid)).length;
      const unlisted = uids.filter((uid) => !listed.includes(uid)).length;
      const pages = Math.max(1, Math.ceil(listed.length / 99));
      // Stops reading the list when single reads need at most as many calls as its remaining pages.
      const most = missing < pages ? 1 + missing : Math.min(1 + missing + unlisted, pages + missing);
      expect(facade.postman.calls.length).toBeLessThanOrEqual(most);
    }),
    { ...runs, numRuns: Math.ceil(runs.numRuns / 4) },
  );
}, 3_600_000);
