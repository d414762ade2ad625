import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import type * as fsPromises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readExports } from '../../../src/sandbox/exports/read-exports.ts';
import { formatReport } from '../../../src/sandbox/exports/report.ts';

const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });

// Tests may run as a user that ignores permissions, so unreadable files are mocked.
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fsPromises>();
  const guard =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (String(args[0]).includes('locked')) throw denied;
      return call(...args);
    };
  return { ...real, readFile: guard(real.readFile as never), readdir: guard(real.readdir as never) };
});

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'exports-test-'));
});

afterEach(() => rmSync(root, { recursive: true }));

/** Writes text and bytes unchanged, everything else as JSON. */
function write(path: string, content: unknown): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content));
}

const request = { name: 'Ping', request: { method: 'GET', url: 'https://a.example/' } };
const collection = (name: string) => ({ info: { name }, item: [request] });
const variable = { key: 'host', value: 'a.example', enabled: true };
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/;

async function readNames() {
  const { read, skipped } = await readExports(root);
  return { read: read.map(({ file, kind, name }) => `${file}: ${kind} ${name}`), skipped };
}

/** All generated ids: of workspaces, collections, environments, items and saved responses. */
async function readIds(): Promise<Map<string, string>> {
  const { account } = await readExports(root);
  const ids = new Map<string, string>();
  const walk = (place: string, nodes: unknown) => {
    for (const [index, node] of (Array.isArray(nodes) ? nodes : []).entries()) {
      if (typeof node !== 'object' || node === null) continue;
      ids.set(`${place}/${index}`, node.id);
      expect(node.uid).toBe(`${account.user.id}-${node.id}`);
      walk(`${place}/${index}`, node.item);
      walk(`${place}/${index}/response`, node.response);
    }
  };
  for (const { id, name } of account.workspaces) ids.set(`workspace ${name}`, id);
  for (const { id, name } of account.environments) ids.set(`environment ${name}`, id);
  for (const { id, name, document } of account.collections) {
    ids.set(`collection ${name}`, id);
    walk(`collection ${name}`, document['item']);
  }
  return ids;
}

describe('readExports recognises a file by its shape', () => {
  it.each([
    ['a collection', collection('A'), 'collection A'],
    ['a collection in an envelope', { collection: collection('A') }, 'collection A'],
    ['an empty collection', { info: { name: 'A' }, item: [] }, 'collection A'],
    ['a collection without info', { item: [request] }, 'collection file'],
    ['a collection whose info is text', { info: 'A', item: [{ item: [] }] }, 'collection file'],
    ['a collection without a name', { info: { name: 7 }, item: [] }, 'collection file'],
    ['a collection with a blank name', { info: { name: ' ' }, item: [] }, 'collection file'],
    [
      'a collection that calls itself v1',
      { info: { name: 'A', schema: '/collection/v1.0.0/' }, item: [] },
      'collection A',
    ],
    ['a collection half converted from v1', { ...collection('A'), requests: [], order: [] }, 'collection A'],
    ['a collection of odd items', { info: { name: 'A' }, item: [null, 1, 'x', [], {}] }, 'collection A'],
    ['an environment', { name: 'E', values: [variable] }, 'environment E'],
    ['an environment in an envelope', { environment: { name: 'E', values: [variable] } }, 'environment E'],
    ['an empty environment', { name: 'E', values: [] }, 'environment E'],
    ['an environment without a name', { values: [null], _postman_variable_scope: 'environment' }, 'environment file'],
    ['globals', { name: 'G', values: [variable], _postman_variable_scope: 'globals' }, 'globals G'],
    ['empty globals', { values: [], _postman_variable_scope: 'globals' }, 'globals file'],
    ['a file with a byte order mark', `\uFEFF${JSON.stringify(collection('A'))}`, 'collection A'],
  ])('%s', async (_what, content, expected) => {
    write('file.json', content);
    expect(await readNames()).toEqual({ read: [`file.json: ${expected}`], skipped: [] });
  });
});

