import type { JsonObject } from '../../src/upstream/collection-format/syntax/json.ts';

const description = { content: 'What it is **for**.', type: 'text/markdown', version: '1' };
const scripts = [
  { listen: 'prerequest', script: { id: 's-1', type: 'text/javascript', exec: ['one();', 'two();'] } },
  { listen: 'test', disabled: true, script: 'three();\r\nfour();' },
];
const variables = [
  { key: 'open', value: 'a', type: 'string', description },
  { id: 'count', value: 3, disabled: true },
  { key: 'hidden', value: 's', type: 'secret', enabled: true },
  { key: 'vault', type: 'default', secret: true, source: { provider: 'postman' } },
  { key: 'list', value: ['a', { b: null }] },
];
const url = {
  raw: 'https://ann@{{host}}.example:8443/users/:id//?a&b=&c={{d}}#top',
  protocol: 'https',
  auth: { user: 'ann', password: 'pw' },
  host: ['{{host}}', 'example'],
  port: '8443',
  path: ['users', ':id', { type: 'string', value: '' }, ''],
  query: [
    { key: 'a', value: null },
    { key: 'b', value: '', description },
    { key: 'c', value: '{{d}}', disabled: true },
    { key: null, value: 'e', equals: true },
  ],
  hash: 'top',
  variable: [{ key: 'id', value: '7', type: 'any', description: 'Which one.' }],
};
const headers = [
  { key: 'Accept', value: 'application/json', description },
  { key: 'Authorization', value: 'Bearer t', disabled: true },
  { key: 'Content-Length', value: 12, type: 'text', name: 'Content-Length' },
  'X-Line: 1',
];
const request = (name: string, definition: unknown, more: JsonObject = {}) => ({
  id: `r-${name}`,
  uid: `12-r-${name}`,
  name,
  request: definition,
  response: [],
  ...more,
});
const example = (name: string, more: JsonObject = {}) => ({
  id: `e-${name}`,
  uid: `12-e-${name}`,
  name,
  originalRequest: { method: 'GET', url, header: headers },
  status: 'OK',
  code: 200,
  header: headers,
  cookie: [{ domain: 'a.example', path: '/', name: 'sid', value: 'c', expires: 1_700_000_000, httpOnly: true }],
  body: '{"a":1}',
  responseTime: 12,
  _postman_previewlanguage: 'json',
  ...more,
});

/** A collection with everything that the format has, for tests that replace some of its values. */
export const WHOLE_COLLECTION: JsonObject = {
  info: {
    _postman_id: '6b3a7e10-0000-4000-8000-000000000001',
    uid: '12-6b3a7e10-0000-4000-8000-000000000001',
    name: 'Whole',
    description,
    version: { major: 1, minor: 2, patch: 3 },
    schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
  },
  auth: {
    type: 'apikey',
    apikey: [
      { key: 'key', value: 'X-Key', type: 'string' },
      { key: 'value', value: 'k', type: 'string' },
      { key: 'in', value: 'header', type: 'string' },
    ],
  },
  event: scripts,
  variable: variables,
  protocolProfileBehavior: { disableBodyPruning: true },
  item: [
    {
      id: 'f-1',
      uid: '12-f-1',
      name: 'Bodies',
      description,
      auth: { type: 'basic', basic: { username: 'ann', password: 'pw', showPassword: false } },
      event: scripts,
      variable: variables,
      item: [
        request('none', { method: 'GET', url, header: headers, body: null, description }),
        request('raw', {
          method: 'post',
          url: '{{base}}/raw',
          header: 'Accept: */*\r\n//X-Off: 1\r\nCookie: a=b',
          body: { mode: 'raw', raw: '{}', options: { raw: { language: 'json' } } },
        }),
        {
          id: 'f-2',
          name: 'Forms',
          item: [
            request('urlencoded', {
              method: 'POST',
              url,
              body: { mode: 'urlencoded', urlencoded: [{ key: 'a', value: '1', description, disabled: true }] },
              auth: { type: 'noauth' },
            }),
            request('formdata', {
              method: 'PUT',
              url,
              body: {
                mode: 'formdata',
                formdata: [
                  { key: 'f', type: 'file', src: ['/a', '/b'], contentType: 'text/csv' },
                  { key: 't', type: 'text', value: 'v' },
                ],
                disabled: true,
              },
              auth: null,
            }),
          ],
        },
        { id: 'f-3', name: 'Empty', item: [] },
        request('file', { method: 'PUT', url, body: { mode: 'file', file: { src: '/a', content: 'x' } } }),
        request('graphql', {
          method: 'POST',
          url,
          body: { mode: 'graphql', graphql: { query: '{ a }', operationName: 'A', variables: '{"b":1}' } },
        }),
      ],
    },
    request('text', 'https://a.example/:id'),
    request(
      'auth',
      {
        method: 'GET',
        url,
        auth: {
          type: 'oauth2',
          oauth2: [
            { key: 'accessToken', value: 't', type: 'string' },
            { key: 'tokenRequestParams', value: [{ key: 'client_secret', value: 's', enabled: true }], type: 'any' },
          ],
        },
        proxy: { host: 'p', port: 8080, username: 'ann', password: 'pw' },
        certificate: { name: 'c', key: { src: '/k' }, cert: { src: '/c' }, passphrase: 'pw' },
      },
      {
        description: 'Beside it.',
        event: scripts,
        variable: variables,
        protocolProfileBehavior: { followRedirects: false },
        response: [
          example('whole'),
          example('text', {
            header: 'Set-Cookie: a=b\nAccept: */*',
            originalRequest: 'https://a.example',
            cookie: null,
          }),
          {},
        ],
      },
    ),
    { name: 'Neither folder nor request' },
  ],
};
