import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { LARGEST_COST } from '../../../src/graph/planning/estimate.ts';
import { createSchema } from '../../../src/graph/schema.ts';
import { planOperation } from '../../../src/dry-run/plan-operation.ts';
import { createSimulationQueue, type SimulationQueue } from '../../../src/dry-run/simulation-queue.ts';
import { uncountedResponses } from '../../../src/upstream/calls/operation/held-responses.ts';
import { type Operation, openOperation } from '../../../src/upstream/calls/operation/operation.ts';
import { createBudgetRegistry } from '../../../src/upstream/rate-limiter/budget-registry.ts';
import { Secret } from '../../../src/upstream/http/secret.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const schema = createSchema();

function createOperation(maxCalls: number): {
  readonly operation: Operation;
  readonly clock: ReturnType<typeof createVirtualClock>;
  readonly close: () => void;
} {
  const clock = createVirtualClock();
  const budgets = createBudgetRegistry({
    general: { limit: 60, windowMs: 60_000, isCap: false },
    burst: { limit: 10, windowMs: 10_000 },
    reservedCalls: 5,
    maxConcurrentCalls: 10,
    coldStart: 'off',
    maxBytes: 1_000_000,
    processStartedAtMs: clock.nowMs(),
    clock,
  });
  const { operation, close } = openOperation({
    keyHash: 'key hash',
    apiKey: new Secret('key'),
    keyBudget: budgets.of('key hash'),
    clientAddress: '127.0.0.1',
    heldResponses: { open: () => uncountedResponses },
    timeoutMs: 1_000,
    clientGone: new AbortController().signal,
    maxCalls,
    clock,
  });
  return { operation, clock, close };
}

/** Plans an operation, and counts the reads of the cache. */
async function planned(
  query: string,
  maxCalls = 60,
  variables: Readonly<Record<string, unknown>> = {},
  queue?: SimulationQueue,
) {
  const { operation, clock } = createOperation(maxCalls);
  let cacheReads = 0;
  const calls = {
    cachedOutcome: () => {
      cacheReads++;
      return undefined;
    },
    lastOutcome: () => undefined,
    isCached: () => false,
    load: () => undefined,
    sizesOf: () => undefined,
    cachedLists: () => [],
    loadLists: () => undefined,
    cachesAny: () => false,
    isRenewable: () => false,
    fairShareOf: () => 'key hash',
  };
  const execution = { schema, document: parse(query), operationName: undefined, variables, operation };
  const simulations = queue ?? createSimulationQueue(clock);
  const { refusal, estimate } = await planOperation(execution, { calls, clock, simulations });
  return { refusal, estimate, readsBefore: cacheReads, readsInAll: () => cacheReads };
}

const lookUps = (count: number) =>
  Array.from({ length: count }, (_, index) => `e${index}: environment(uid: "1-${index}") { values { key } }`).join(' ');