describe('readExports skips', () => {
  const notOurs = 'no Postman collection, environment or globals: export it from Postman, collections as v2.1';
  const v1 = 'Collection Format v1: open it in Postman and export it as v2.1';
  const tooDeep = 'nested deeper than 500 levels: export it again, or flatten its folders';
  const folders = (levels: number, inner = '') =>
    `{"info":{"name":"A"},"item":[${'{"item":['.repeat(levels)}${inner}${']}'.repeat(levels)}]}`;

  it.each([
    ['a v1 collection with an order', { name: 'A', order: [], requests: [] }, v1],
    ['a v1 collection without one', { collection: { requests: [{ dataMode: 'raw' }] } }, v1],
    ['UTF-16 with a mark', Buffer.from('\uFEFF{}', 'utf16le'), 'UTF-16 text: save it as UTF-8'],
    ['UTF-16 of the other byte order', Buffer.from('\uFEFF{}', 'utf16le').swap16(), 'UTF-16 text: save it as UTF-8'],
    ['UTF-16 without a mark', Buffer.from('{}', 'utf16le'), 'UTF-16 text: save it as UTF-8'],
    ['Latin-1', Buffer.from('{"ä":1}', 'latin1'), 'neither UTF-8 nor UTF-16 text: save it as UTF-8'],
    ['an empty file', '', 'not JSON: Unexpected end of JSON input'],
    [
      'what is not JSON',
      '{\n  "a" 1\n}',
      "not JSON: Expected ':' after property name in JSON at position 8 (line 2 column 7)",
    ],
    ['text', '"item"', notOurs],
    ['a list', [collection('A')], notOurs],
    ['null', 'null', notOurs],
    ['an object of something else', { openapi: '3.1.0', info: { title: 'A' }, paths: {} }, notOurs],
    ['an item list of something else', { item: [1, { name: 'x' }] }, notOurs],
    ['values of something else', { name: 'A', values: [1, { x: 2 }] }, notOurs],
    ['an empty list of values that says nothing of itself', { values: [] }, notOurs],
    ["another tool's collection", { v: 2, name: 'A', folders: [], requests: [{ endpoint: '' }] }, notOurs],
    ['keys that mean nothing', '{"__proto__":{"item":[{"request":1}]},"constructor":1}', notOurs],
    ['a collection of 501 levels', folders(249, '{}'), tooDeep],
    ['a collection of 200,000 levels', folders(100_000), tooDeep],
    ['a list of 100,000 levels', '['.repeat(100_000) + ']'.repeat(100_000), tooDeep],
  ])('%s', async (_what, content, reason) => {
    write('file.json', content);
    write('good.json', collection('Good'));
    expect(await readNames()).toEqual({
      read: ['good.json: collection Good'],
      skipped: [{ file: 'file.json', reason }],
    });
  });

  it('but not a collection of 500 levels', async () => {
    write('file.json', folders(249));
    expect(await readNames()).toEqual({ read: ['file.json: collection A'], skipped: [] });
  });

  it('files that are not JSON, and quotes a bounded part of them', async () => {
    write('file.json', `{"a": ${'x'.repeat(10_000)}`);
    const [skipped] = (await readExports(root)).skipped;
    expect(skipped?.reason).toMatch(/^not JSON: Unexpected token/);
    expect(skipped?.reason.length).toBeLessThan(200);
  });

  it('a file larger than 100 MiB without reading it', async () => {
    write('file.json', '');
    truncateSync(join(root, 'file.json'), 104_857_601);
    expect((await readExports(root)).skipped).toEqual([
      { file: 'file.json', reason: 'larger than 100 MiB: split it into smaller collections' },
    ]);
  });

  it('files and folders it may not read', async () => {
    write('a.json', '{}');
    write('locked.json', collection('A'));
    write('locked-folder/a.json', collection('B'));
    write('open/a.json', collection('C'));
    const reason = 'cannot be read (EACCES): give the user of this process permission to read it';
    expect(await readNames()).toEqual({
      read: ['open/a.json: collection C'],
      skipped: [
        { file: 'a.json', reason: notOurs },
        { file: 'locked-folder/', reason },
        { file: 'locked.json', reason },
      ],
    });
  });

  it('symbolic links to files and folders, also circular ones', async () => {
    write('real/a.json', collection('A'));
    write('real/notes.txt', '');
    symlinkSync(join(root, 'real/a.json'), join(root, 'link.json'));
    symlinkSync(join(root, 'real/notes.txt'), join(root, 'notes.txt'));
    symlinkSync(root, join(root, 'real/circle'));
    symlinkSync('nowhere', join(root, 'broken'));
    const reason = 'a symbolic link, which is not followed: put here what it leads to';
    expect(await readNames()).toEqual({
      read: ['real/a.json: collection A'],
      skipped: [
        { file: 'link.json', reason },
        { file: 'real/circle', reason },
      ],
    });
  });

  it('silently files with other names, and folders of tools', async () => {
    write('a.yaml', collection('A'));
    write('json', collection('A'));
    write('folder.json/b.txt', '');
    write('.git/a.json', collection('A'));
    write('deep/node_modules/a/a.json', collection('A'));
    write('deep/B.JSON', collection('B'));
    expect(await readNames()).toEqual({ read: ['deep/B.JSON: collection B'], skipped: [] });
  });
});

