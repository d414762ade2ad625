import { array, assert, asyncProperty, integer, nat, oneof, record, uniqueArray } from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AnyAccountFacade, startAnyAccount } from '../support/any-account.ts';
import { anyOperation, type Field, toText, withKnownCursors, writeArgs } from '../support/any-operation.ts';
import { surveyOperation } from '../support/operation-needs.ts';
import { countBadLuck, toLuckiestPlan, toSurePlan } from '../support/planned-gets.ts';
import { toRuns } from '../support/property-runs.ts';
import { anySmallAccount, collectionUidAt, toPlainAccount, toServedAccount } from '../support/small-account.ts';

const runs = toRuns(200);

let tested: AnyAccountFacade;
beforeAll(async () => {
  tested = await startAnyAccount(3 * runs.numRuns + 6_000);
});
afterAll(() => tested.facade.close());

/** Cursors as a client gets them: from an earlier response, here for another key. */
async function findCursors(
  operation: readonly Field[],
  headers: Record<string, string>,
): Promise<ReadonlyMap<Field, string>> {
  const cursors = new Map<Field, string>();
  const find = async (field: Field, toQuery: (list: string) => string) => {
    if (field.page?.after === undefined) return;
    const list = `list: ${field.name}(${[...writeArgs(field), `first: ${field.page.after + 1}`].join(', ')}) { pageInfo { endCursor } }`;
    const { data } = await tested.facade.query(toQuery(list), { headers });
    const cursor = (data.workspace ?? data)?.list?.pageInfo.endCursor;
    if (typeof cursor === 'string') cursors.set(field, cursor);
  };
  for (const field of operation) {
    if (field.page) await find(field, (list) => `{ ${list} }`);
    if (field.name !== 'workspace') continue;
    const id = JSON.stringify(field.args['id']);
    for (const inner of field.select) await find(inner, (list) => `{ workspace(id: ${id}) { ${list} } }`);
  }
  return cursors;
}

const anyWarmUp = array(oneof({ weight: 2, arbitrary: anyOperation }, { weight: 1, arbitrary: nat(3) }), {
  maxLength: 2,
});

it('never makes more calls than a plan with the knowledge of the responses so far, except by chance', async () => {
  const { facade } = tested;
  const seen = { runs: 0, calls: 0, least: 0, minimal: 0, sure: 0, lucky: 0, burst: 0 };
  await assert(
    asyncProperty(anySmallAccount, anyWarmUp, anyOperation, async (account, warmUp, anything) => {
      tested.serve(toServedAccount(account));
      const operation = withKnownCursors(anything, true);
      const cursors = await findCursors(operation, tested.nextKey());
      const headers = tested.nextKey();
      const ask = (fields: readonly Field[]) => facade.query(toText(fields, cursors), { headers });
      facade.postman.reset();
      for (const step of warmUp) {
        const again = typeof step === 'number' ? operation[step % operation.length] : undefined;
        await ask(again ? [again] : typeof step === 'number' ? operation : withKnownCursors(step, false));
      }
      const kept = new Set(facade.postman.calls);
      facade.postman.reset();
      const { data, errors } = await ask(operation);
      const made = facade.postman.calls;

      const survey = surveyOperation(account, operation);
      const luckiest = toLuckiestPlan(account, survey, kept);
      const sure = toSurePlan(account, survey, kept);
      const bad = countBadLuck(account, survey, made, kept, sure.plan);
      const text = toText(operation, cursors);
      expect({ data, errors, text }).toEqual({ data: survey.data, errors: [], text });
      const burst = made.filter((line) => /^GET \/(?:workspaces(?:[?]|\/[^/]+$)|collections[?])/.test(line)).length;
      if (
        made.length < luckiest.gets ||
        made.length > sure.gets + bad ||
        (bad === 0 && made.length === sure.gets && burst > sure.burst)
      ) {
        throw new Error(
          `${luckiest.gets} <= ${made.length} <= ${sure.gets} + ${bad} is wrong, or ${burst} <= ${sure.burst}\n${text}\n made\n${made.join('\n')}\n sure\n${sure.plan.join('\n')}\n luckiest\n${luckiest.plan.join('\n')}\n kept\n${[...kept].join('\n')}`,
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
