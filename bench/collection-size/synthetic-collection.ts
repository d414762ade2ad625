type Json = Readonly<Record<string, unknown>>;

const RESOURCES = ['orders', 'customers', 'invoices', 'shipments', 'products', 'refunds', 'carts', 'payments'];
const VERBS = [
  ['List', 'GET'],
  ['Get', 'GET'],
  ['Create', 'POST'],
  ['Replace', 'PUT'],
  ['Change', 'PATCH'],
  ['Delete', 'DELETE'],
] as const;
const REQUESTS_PER_FOLDER = 25;
const FOLDERS_PER_FOLDER = 10;

/** An id that looks like one of Postman's, the same each time. */
function toUuid(kind: number, index: number): string {
  return `${kind.toString(16).padStart(8, '0')}-5a1e-4c0d-8b2f-${index.toString(16).padStart(12, '0')}`;
}

function toExample(index: number, name: string, code: number, request: Json): Json {
  const rows = Array.from({ length: 4 }, (_, row) => ({ id: `${index}-${row}`, state: 'open', amount: 1_299 + row }));
  return {
    id: toUuid(3, index * 10 + (code % 10)),
    name,
    originalRequest: request,
    status: code === 200 ? 'OK' : 'Not Found',
    code,
    _postman_previewlanguage: 'json',
    header: [
      { key: 'Content-Type', value: 'application/json; charset=utf-8' },
      { key: 'ETag', value: `W/"${index}"` },
    ],
    cookie: [],
    body: JSON.stringify(code === 200 ? { data: rows } : { error: { code: 'not_found', message: 'There is none.' } }),
  };
}

function toRequest(index: number): Json {
  const [verb, method] = VERBS[index % VERBS.length] ?? VERBS[0];
  const resource = RESOURCES[index % RESOURCES.length] ?? '';
  const request = {
    method,
    header: [
      { key: 'Accept', value: 'application/json' },
      { key: 'X-Request-Id', value: '{{$guid}}', disabled: true },
    ],
    ...(method !== 'GET' &&
      method !== 'DELETE' && {
        body: {
          mode: 'raw',
          raw: JSON.stringify({ reference: `R-${index}`, currency: 'EUR', lines: [{ sku: `S-${index}`, count: 2 }] }),
          options: { raw: { language: 'json' } },
        },
      }),
    url: {
      raw: `{{baseUrl}}/v1/${resource}/:id?expand=lines&page=${index % 7}`,
      host: ['{{baseUrl}}'],
      path: ['v1', resource, ':id'],
      query: [
        { key: 'expand', value: 'lines', description: 'What is answered along with it.' },
        { key: 'page', value: String(index % 7) },
      ],
      variable: [{ key: 'id', value: `${index}` }],
    },
    description: `${verb} one of the ${resource}, number ${index}. The answer is cut at a hundred rows; the rest is on further pages.`,
  };
  return {
    id: toUuid(2, index),
    name: `${verb} ${resource} ${index}`,
    event: [{ listen: 'test', script: { type: 'text/javascript', exec: ["pm.test('is answered', () => {", '});'] } }],
    request,
    response: index % 2 === 0 ? [toExample(index, 'Answered', 200, request)] : [],
  };
}

/**
 * Creates a collection like those of large teams: nested folders, 25 requests in each inner folder, and a saved
 * response for half of the requests. 10,000 requests make about 14 MB of JSON. Equal arguments give equal collections.
 */
export function createSyntheticCollection(requestCount: number): Json {
  const inner = Array.from({ length: Math.ceil(requestCount / REQUESTS_PER_FOLDER) }, (_, folder) => {
    const first = folder * REQUESTS_PER_FOLDER;
    const count = Math.min(REQUESTS_PER_FOLDER, requestCount - first);
    return {
      id: toUuid(1, folder),
      name: `Part ${folder}`,
      description: 'Requests that belong together.',
      item: Array.from({ length: count }, (_, index) => toRequest(first + index)),
    };
  });
  const outer = Array.from({ length: Math.ceil(inner.length / FOLDERS_PER_FOLDER) }, (_, index) => ({
    id: toUuid(0, index),
    name: `Area ${index}`,
    item: inner.slice(index * FOLDERS_PER_FOLDER, (index + 1) * FOLDERS_PER_FOLDER),
  }));
  return {
    info: {
      name: 'Synthetic',
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{token}}', type: 'string' }] },
    variable: [{ key: 'baseUrl', value: 'https://api.example.com' }],
    item: outer,
  };
}