describe('readExports refuses', () => {
  it('a folder that does not exist', async () => {
    const missing = join(root, 'missing\n');
    await expect(readExports(missing)).rejects.toThrow(
      `The folder of exports "${join(root, 'missing')}\\n" does not exist.`,
    );
  });

  it('a path that is not a folder', async () => {
    write('a.json', collection('A'));
    const file = join(root, 'a.json');
    await expect(readExports(file)).rejects.toThrow(`The folder of exports "${file}" is not a folder.`);
  });

  it('a folder it may not read', async () => {
    mkdirSync(join(root, 'locked'));
    const folder = join(root, 'locked');
    await expect(readExports(folder)).rejects.toThrow(`The folder of exports "${folder}" cannot be read (EACCES).`);
  });
});

describe('the account', () => {
  it('is empty when nothing can be read', async () => {
    const { account, read, skipped } = await readExports(root);
    expect({ ...account, user: account.user.username, team: account.team?.length, read, skipped }).toEqual({
      user: 'exports',
      team: 1,
      workspaces: [],
      collections: [],
      environments: [],
      read: [],
      skipped: [],
    });
  });

  it('has a workspace for each folder with something in it, and the globals of its files', async () => {
    write('z.json', collection('Z'));
    write('team/a.json', collection('A'));
    write('team/b.json', { name: 'B', values: [variable] });
    write('team/g1.json', { values: [variable], _postman_variable_scope: 'globals' });
    write('team/g2.json', { values: [{ key: 'port', value: 1 }, null], _postman_variable_scope: 'globals' });
    write('team/empty/notes.txt', '');
    write('team/broken/a.json', '{');
    write('team/deep/c.json', collection('C'));
    utimesSync(join(root, 'team/a.json'), 0, Date.UTC(2024, 0, 2) / 1000);
    for (const file of ['b', 'g1', 'g2']) {
      utimesSync(join(root, `team/${file}.json`), 0, Date.UTC(2023, 4, 6) / 1000);
    }
    const { account } = await readExports(root);
    const nameOf = (uid: string) =>
      [...account.collections, ...account.environments].find(({ owner, id }) => `${owner}-${id}` === uid)?.name;
    expect(
      account.workspaces.map(({ name, collections, environments, globals }) => ({
        name,
        holds: [...collections, ...environments].map(nameOf),
        globals,
      })),
    ).toEqual([
      { name: basename(root), holds: ['Z'], globals: [] },
      { name: 'team', holds: ['A', 'B'], globals: [variable, { key: 'port', value: 1 }, null] },
      { name: 'team/deep', holds: ['C'], globals: [] },
    ]);
    const owner = String(account.user.id);
    expect(account.workspaces[1]).toMatchObject({
      type: 'team',
      visibility: 'team',
      createdBy: owner,
      updatedBy: owner,
      createdAt: '2023-05-06T00:00:00.000Z',
      updatedAt: '2024-01-02T00:00:00.000Z',
    });
    expect(account.collections[0]).toMatchObject({
      owner,
      name: 'A',
      isPublic: false,
      createdAt: '2024-01-02T00:00:00.000Z',
      updatedAt: '2024-01-02T00:00:00.000Z',
    });
  });

  it('serves files unchanged, even if malformed, except the ids of items and responses', async () => {
    const own = { id: 'own', uid: 'own' };
    write('a.json', {
      info: { name: 'A', _postman_id: 'own', odd: [] },
      event: null,
      variable: 'odd',
      item: [{ ...own, name: 7, item: [null, { ...own, request: 'https://a.example/', response: [own, 'odd'] }] }, 3],
    });
    const { account, read } = await readExports(root);
    const ids = await readIds();
    const stamp = (place: string) => ({
      id: ids.get(`collection A/${place}`),
      uid: `${account.user.id}-${ids.get(`collection A/${place}`)}`,
    });
    expect(account.collections[0]?.document).toEqual({
      info: { name: 'A', _postman_id: 'own', odd: [] },
      event: null,
      variable: 'odd',
      item: [
        {
          ...stamp('0'),
          name: 7,
          item: [null, { ...stamp('0/1'), request: 'https://a.example/', response: [stamp('0/1/response/0'), 'odd'] }],
        },
        3,
      ],
    });
    expect(read).toEqual([{ file: 'a.json', kind: 'collection', name: 'A', requests: 1 }]);
  });

  it('names a collection that has no name like its file, in the document too', async () => {
    write('folder/My API.json', '{"info":{"schema":"x","__proto__":{"name":"inherited"}},"item":[]}');
    const { account } = await readExports(root);
    expect(account.collections.map(({ name, document }) => [name, JSON.stringify(document)])).toEqual([
      ['My API', '{"info":{"schema":"x","__proto__":{"name":"inherited"},"name":"My API"},"item":[]}'],
    ]);
  });
});

