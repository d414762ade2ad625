import { GraphQL17Alpha9Handler } from '@apollo/client/incremental';
import { asyncProperty, assert, nat, option, record } from 'fast-check';
import {
  type ASTNode,
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionNode,
  visit,
} from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AnnouncedPart, reassemble } from '../support/announced.ts';
import { type AnyAccountFacade, startAnyAccount } from '../support/any-account.ts';
import { anyOperation, inParts, toText, withKnownCursors } from '../support/any-operation.ts';
import { reportCells } from '../support/client-table.ts';
import { merge, type Part, partsOf } from '../support/parts.ts';
import { toRuns } from '../support/property-runs.ts';
import { anySmallAccount, toServedAccount } from '../support/small-account.ts';
import { cells, clients, type ClientResult, type Read } from './clients.ts';

const runs = { ...toRuns(40), endOnFailure: true };

let tested: AnyAccountFacade;
beforeAll(async () => {
  tested = await startAnyAccount(2 * Object.keys(clients).length * (runs.numRuns + 200));
});
afterAll(() => tested.facade.close());

/** Which calls to Postman fail in a run. */
const anyFault = option(record({ kind: nat(3) }), { nil: undefined });
const FAULTS = ['/environments/', '/collections/', '/mocks', '/workspaces/'];

/** The operation with its fields in two fragments that share the first ones, and are deferred. */
function inFragments(text: string): string {
  const document = parse(text);
  const definitions = document.definitions.map((definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return definition;
    const { selections } = definition.selectionSet;
    const shared = selections.slice(0, Math.ceil(selections.length / 2));
    return withSelections(definition, [toDeferred(selections), toDeferred(shared)]);
  });
  return print({ ...document, definitions });
}

function withSelections(operation: OperationDefinitionNode, selections: readonly SelectionNode[]) {
  return { ...operation, selectionSet: { ...operation.selectionSet, selections } };
}

const toDeferred = (selections: readonly SelectionNode[]): SelectionNode => ({
  kind: Kind.INLINE_FRAGMENT,
  directives: [{ kind: Kind.DIRECTIVE, name: { kind: Kind.NAME, value: 'defer' } }],
  selectionSet: { kind: Kind.SELECTION_SET, selections },
});

// A test below shows that this is a fault of the client.
const failsForNestedStreams = (name: string) => name === '@apollo/client, incrementalSpec=v0.2';

/** The operation without streams inside of the rows of others. */
function withOuterStreams(text: string): string {
  const left = (node: FieldNode) => node.directives?.filter((directive) => directive.name.value !== 'stream') ?? [];
  const withoutStreams = (root: ASTNode): ASTNode =>
    visit(root, { Field: (node) => ({ ...node, directives: left(node) }) });
  return print(
    visit(parse(text), {
      FragmentDefinition: (node) => withoutStreams(node),
      Field(node) {
        if (left(node).length === (node.directives ?? []).length || !node.selectionSet) return undefined;
        return { ...node, selectionSet: withoutStreams(node.selectionSet) as typeof node.selectionSet };
      },
    }),
  );
}

