import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';

let facade: Facade;
/** A public server: production, and every client sends its own key. */
let onTheStreet: Facade;
beforeAll(async () => {
  [facade, onTheStreet] = await Promise.all([
    startFacade(),
    startFacade({ NODE_ENV: 'production', POSTMAN_API_KEY: '' }),
  ]);
});
afterAll(() => Promise.all([facade.close(), onTheStreet.close()]));

describe('GraphQL over HTTP', () => {
  const audits = serverAudits({ url: () => facade.url });

  it('has 61 audits', () => {
    expect(audits).toHaveLength(61);
  });

  it.each(audits.map((audit) => [audit.id, audit.name, audit] as const))('%s %s', async (_id, _name, audit) => {
    const { status, ...result } = await audit.fn();
    expect({ status, reason: 'reason' in result ? result.reason : undefined }).toEqual({
      status: 'ok',
      reason: undefined,
    });
  });
});

describe('probes of GraphQL security scanners', () => {
  const post = async (body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(onTheStreet.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    return { status: response.status, text: await response.text() };
  };
  const ask = (query: string) => post(JSON.stringify({ query }));
  const times = (count: number, text: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => text(index)).join(' ');

  it('refuses alias overloading', async () => {
    expect((await ask(`{ ${times(101, (index) => `a${index}: __typename`)} }`)).text).toContain(
      'Aliases limit of 100 exceeded',
    );
  });

  it('refuses batches', async () => {
    const { status, text } = await post(
      JSON.stringify(Array.from({ length: 10 }, () => ({ query: '{ __typename }' }))),
    );
    expect([status, text]).toEqual([400, expect.stringContaining('Batching is not supported')]);
  });

  it('refuses directive overloading', async () => {
    expect((await ask(`{ __typename ${times(100, () => '@include(if: true)')} }`)).text).toContain(
      'Directives limit of 50 exceeded',
    );
  });

  it('refuses circular introspection', async () => {
    const nested = `${times(10, () => 'fields { type {')} name ${times(10, () => '} }')}`;
    expect((await ask(`{ __schema { types { ${nested} } } }`)).text).not.toContain('"data"');
  });

  it('returns duplicated fields once', async () => {
    expect((await ask(`{ ${times(500, () => '__typename')} }`)).text).toContain('{"data":{"__typename":"Query"}');
  });

  it('has no mutations, by GET or otherwise', async () => {
    expect((await ask('mutation { __typename }')).text).toContain('it has no mutation operations');
    const response = await fetch(`${onTheStreet.url}?query=${encodeURIComponent('mutation { __typename }')}`, {
      headers: { accept: 'application/json' },
    });
    expect(response.status).toBe(405);
  });

  it('executes no GET that a link could make', async () => {
    const response = await fetch(`${onTheStreet.url}?query=${encodeURIComponent('{ __typename }')}`, {
      headers: { accept: 'application/json', 'sec-fetch-site': 'cross-site' },
    });
    expect([response.status, await response.text()]).toEqual([403, expect.not.stringContaining('"data"')]);
  });

  it('executes no POST that a form could make', async () => {
    const { status, text } = await post('query=%7B__typename%7D', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect([status, text]).toEqual([415, expect.not.stringContaining('"data"')]);
  });

  it.each([
    ['field names', '{ workspac }', 'Cannot query field'],
    ['types', '{ collection(uid: "a") { items { items { id } } } }', 'Cannot query field'],
    ['values', '{ workspaces(visibility: TEAN) { totalCount } }', 'does not exist in'],
  ])('makes no suggestions about %s', async (_what, query, message) => {
    const { text } = await ask(query);
    expect(text).toContain(message);
    expect(text).not.toContain('Did you mean');
  });

  it('does not show its schema without a key', async () => {
    expect((await ask('{ __schema { queryType { name } } }')).text).not.toContain('"data"');
  });

  it('shows its schema to clients whose key Postman accepts', async () => {
    const { text } = await post(JSON.stringify({ query: '{ __schema { queryType { name } } }' }), {
      'x-api-key': onTheStreet.postman.apiKey,
    });
    expect(text).toContain('{"data":{"__schema":{"queryType":{"name":"Query"}}}');
  });

  it('shows no GraphiQL', async () => {
    const response = await fetch(onTheStreet.url, { headers: { accept: 'text/html' } });
    expect(await response.text()).not.toContain('graphiql');
  });

  it('shows no tracing', async () => {
    expect((await ask('{ __typename }')).text).toBe(
      '{"data":{"__typename":"Query"},"extensions":{"upstream":{"calls":0,"cached":0,"coalesced":0,"waitedMs":0,"sandbox":false}}}',
    );
  });

  it('shows no internals in errors', async () => {
    const { text } = await ask('queryy { __typename }');
    expect(text).toContain('Syntax Error');
    expect(text).not.toMatch(/node_modules|\bat \w+ \(|stack/);
  });
});
