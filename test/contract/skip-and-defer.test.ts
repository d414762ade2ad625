import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { queryInParts } from '../support/parts.ts';

let facade: Facade | undefined;
afterEach(async () => {
  await facade?.close();
  facade = undefined;
});
const start = async (env: Record<string, string> = {}) => {
  facade = await startFacade(env);
  return facade;
};

describe('a skipped field', () => {
  const no = '@include(if: $no)';

  it('makes no dry run of an operation', async () => {
    const { query, postman } = await start();
    const { data, errors } = await query(
      `query ($no: Boolean = false) { rateLimit(dryRun: true) ${no} { cost } ...D ${no} me { username } } fragment D on Query { rateLimit(dryRun: true) { cost } }`,
    );
    expect({ data, errors }).toEqual({ data: { me: { username: 'ines-aldana' } }, errors: [] });
    expect(postman.calls).toEqual(['GET /me']);
  });

  it('is in no cost and no plan', async () => {
    const { query } = await start();
    const { data } = await query(
      `query ($no: Boolean = false) {
        rateLimit(dryRun: true) { cost plan { path atMost forFields } }
        me { id username ${no} ...F ${no} }
        environments { nodes { name } } 
        workspaces ${no} { nodes { description } }
        collection(uid: "${ids.collections.rides}") { name ... ${no} { formatVersion } ... @skip(if: true) { isPublic } }
      } fragment F on User { email }`,
    );
    expect(data).toEqual({
      rateLimit: {
        cost: 3,
        plan: [
          { path: '/collections/{uid}', atMost: 1, forFields: ['Collection.name', 'Query.collection'] },
          { path: '/environments', atMost: 1, forFields: ['Environment.name', 'Query.environments'] },
          { path: '/me', atMost: 1, forFields: ['Query.me'] },
        ],
      },
    });
  });

  it('causes no calls: look-ahead ignores it', async () => {
    const { query, postman } = await start({ CACHE_TTL_MS: '0' });
    const { errors } = await query(
      `query ($no: Boolean = false) { workspace(id: "${ids.workspaces.riderPlatform}") { name
         collections { nodes { name updatedAt ${no} ...D ${no} ... @skip(if: true) { description } } } environments { nodes { id isPublic ${no} } } } }
       fragment D on Collection { isPublic }`,
    );
    expect(errors).toEqual([]);
    expect(postman.calls.map((call) => call.replace(/\?include=.*$/, ''))).toEqual([
      `GET /workspaces/${ids.workspaces.riderPlatform}`,
    ]);
  });
});

describe('a field that is both deferred and selected directly', () => {
  it('is sent at once', async () => {
    const opened = await start({ CACHE_TTL_MS: '0' });
    const parts = [];
    for await (const part of queryInParts(
      opened,
      `{ collection(uid: "${ids.collections.rides}") { ... @defer { description formatVersion } description } }`,
    ))
      parts.push(part);
    expect(parts[0]).toMatchObject({ data: { collection: { description: expect.any(String) } } });
    expect(opened.postman.calls).toEqual([`GET /collections/${ids.collections.rides}`]);
  });

  it.each([
    ['environment', ids.environments.staging, 'updatedAt ... @defer { values { key } }'],
    ['collection', ids.collections.rides, 'isPublic ... @defer { formatVersion }'],
  ])('that fails is one error of the %s, and no unhandled error of the process', async (field, uid, fields) => {
    const opened = await start({ CACHE_TTL_MS: '0' });
    opened.postman.fail(`/${field}s`, { kind: 'status', status: 403 });
    const parts = [];
    for await (const part of queryInParts(opened, `{ ${field}(uid: "${uid}") { ${fields} } }`)) parts.push(part);
    expect(parts[0]).toMatchObject({
      data: { [field]: null },
      errors: [{ path: [field], extensions: { code: 'FORBIDDEN' } }],
    });
  });
});

describe('limits of a document', () => {
  it.each(['\n', '\r', '\r\n'])('counts lines, however they end: %j', async (end) => {
    const { query } = await start({ MAX_QUERY_TOKENS: '100' });
    const { errors } = await query(`{ me { id } }${end.repeat(600)}`);
    expect(errors.map(({ message }) => message)).toEqual([
      'Syntax Error: The document has more than 500 lines. The operator can raise MAX_QUERY_TOKENS.',
    ]);
    expect((await query(`{ me { id } }${end.repeat(400)}`)).errors).toEqual([]);
  });

  it('apply to persisted documents when they are loaded', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'documents-'));
    const file = join(folder, 'documents.json');
    try {
      for (const text of [
        'mutation { a }',
        `{ ${'a'.repeat(101)}: me { id } }`,
        '{ collections { nodes @stream(initialCount: -1) { id } } }',
      ]) {
        await writeFile(file, JSON.stringify({ one: text }));
        await expect(start({ PERSISTED_DOCUMENTS: file })).rejects.toThrow('the document "one"');
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('leaves a hundred characters of an operation name to the log', async () => {
    const { query, log } = await start();
    await query(`query ${'n'.repeat(5_000)} { me { id } }`);
    const names = log.map((line) => (JSON.parse(line) as { operation?: string }).operation).filter(Boolean);
    expect(names).toEqual(['n'.repeat(100)]);
  });
});