describe('ids', () => {
  const item = [{ item: [{ ...request, response: [{}, {}] }, request], response: [{}] }, { item: [request] }, request];
  const fill = () => {
    write('a.json', { info: { name: 'A', _postman_id: 'same' }, item });
    write('copies/b.json', { info: { name: 'B', _postman_id: 'same' }, item });
    write('copies/e.json', { id: 'same', name: 'E', values: [] });
    write('copies/f.json', { id: 'same', name: 'F', values: [] });
  };

  it('are all different and shaped like UUIDs, also those of copies', async () => {
    fill();
    const ids = [...(await readIds()).values()];
    expect(ids).toHaveLength(2 + 2 + 2 + 2 * 9);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !uuidForm.test(id))).toEqual([]);
  });

  it('stay the same in another folder, and when other files are added, changed or removed', async () => {
    fill();
    const before = await readIds();
    expect(await readIds()).toEqual(before);

    rmSync(root, { recursive: true });
    root = mkdtempSync(join(tmpdir(), 'exports-test-'));
    fill();
    write('0.json', collection('New'));
    write('copies/0.json', collection('New too'));
    write('copies/f.json', '{');
    const after = await readIds();
    const kept = [...before].filter(
      ([place]) => place !== 'environment F' && !place.startsWith('workspace exports-test-'),
    );
    expect(kept.map(([place]) => [place, after.get(place)])).toEqual(kept);
    expect(after.get(`workspace ${basename(root)}`)).toBe([...before.values()][0]);
  });
});

describe('formatReport', () => {
  it('has a line for each file, then a summary', async () => {
    write('collections/a.json', { info: { name: 'Name' }, item: [request, { item: [request] }] });
    write('collections/b.json', { info: { name: 'One' }, item: [request] });
    write('e.json', { name: 'Env', values: [] });
    write('g.json', { name: 'Globals', values: [], _postman_variable_scope: 'globals' });
    write('x.json', '{}');
    expect(formatReport(await readExports(root))).toEqual([
      'read collections/a.json: collection "Name", 2 requests',
      'read collections/b.json: collection "One", 1 request',
      'read e.json: environment "Env"',
      'read g.json: globals "Globals"',
      'skipped x.json: no Postman collection, environment or globals: export it from Postman, collections as v2.1',
      '2 collections with 3 requests, 1 environment, 1 globals file in 2 workspaces; 1 skipped',
    ]);
  });

  it('says that there is nothing to serve', async () => {
    expect(formatReport(await readExports(root))).toEqual(['nothing to serve: no file is a Postman export; 0 skipped']);
  });

  it('writes one line per file, whatever names and paths contain', async () => {
    write('a\u001b[2J\n.json', { info: { name: '"\u0000\u009b\u2028\u202e\ud800é👩‍🚀\r\n' }, item: [] });
    write('b.json', { info: { name: 'x'.repeat(100_000) }, item: [] });
    write('c\n.json', '\u001b\n');
    const [first, second, third, ...rest] = formatReport(await readExports(root));
    expect(first).toBe(
      'read a\\u001b[2J\\n.json: collection "\\"\\u0000\\u009b\\u2028\\u202e\\ud800é👩‍🚀\\r\\n", 0 requests',
    );
    expect(second).toBe(`read b.json: collection "${'x'.repeat(200)}…", 0 requests`);
    expect(third).toMatch(/^skipped c\\n\.json: not JSON: [ -~]+$/);
    expect(rest).toHaveLength(1);
  });
});
