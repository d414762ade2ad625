import { assert, asyncProperty, boolean, constantFrom, option } from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type * as ExecutePlan from '../../src/graph/execution/execute-plan.ts';
import { type AnyAccountFacade, startAnyAccount } from '../support/any-account.ts';
import { anyOperation, toText, withKnownCursors } from '../support/any-operation.ts';
import type { ResultError } from '../support/facade.ts';
import { toRuns } from '../support/property-runs.ts';
import { anySmallAccount, toServedAccount } from '../support/small-account.ts';

const chosen = vi.hoisted(() => ({ isYoga: false, counts: { own: 0, yoga: 0 } }));
vi.mock('../../src/graph/execution/execute-plan.ts', async (importActual) => {
  const actual = await importActual<typeof ExecutePlan>();
  const createExecutor: typeof ExecutePlan.createExecutor = (...parts) => {
    const execute = actual.createExecutor(...parts);
    return (args, otherwise) => {
      chosen.counts[chosen.isYoga ? 'yoga' : 'own']++;
      return chosen.isYoga ? otherwise(args) : execute(args, otherwise);
    };
  };
  return { ...actual, createExecutor };
});

const runs = toRuns(60);
let tested: AnyAccountFacade;
beforeAll(async () => {
  tested = await startAnyAccount(3 * (runs.numRuns + 1_000));
});
afterAll(() => tested.facade.close());

/** Without what differs from request to request. The order of errors is that of the responses of Postman. */
const toRows = (errors: readonly ResultError[]) =>
  errors
    .map(({ message, path, extensions, ...rest }) => {
      const { errorId: _, requestId: __, retryAt: ___, ...stable } = extensions ?? {};
      return JSON.stringify({ message, path, extensions: stable, ...rest });
    })
    .toSorted();

it('the executor of Yoga and that of queries return the same for any operation, also where calls fail', async () => {
  await assert(
    asyncProperty(
      anySmallAccount,
      anyOperation,
      option(constantFrom(/^\/workspaces\/./, /^\/collections/, /^\/environments/, /[02468]$/, /^\/me/)),
      constantFrom(403, 404, 422),
      boolean(),
      async (account, anything, failing, status, isTwice) => {
        const { facade } = tested;
        const { postman } = facade;
        const text = toText(withKnownCursors(anything, false), new Map());
        // Twice with the plan of the first time.
        const results = [];
        for (const isYoga of isTwice ? [false, true, false] : [true, false]) {
          tested.serve(toServedAccount(account));
          postman.heal();
          if (failing) postman.fail(failing, { kind: 'status', status });
          chosen.isYoga = isYoga;
          const {
            data,
            errors,
            upstream: { waitedMs: _, ...upstream },
          } = await facade.query(text, { headers: tested.nextKey() });
          const calls = postman.calls.toSorted();
          results.push({ text: JSON.stringify(data), errors: toRows(errors), upstream, calls });
        }
        postman.heal();
        const [first, ...others] = results;
        for (const other of others) expect({ query: text, ...other }).toEqual({ query: text, ...first });
      },
    ),
    runs,
  );
  expect(Math.min(chosen.counts.own, chosen.counts.yoga)).toBeGreaterThanOrEqual(runs.numRuns);
}, 3_600_000);
