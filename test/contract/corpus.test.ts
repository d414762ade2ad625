import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeRows } from '../../bench/corpus/make-rows.ts';
import { runCorpus } from '../../bench/corpus/run-corpus.ts';
import { type GraphQLResponse, serveFolder } from '../../bench/corpus/served-folder.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'corpus-test-'));
  mkdirSync(join(root, 'orders'));
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (path: string, content: unknown) => writeFileSync(join(root, path), JSON.stringify(content));

/** The printed lines without the two columns that differ each time. */
async function run(...args: string[]) {
  const lines: string[] = [];
  const status = await runCorpus(args, (line) => lines.push(line));
  return { status, lines: lines.map((line) => line.replace(/( +[\d,]+){2} {2}(?=[a-z(])/, '  ')) };
}

const oldOdd = {
  info: { name: 'Old and odd', description: { content: 'Older', type: 'text/plain' } },
  auth: { type: 'basic', basic: { username: 'ines', password: 'secret' } },
  event: [{ listen: 'test', script: 'a text' }, null],
  variable: [{ id: 'host', value: 'a.example' }, null, 7],
  item: [
    { name: 'Empty', item: [] },
    {
      name: 'Folder',
      auth: { type: 'noauth' },
      // In the plural, as some documents have them.
      events: [{ listen: 'prerequest', script: { exec: ['one', 'two\r'] } }],
      item: [
        { id: 'same', name: 'By text', request: 'https://a.example/{{path}}?a=1#end' },
        { id: 'same', name: 'Headers', request: { url: '/x', header: 'Accept: text/plain\n//X-Off: 1\n\n' } },
        { name: 'Deeper', item: [{ item: [{ item: [{ request: { method: 'purge', url: { host: ['b'] } } }] }] }] },
      ],
    },
    { name: 'No request' },
    null,
    'text',
    {
      request: {
        method: 'POST',
        url: { raw: 'https://a.example/:id', variable: [{ key: 'id', value: '1' }], query: [] },
        header: [{ key: 'Authorization', value: 'Bearer abc' }],
        body: { mode: 'urlencoded', urlencoded: [{ key: 'a', value: '1' }] },
        auth: { type: 'oauth1', oauth1: { consumerKey: 'k' } },
      },
      responses: [
        { name: 'OK', code: 200, status: 'OK', body: '{}', originalRequest: 'https://a.example/1' },
        null,
        { name: 'Bare', header: null },
      ],
    },
  ],
};

it('asks about every file of a folder, and tells in a table what each holds and that nothing is wrong', async () => {
  let item: unknown[] = [{ name: 'Deepest', request: 'https://a.example' }];
  for (let level = 0; level < 45; level++) item = [{ item }];
  write('deep.json', { collection: { info: {}, item } });
  write('orders/old-odd.json', oldOdd);
  write('orders/v1.json', { id: 'a', name: 'First format', order: [], requests: [] });
  writeFileSync(join(root, 'orders/utf-16.json'), Buffer.from('\uFEFF{}', 'utf16le'));
  writeFileSync(join(root, 'broken.json'), '{');
  const staging = { name: 'Staging', values: [{ key: 'host', value: 'a' }, null, { key: 'key', type: 'secret' }] };
  writeFileSync(join(root, 'orders/staging.json'), `\uFEFF${JSON.stringify(staging)}`);
  write('globals.json', { values: [{ key: 'region', value: 'eu' }], _postman_variable_scope: 'globals' });
  write('more-globals.json', { values: [{ key: 'zone', value: 1 }], _postman_variable_scope: 'globals' });
  const { status, lines } = await run(root);
  expect(lines).toEqual([
    '  items  folders  requests  examples  values  page  errors        bytes      ms  file',
    '     46       45         1         0           100       0  deep.json',
    '                                           1             0  globals.json',
    '                                           1             0  more-globals.json',
    '     10        5         5         2           100       0  orders/old-odd.json',
    '                                           2             0  orders/staging.json',
    '                                                         0  (the account: me, rateLimit and all lists)',
    expect.stringMatching(/^refused broken\.json: not JSON: /),
    'refused orders/utf-16.json: UTF-16 text: save it as UTF-8',
    'refused orders/v1.json: Collection Format v1: open it in Postman and export it as v2.1',
    '5 served, 3 refused; collections: 2, environments: 1, globals: 2',
    expect.stringMatching(/^items: 56, requests: 6, examples: 2; queries: 12, bytes: [\d,]+, errors: 0$/),
    'nothing is wrong',
  ]);
  expect(status).toBe(0);
});

it('ends with status 1 when there is nothing to ask about', async () => {
  const { status, lines } = await run(root);
  expect({ status, last: lines.at(-1) }).toEqual({ status: 1, last: 'there is nothing to ask about' });
});

it.each([
  { what: 'no folder', args: [], said: '' },
  { what: 'two folders', args: ['one', 'other'], said: '' },
  {
    what: 'a folder that is not there',
    args: ['/no/such'],
    said: ': The folder of exports "/no/such" does not exist.',
  },
])('answers $what with one line on its use and status 1', async ({ args, said }) => {
  expect(await run(...args)).toEqual({
    status: 1,
    lines: [`usage: npm run corpus -- <folder of Postman exports>${said}`],
  });
});

describe('the check', () => {
  /** What is said to be wrong with the only file when every answer about it is changed on its way. */
  async function findProblems(change: (answer: GraphQLResponse, query: string) => GraphQLResponse) {
    const { exports, sendQuery: ask, close } = await serveFolder(root);
    try {
      const rows = makeRows(root, exports, async (query, variables) => {
        const answer = await ask(query, variables);
        return query.includes('__schema') ? answer : change(answer, query);
      });
      const { value } = await rows.next();
      return value?.problems;
    } finally {
      await close();
    }
  }

  const replace = (from: string, to: string) => (answer: GraphQLResponse) => ({
    ...answer,
    data: JSON.parse(JSON.stringify(answer.data).replaceAll(from, to)) as GraphQLResponse['data'],
  });
  const inPages = (change: (nodes: unknown[]) => void) => (answer: GraphQLResponse, query: string) => {
    const { collection } = structuredClone(answer.data) as { collection?: { requests?: { nodes: unknown[] } } };
    if (!query.includes('requests(first') || !collection?.requests) return answer;
    change(collection.requests.nodes);
    return { ...answer, data: { collection } };
  };

  beforeEach(() => write('old-odd.json', oldOdd));

  it.each([
    { what: 'an answer as it should be', change: (answer: GraphQLResponse) => answer, problems: [] },
    {
      what: 'a URL that was written anew',
      change: replace('"raw":"https://a.example/:id"', '"raw":"https://a.example/1"'),
      problems: ['lists', 'tree', 'json'].map(
        (view) => `${view}: requests[4] raw: 'https://a.example/:id' expected, 'https://a.example/1' found`,
      ),
    },
    {
      what: 'authorization of another kind',
      change: replace('"type":"noauth"', '"type":"basic"'),
      problems: [
        ...['lists', 'tree', 'json'].map((view) => `${view}: folders[1] auth: 'noauth' expected, 'basic' found`),
        "SDK: requests[0] effectiveAuth: 'noauth' expected, 'basic' found, and 2 more",
      ],
    },
    {
      what: 'a list that is null',
      change: replace('"variables":[]', '"variables":null'),
      problems: [
        'Folder.variables is null',
        'Request.variables is null',
        'Url.variables is null',
        ...['lists', 'tree'].flatMap((view) => [
          `${view}: folders[0] variables: 0 expected, nothing found, and 4 more`,
          `${view}: requests[0] variables: 0 expected, nothing found, and 4 more`,
        ]),
      ],
    },
    {
      what: 'a list with a request less',
      change: inPages((nodes) => nodes.splice(1, 1)),
      problems: [
        'lists: requests: 5 expected, 4 found',
        'SDK: requests: 5 expected, 4 found',
        'the lists and the tree have other ids, or another order',
      ],
    },
    {
      what: 'a list with one id twice',
      change: inPages((nodes) => Object.assign(nodes[0] as object, { id: (nodes[1] as { id: string }).id })),
      problems: ['the lists and the tree have other ids, or another order', 'ids are not unique'],
    },
    {
      what: 'an answer with an error',
      change: (answer: GraphQLResponse) => ({
        ...answer,
        data: {},
        errors: [{ message: 'No.', path: ['collection', 'auth'] }],
      }),
      problems: Array.from({ length: 3 }, () => 'error at collection.auth: No.'),
    },
  ])('of $what tells what is wrong with it', async ({ change, problems }) => {
    expect(await findProblems(change)).toEqual(problems);
  });
});
