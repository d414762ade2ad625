import { afterEach, expect, it } from 'vitest';
import { errorCausesOf, hasPostmanExtensions, isCutOff } from '../../src/graph/errors/error-extensions.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';

let facade: Facade;
afterEach(() => facade.close());

const ALL = '{ workspaces { nodes { environments { nodes { valueCount } } collections { nodes { description } } } } }';

/** The whole response as JSON. */
async function ask(query: string, headers: Record<string, string> = {}): Promise<{ errors?: unknown[] }> {
  const response = await fetch(facade.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as { errors?: unknown[] };
}

it('know operations that were cut off, whether errors are grouped or not', async () => {
  const { account } = createGridAccount(2, 5, 0);
  facade = await startFacade({ MAX_CALLS_PER_OPERATION: '6' }, { account });
  for (const prefer of ['', 'errors=by-cause']) {
    const response = await ask(ALL, { prefer, 'cache-control': 'max-age=59' });
    const errors = response.errors ?? [];
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.every(hasPostmanExtensions)).toBe(true);
    const causes = errorCausesOf(response);
    expect(causes).toMatchObject([{ code: 'RATE_LIMITED', limitedBy: 'operation', ceiling: 6, retryable: true }]);
    expect(causes.map(isCutOff)).toEqual([true]);
    // Each error on its own, or the first of the cause only.
    expect(errors).toHaveLength(prefer === '' ? (causes[0]?.count ?? 0) : 1);
    await facade.close();
    facade = await startFacade({ MAX_CALLS_PER_OPERATION: '6' }, { account });
  }
});

it('know no causes in responses without errors of an operation, or in anything else', async () => {
  facade = await startFacade();
  expect(errorCausesOf(await ask('{ me { id } }'))).toEqual([]);
  expect(errorCausesOf(await ask('{ nonsense }'))).toEqual([]);
  for (const value of [
    null,
    undefined,
    1,
    'a',
    [],
    {},
    { extensions: null },
    { extensions: { errorsByCause: [1, {}] } },
  ]) {
    expect(errorCausesOf(value)).toEqual([]);
    expect(hasPostmanExtensions(value)).toBe(false);
  }
});

it('do not take errors of Postman, or of the budget, for those of a cut-off', async () => {
  facade = await startFacade();
  facade.postman.fail('/me', { kind: 'status', status: 503, headers: { 'retry-after': '7' } });
  const causes = errorCausesOf(await ask('{ me { id } }'));
  expect(causes).toMatchObject([{ code: 'UPSTREAM_UNAVAILABLE', count: 1 }]);
  expect(causes.map(isCutOff)).toEqual([false]);
});
