import { assert, asyncProperty } from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AnnouncedPart, reassemble } from '../support/announced.ts';
import { type AnyAccountFacade, startAnyAccount } from '../support/any-account.ts';
import { anyOperation, inParts, toText, withKnownCursors } from '../support/any-operation.ts';
import { surveyOperation } from '../support/operation-needs.ts';
import { queryInParts, merge, type Part } from '../support/parts.ts';
import { toRuns } from '../support/property-runs.ts';
import { anySmallAccount, toServedAccount } from '../support/small-account.ts';

const runs = toRuns(80);

let tested: AnyAccountFacade;
beforeAll(async () => {
  tested = await startAnyAccount(runs.numRuns + 1_000);
});
afterAll(() => tested.facade.close());

const toMerged = {
  'multipart/mixed;deferSpec=20220824': (parts: readonly Part[]) => ({ data: merge(parts), failed: [] }),
  'multipart/mixed;incrementalSpec=v0.2': (parts: readonly Part[]) => {
    const { data, failed } = reassemble(parts as unknown as readonly AnnouncedPart[]);
    return { data, failed };
  },
};

it.each(['multipart/mixed;deferSpec=20220824', 'multipart/mixed;incrementalSpec=v0.2'] as const)(
  'merges to the complete result, by a number of calls within the estimated bounds (%s)',
  async (accept) => {
    await assert(
      asyncProperty(anySmallAccount, anyOperation, async (account, anything) => {
        const { facade } = tested;
        const operation = withKnownCursors(anything, false);
        const text = inParts(toText(operation, new Map()));
        const headers = tested.nextKey();
        tested.serve(toServedAccount(account));

        const dryRun = text.replace('{', '{ rateLimit(dryRun: true) { costAtLeast cost }');
        const { data } = await facade.query(dryRun, { headers: { ...headers, accept: '*/*' } });
        expect(facade.postman.calls).toEqual([]);

        const parts: Part[] = [];
        for await (const part of queryInParts(facade, text, { headers: { ...headers, accept } })) parts.push(part);
        const errors = parts.flatMap((part) => [
          ...(part.errors ?? []),
          ...(part.incremental ?? []).flatMap((increment) => increment.errors ?? []),
        ]);
        expect({ text, ...toMerged[accept](parts), errors }).toEqual({
          text,
          data: surveyOperation(account, operation).data,
          failed: [],
          errors: [],
        });
        const { calls } = facade.postman;
        const { costAtLeast, cost } = data.rateLimit;
        if (calls.length < costAtLeast || calls.length > cost)
          throw new Error(`${costAtLeast} <= ${calls.length} <= ${cost} is wrong: ${text}\n${calls.join('\n')}`);
      }),
      runs,
    );
  },
  3_600_000,
);