/** Reads a query with a client, and the parts that the client got. */
async function readBoth(read: Read, query: string, headers: Record<string, string>) {
  let parts: Promise<readonly Part[]> = Promise.resolve([]);
  const send: typeof fetch = async (input, init) => {
    const sent = new Headers(init?.headers);
    for (const [name, value] of Object.entries(headers)) sent.set(name, value);
    const response = await fetch(input, { ...init, headers: sent });
    parts = collect(partsOf(response.clone()));
    return response;
  };
  const shown = await new Promise<ClientResult>((resolve, reject) => {
    let before: ClientResult | undefined;
    const patience = setTimeout(() => {
      void parts.then((all) =>
        reject(
          new Error(
            `The client waits for ever after ${JSON.stringify(before)}: ${query}\n${all.map((one) => JSON.stringify(one)).join('\n')}`,
          ),
        ),
      );
    }, 5_000);
    read(
      tested.facade.url,
      query,
      (result) => {
        before = result;
        if (!result.isLast) return;
        clearTimeout(patience);
        resolve(result);
      },
      { send, skipsCache: true },
    );
  });
  return { shown, parts: await parts };
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** The data and the errors of parts, as we put them together. */
function reassembled(parts: readonly Part[]) {
  if (parts.some((part) => 'pending' in part)) {
    const { data, errors, failed } = reassemble(parts as readonly unknown[] as readonly AnnouncedPart[]);
    return { data, errors: [...errors, ...failed.flatMap((part) => part.errors)] };
  }
  const errors = parts.flatMap((part) => [
    ...(part.errors ?? []),
    ...(part.incremental ?? []).flatMap((increment) => increment.errors ?? []),
  ]);
  return { data: merge(parts), errors };
}

/** Data as the client shows it: without the `__typename`s that clients request by themselves. */
const toShown = (data: unknown): unknown =>
  JSON.parse(JSON.stringify(data ?? null), (key, value: unknown) => (key === '__typename' ? undefined : value));
const toPaths = (errors: readonly { readonly path?: readonly unknown[] }[]) =>
  errors.map(({ path }) => JSON.stringify(path)).sort();

it('Apollo Client 4.3 loses rows of a stream that begins in a row of another one', () => {
  const query = parse('{ rows @stream { cells @stream } }');
  const payloads = [
    { data: { rows: [] }, pending: [{ id: '0', path: ['rows'] }], hasNext: true },
    {
      pending: [{ id: '1', path: ['rows', 0, 'cells'] }],
      incremental: [{ id: '0', items: [{ cells: [] }] }],
      hasNext: true,
    },
    {
      incremental: [
        { id: '1', items: ['a'] },
        { id: '1', items: ['b'] },
      ],
      completed: [{ id: '1' }, { id: '0' }],
      hasNext: false,
    },
  ] as const;
  expect(reassemble(payloads).data).toEqual({ rows: [{ cells: ['a', 'b'] }] });
  const request = new GraphQL17Alpha9Handler().startRequest({ query });
  let shown: unknown;
  for (const payload of payloads) shown = request.handle(undefined, payload).data;
  expect(JSON.stringify(shown)).toBe('{"rows":[{"cells":[]}]}');
});

it.for(Object.entries(clients))(
  '%s shows the response in one piece, whatever comes in parts',
  { timeout: 3_600_000 },
  async ([name, read], context) => {
    const cell = cells[name];
    if (cell) reportCells(context, cell);
    await assert(
      asyncProperty(anySmallAccount, anyOperation, anyFault, nat(2), async (account, anything, fault, side) => {
        const { facade } = tested;
        const whole = toText(withKnownCursors(anything, false), new Map());
        const inMany = side === 0 ? inFragments(inParts(whole)) : inParts(whole);
        const text = failsForNestedStreams(name) ? withOuterStreams(inMany) : inMany;
        tested.serve(toServedAccount(account));
        if (fault) facade.postman.fail(FAULTS[fault.kind]!, { kind: 'status', status: 403 });
        // Where a field has an error, graphcache shows less than it got.
        const compared = fault && name.includes('graphcache') ? { data: undefined } : {};
        const { shown, parts } = await readBoth(read, text, tested.nextKey());
        // With all of its fragments, the operation may exceed a limit.
        if (parts[0]?.errors?.[0]?.extensions?.['code'] === 'GRAPHQL_VALIDATION_FAILED') return;
        const expected = reassembled(parts);
        expect({ text, data: toShown(shown.data), ...compared, errors: toPaths(shown.errors) }).toEqual({
          text,
          data: toShown(expected.data),
          ...compared,
          errors: toPaths(expected.errors),
        });
        tested.serve(toServedAccount(account));
        if (fault) facade.postman.fail(FAULTS[fault.kind]!, { kind: 'status', status: 403 });
        const inOne = await facade.query(whole, { headers: tested.nextKey() });
        expect({ text, data: toShown(shown.data), ...compared }).toEqual({
          text,
          data: toShown(inOne.data),
          ...compared,
        });
      }),
      runs,
    );
  },
);