describe('the plan of an operation', () => {
  it.each([
    ['an ordinary operation', `{ rateLimit { remaining } ${lookUps(12)} }`],
    ['a dry run', `{ rateLimit(dryRun: true) { cost } ${lookUps(12)} }`],
  ])('does not simulate %s before its execution', async (_what, query) => {
    const { refusal, readsBefore, estimate, readsInAll } = await planned(query);
    expect({ refusal, readsBefore }).toEqual({ refusal: undefined, readsBefore: 0 });
    expect(await estimate()).toMatchObject({ atLeast: 12, atMost: 12 });
    const once = readsInAll();
    await estimate();
    expect(readsInAll()).toBe(once);
  });

  it.each([
    '{ rateLimit { cost } me { id } }',
    '{ rateLimit { ...C } me { id } } fragment C on RateLimit { costAtLeast }',
    '{ rateLimit { ... on RateLimit { cost } } me { id } }',
  ])('simulates before an execution that would change the cost: %s', async (query) => {
    expect((await planned(query)).readsBefore).toBeGreaterThan(0);
  });

  it('checks an operation that names many objects, and refuses it if it certainly needs too many calls', async () => {
    expect((await planned(`{ ${lookUps(10)} }`, 10)).refusal).toBeUndefined();
    expect((await planned(`{ ${lookUps(11)} }`, 10)).refusal?.extensions).toEqual({
      code: 'OPERATION_TOO_EXPENSIVE',
      retryable: false,
      calls: 11,
      ceiling: 10,
    });
  });

  it('counts pages that cursors name', async () => {
    const pages = Array.from({ length: 11 }, (_, page) =>
      Buffer.from(JSON.stringify(['', 99 * page, 'x'])).toString('base64url'),
    );
    const lists = pages.map(
      (after, index) => `c${index}: collections(first: 1, after: "${after}") { nodes { updatedAt } }`,
    );
    const { refusal } = await planned(`{ workspace(id: "1") { ${lists.join(' ')} } }`, 10);
    expect(refusal?.message).toBe(
      'The operation needs at least 11 calls to Postman, but may make 10. 11 of them are GET /collections, for Workspace.collections. Request fewer items per operation.',
    );
  });

  it('stops once the operation has ended', async () => {
    const { operation, clock, close } = createOperation(1);
    let cacheReads = 0;
    const calls = {
      cachedOutcome: () => {
        // The client leaves in the middle.
        if (++cacheReads === 50) close();
        return undefined;
      },
      lastOutcome: () => undefined,
      isCached: () => false,
      load: () => undefined,
      sizesOf: () => undefined,
      cachedLists: () => [],
      loadLists: () => undefined,
      cachesAny: () => false,
      isRenewable: () => false,
      fairShareOf: () => 'key hash',
    };
    const execution = {
      schema,
      document: parse(`{ ${lookUps(100)} }`),
      operationName: undefined,
      variables: {},
      operation,
    };
    const { refusal, estimate } = await planOperation(execution, {
      calls,
      clock,
      simulations: createSimulationQueue(clock),
    });
    expect(refusal).toBeUndefined();
    const readsBefore = cacheReads;
    await expect(estimate()).rejects.toMatchObject({ extensions: { code: 'RATE_LIMITED' } });
    expect(cacheReads).toBe(readsBefore);
  });

  it('simulates one operation at a time', async () => {
    const { operation, clock } = createOperation(1);
    const order: string[] = [];
    const simulations = createSimulationQueue(clock);
    const planAs = (name: string) => {
      const calls = {
        cachedOutcome: () => {
          if (order.at(-1) !== name) order.push(name);
          return undefined;
        },
        lastOutcome: () => undefined,
        isCached: () => false,
        load: () => undefined,
        sizesOf: () => undefined,
        cachedLists: () => [],
        loadLists: () => undefined,
        cachesAny: () => false,
        isRenewable: () => false,
        fairShareOf: () => 'key hash',
      };
      const document = parse(`{ ${lookUps(20)} }`);
      const execution = { schema, document, operationName: undefined, variables: {}, operation };
      return planOperation(execution, { calls, clock, simulations });
    };
    await Promise.all(['a', 'b', 'c'].map(async (name) => planAs(name)));
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('executes an operation that it cannot check, and refuses to estimate its cost', async () => {
    const full: SimulationQueue = { run: () => Promise.resolve(undefined) };
    const { refusal, estimate, readsInAll } = await planned(`{ ${lookUps(11)} }`, 10, {}, full);
    expect(refusal).toBeUndefined();
    await expect(estimate()).rejects.toMatchObject({
      message: 'Too many dry runs are waiting. Retry at `retryAt`.',
      extensions: {
        code: 'RATE_LIMITED',
        retryable: true,
        retryAfterSeconds: 1,
        retryAt: '2026-01-15T12:00:01.000Z',
        limitedBy: 'facade',
      },
    });
    expect(readsInAll()).toBe(0);
  });

  it('executes an operation that selects its cost and other fields if there is no estimate', async () => {
    const full: SimulationQueue = { run: () => Promise.resolve(undefined) };
    const { refusal } = await planned('{ rateLimit { cost } me { id } }', 60, {}, full);
    expect(refusal).toBeUndefined();
  });

  it('does not refuse an operation that cannot be executed: the execution reports the error', async () => {
    const { operation, clock } = createOperation(1);
    const document = parse('query ($id: ID!) { workspace(id: $id) { name } }');
    const plan = await planOperation(
      { schema, document, operationName: undefined, variables: {}, operation },
      {
        calls: {
          cachedOutcome: () => undefined,
          lastOutcome: () => undefined,
          isCached: () => false,
          load: () => undefined,
          sizesOf: () => undefined,
          cachedLists: () => [],
          loadLists: () => undefined,
          cachesAny: () => false,
          isRenewable: () => false,
          fairShareOf: () => 'key hash',
        },
        clock,
        simulations: createSimulationQueue(clock),
      },
    );
    expect(plan).toMatchObject({ document, refusal: undefined });
  });

  const representations = (count: number, toKey: (index: number) => string) => ({
    r: Array.from({ length: count }, (_, index) => ({ __typename: 'Collection', uid: toKey(index) })),
  });
  const aliased = (count: number, toField: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => `a${index}: ${toField(index)}`).join(' ');
  const toUid = (index: number) => `1-10000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
  const toCursor = (index: number) => Buffer.from(JSON.stringify(['', index, 'x'])).toString('base64url');

  it.each([
    [
      'the same reference a thousand times under ninety aliases',
      `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Collection { ${aliased(90, () => 'fork { parent { name } }')} } } }`,
      representations(1_000, () => toUid(1)),
    ],
    [
      'a thousand references with all of their fields',
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Collection { name isPublic description fork { parent { name } } workspace { name collections(first: 100) { nodes { description } } } } } }',
      representations(1_000, toUid),
    ],
    [
      'lists of lists of lists, forty deep',
      `{ collections(first: 100) { nodes { ${'workspace { collections(first: 100) { nodes { '.repeat(10)} description ${'} } } '.repeat(10)} } } }`,
      {},
    ],
    [
      'the ends of very long lists, in each of a hundred workspaces',
      `{ workspaces(first: 100) { nodes { ${aliased(60, (index) => `environments(first: 100, after: "${toCursor(1_900 + index)}") { nodes { name isPublic } }`)} } } }`,
      {},
    ],
    [
      'deferred parts in lists in lists',
      '{ workspaces(first: 100) { nodes @stream { ... @defer { collections(first: 100) { nodes @stream { description ... @defer { isPublic } } } } } } }',
      {},
    ],
  ])('gives up on %s, and reports the largest cost', async (_what, query, variables) => {
    const { estimate, readsInAll } = await planned(query, LARGEST_COST, variables);
    const { atLeast, atMost } = await estimate();
    expect(atMost).toBe(LARGEST_COST);
    expect(atLeast).toBeLessThanOrEqual(LARGEST_COST);
    expect(readsInAll()).toBeLessThan(40_000);
  });

  it('creates no budget for a key that only does dry runs', async () => {
    const { operation, clock } = createOperation(60);
    Object.defineProperty(operation, 'budget', {
      get() {
        throw new TypeError('Reading the budget creates it');
      },
    });
    const document = parse(`{ rateLimit(dryRun: true) { cost readyAt } ${lookUps(3)} }`);
    const { estimate } = await planOperation(
      { schema, document, operationName: undefined, variables: {}, operation },
      {
        calls: {
          cachedOutcome: () => undefined,
          lastOutcome: () => undefined,
          isCached: () => false,
          load: () => undefined,
          sizesOf: () => undefined,
          cachedLists: () => [],
          loadLists: () => undefined,
          cachesAny: () => false,
          isRenewable: () => false,
          fairShareOf: () => 'key hash',
        },
        clock,
        simulations: createSimulationQueue(clock),
      },
    );
    expect(await estimate()).toMatchObject({ atLeast: 3, atMost: 3, servedInMs: expect.any(Number) as number });
  });

  it('yields to the event loop between responses', async () => {
    const { estimate } = await planned('{ workspaces(first: 100) { nodes { description } } }');
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    turn();
    expect(await estimate()).toMatchObject({ atLeast: 1, atMost: 101 });
    isOver = true;
    expect(turns).toBeGreaterThan(100);
  });
});

describe('a bug of this program in a simulation', () => {
  const cause = new TypeError('Nothing is known of this');
  const calls = {
    cachedOutcome: (): undefined => undefined,
    lastOutcome: () => undefined,
    isCached: () => false,
    load: () => undefined,
    sizesOf: () => undefined,
    cachedLists: () => [],
    loadLists: () => undefined,
    cachesAny: () => false,
    isRenewable: () => false,
    fairShareOf: () => 'key hash',
  };
  const fails = () => {
    throw cause;
  };
  const failure = (scenario: string) => ({ message: `Simulation failed in the scenario where ${scenario}`, cause });

  /** Plans an operation. `resolve` replaces the resolver of `Query.environment`. */
  async function planWith(query: string, maxCalls: number, more: object = {}, resolve?: () => unknown) {
    const changed = createSchema();
    const field = changed.getQueryType()?.getFields()['environment'];
    if (field && resolve) field.resolve = resolve;
    const { operation, clock } = createOperation(maxCalls);
    return planOperation(
      { schema: changed, document: parse(query), operationName: undefined, variables: {}, operation },
      { calls: { ...calls, ...more }, clock, simulations: createSimulationQueue(clock) },
    );
  }

  it.each<[string, object, (() => unknown)?]>([
    ['is thrown by a resolver', {}, fails],
    ['rejects the promise of a resolver', {}, () => Promise.reject(cause)],
    ['comes from below a list', {}, () => [Promise.resolve([Promise.reject(cause)])]],
    ['comes with a call', { cachedOutcome: fails }],
  ])('fails the estimate if it %s', async (_what, more, resolve) => {
    const { estimate } = await planWith(`{ rateLimit(dryRun: true) { cost } ${lookUps(3)} }`, 60, more, resolve);
    await expect(estimate()).rejects.toMatchObject(failure('nothing exists'));
  });

  it('fails the estimate even if a look-up hides it', async () => {
    // Another part of the workspace can be read, so the look-up itself succeeds.
    const cachedOutcome = ({ target }: { readonly target: string }) =>
      target.startsWith('/environments') ? fails() : undefined;
    const { estimate } = await planWith(
      '{ rateLimit(dryRun: true) { cost } workspace(id: "w") { description environments { nodes { updatedAt } } } }',
      60,
      { cachedOutcome },
    );
    await expect(estimate()).rejects.toMatchObject(failure('nothing exists'));
  });

  it('names the scenario in which it occurs', async () => {
    const lastOutcome = fails;
    const { estimate } = await planWith(`{ rateLimit(dryRun: true) { cost } ${lookUps(3)} }`, 60, { lastOutcome });
    await expect(estimate()).rejects.toMatchObject(failure('the account has the likely size'));
  });

  it('fails the check of an operation that names many objects', async () => {
    await expect(planWith(`{ ${lookUps(11)} }`, 10, {}, fails)).rejects.toMatchObject(failure('nothing exists'));
  });

  it('is not an error that the client or upstream has caused', async () => {
    const forbidden = { failure: { kind: 'forbidden', message: 'No.', route: '/environments/{uid}' } };
    const { estimate } = await planWith(
      '{ rateLimit(dryRun: true) { cost } a: environment(uid: "../me") { name } b: environment(uid: "1-e") { name } }',
      60,
      { cachedOutcome: () => forbidden },
    );
    expect(await estimate()).toMatchObject({ atLeast: 0, atMost: 0 });
  });
});
