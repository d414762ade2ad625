import { array, type Arbitrary, nat, oneof, subarray } from 'fast-check';
import type { AnyAccountFacade } from './any-account.ts';
import { anyOperation, type Field, toText, withKnownCursors, writeArgs } from './any-operation.ts';
import { type Survey, surveyOperation } from './operation-needs.ts';
import { type SmallAccount, toServedAccount } from './small-account.ts';

/** An earlier operation: its text, other fields, or one of the fields selected now (or all of them), by its index. */
export type WarmUpStep = readonly Field[] | number | string;

/** Up to two earlier operations, whose responses are then cached. */
export const anyWarmUp: Arbitrary<readonly WarmUpStep[]> = array(
  oneof({ weight: 2, arbitrary: anyOperation }, { weight: 1, arbitrary: nat(3) }),
  { maxLength: 2 },
);

/** Earlier operations that read lists of everything. */
export const anyInventory: Arbitrary<readonly WarmUpStep[]> = subarray(
  [
    '{ workspaces(first: 100) { nodes { name collections { nodes { name } } environments { nodes { name } } } } }',
    '{ workspaces(first: 100) { nodes { name } } }',
    '{ collections(first: 100) { nodes { updatedAt } } }',
    '{ environments(first: 100) { nodes { updatedAt } } }',
  ],
  { minLength: 1 },
);

/** An executed operation. */
export interface MeasuredOperation {
  readonly text: string;
  readonly survey: Survey;
  readonly data: unknown;
  readonly errors: readonly unknown[];
  /** Request lines of the GETs made. */
  readonly made: readonly string[];
  /** Request lines of cached responses. */
  readonly cached: ReadonlySet<string>;
}

/** Executes earlier operations and then the one to measure, on an account of their own. */
export async function measureOperation(
  tested: AnyAccountFacade,
  account: SmallAccount,
  warmUp: readonly WarmUpStep[],
  anything: readonly Field[],
): Promise<MeasuredOperation> {
  const { facade } = tested;
  tested.serve(toServedAccount(account));
  const operation = withKnownCursors(anything, true);
  const cursors = await findCursors(tested, operation);
  const headers = tested.nextKey();
  const execute = (fields: readonly Field[]) => facade.query(toText(fields, cursors), { headers });
  facade.postman.reset();
  for (const step of warmUp) {
    const again = typeof step === 'number' ? operation[step % operation.length] : undefined;
    if (typeof step === 'string') await facade.query(step, { headers });
    else await execute(again ? [again] : typeof step === 'number' ? operation : withKnownCursors(step, false));
  }
  const cached = new Set(facade.postman.calls);
  facade.postman.reset();
  const { data, errors } = await execute(operation);
  return {
    text: toText(operation, cursors),
    survey: surveyOperation(account, operation),
    data,
    errors,
    made: facade.postman.calls,
    cached,
  };
}

/** Cursors as a client gets them: from an earlier response, here for another key. */
async function findCursors(tested: AnyAccountFacade, operation: readonly Field[]): Promise<ReadonlyMap<Field, string>> {
  const headers = tested.nextKey();
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
