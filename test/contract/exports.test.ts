import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readExports } from '../../src/sandbox/exports/read-exports.ts';
import { type Facade, startFacade } from '../support/facade.ts';

let root = '';
let facade: Facade | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'exports-test-'));
  mkdirSync(join(root, 'orders'));
});

afterEach(async () => {
  await facade?.close();
  rmSync(root, { recursive: true });
});

const write = (path: string, content: unknown) => writeFileSync(join(root, path), JSON.stringify(content));

const request = { request: 'https://a.example/ping' };

it('answers queries about exported files as about an account, however odd the files are', async () => {
  write('orders/api.json', {
    info: { name: 'Orders' },
    item: [
      { name: 'Folder', item: [{ ...request, response: [{ name: 'Pong' }, null] }, { item: null }, { item: [] }] },
      request,
      null,
      'odd',
      {},
    ],
  });
  write('orders/no-info.json', { item: [request], event: 'odd', variable: [null, 7], auth: [] });
  write('orders/staging.json', {
    environment: { name: 'Staging', values: [{ key: 'host', value: 'a.example' }, null, { key: 'port', value: 1 }] },
  });
  write('orders/globals.json', { values: [{ key: 'region', value: 'eu' }], _postman_variable_scope: 'globals' });
  const { account, read } = await readExports(root);
  facade = await startFacade({}, { account });
  const { data, errors } = await facade.query(`{
    me { username }
    workspaces {
      nodes {
        name
        visibility
        collections {
          nodes { name description requests { totalCount nodes { name method url { raw } examples { name } } } folders { totalCount } }
        }
        environments { nodes { name values { key value } } }
        globals { key value }
      }
    }
  }`);
  expect(errors).toEqual([]);
  const url = { raw: 'https://a.example/ping' };
  const ping = { name: null, method: 'GET', url, examples: [] };
  const empty = { name: null, method: 'GET', url: null, examples: [] };
  expect(data).toEqual({
    me: { username: 'exports' },
    workspaces: {
      nodes: [
        {
          name: 'orders',
          visibility: 'TEAM',
          collections: {
            nodes: [
              {
                name: 'Orders',
                description: null,
                requests: { totalCount: 4, nodes: [{ ...ping, examples: [{ name: 'Pong' }] }, empty, ping, empty] },
                folders: { totalCount: 2 },
              },
              {
                name: 'no-info',
                description: null,
                requests: { totalCount: 1, nodes: [ping] },
                folders: { totalCount: 0 },
              },
            ],
          },
          environments: {
            nodes: [
              {
                name: 'Staging',
                values: [
                  { key: 'host', value: 'a.example' },
                  { key: 'port', value: 1 },
                ],
              },
            ],
          },
          globals: [{ key: 'region', value: 'eu' }],
        },
      ],
    },
  });
  expect(read.map(({ requests }) => requests)).toEqual([4, undefined, 1, undefined]);
});

it('serves the folders and requests of the top level alone, and collections as deep as they may be', async () => {
  let item: unknown[] = [];
  for (let level = 0; level < 249; level++) item = [{ item }];
  write('deep.json', { info: { name: 'Deep' }, item: [...item, 1] });
  const { account } = await readExports(root);
  facade = await startFacade({}, { account });
  const [deep] = account.collections;
  const uid = `${deep?.owner}-${deep?.id}`;
  const headers = { 'X-Api-Key': facade.postman.apiKey };
  const minimal = await fetch(`${facade.postman.origin}/collections/${uid}?model=minimal`, { headers });
  expect(await minimal.json()).toMatchObject({
    collection: { info: { name: 'Deep', uid }, rootLevelFolders: [expect.any(String)], rootLevelRequests: [] },
  });
  const { data } = await facade.query('query ($uid: ID!) { collection(uid: $uid) { folders { totalCount } } }', {
    variables: { uid },
  });
  expect(data).toEqual({ collection: { folders: { totalCount: 249 } } });
});
