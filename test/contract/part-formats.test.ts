import { type IncomingMessage, request } from 'node:http';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { ids } from '../../src/sandbox/account/demo-ids.ts';
import { type AnnouncedPart, reassemble } from '../support/announced.ts';
import { type Facade, startFacade } from '../support/facade.ts';
import { createGridAccount } from '../support/grid-account.ts';
import { queryInParts } from '../support/parts.ts';

const platform = ids.workspaces.riderPlatform;
const MULTIPART = 'multipart/mixed;incrementalSpec=v0.2';
const EVENTS = 'text/event-stream;incrementalSpec=v0.2';

let facade: Facade;
afterEach(() => facade.close());

/** The parts of a response in the format `incrementalSpec=v0.2`. */
async function ask(query: string, accept = MULTIPART): Promise<AnnouncedPart[]> {
  const parts: AnnouncedPart[] = [];
  for await (const part of queryInParts(facade, query, { headers: { accept } }))
    parts.push(part as unknown as AnnouncedPart);
  return parts;
}

const send = (accept: string, query = '{ ... @defer { me { username } } }') =>
  fetch(facade.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query }),
  });

describe('the format of parts', () => {
  it.each([
    ['multipart/mixed', 'multipart/mixed; boundary="-"'],
    ['text/event-stream', 'text/event-stream'],
    ['multipart/mixed;deferSpec=20220824', 'multipart/mixed; boundary="-"; deferSpec=20220824'],
    [MULTIPART, 'multipart/mixed; boundary="-"; incrementalSpec=v0.2'],
    [EVENTS, 'text/event-stream; incrementalSpec=v0.2'],
  ])('is the one that Accept names: %s', async (accept, contentType) => {
    facade = await startFacade();
    const response = await send(accept);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, contentType]);
    expect((await response.text()).includes('"pending"')).toBe(accept.includes('v0.2'));
  });

  it('does not matter for a response in one piece, which is one event, in a coding that exists', async () => {
    facade = await startFacade();
    const response = await send(EVENTS, '{ __typename }');
    expect([response.status, response.headers.get('content-encoding')]).toEqual([200, 'gzip']);
    expect(await response.text()).toMatch(
      /^:\n\nevent: next\ndata: \{"data":\{"__typename":"Query"\}.*\n\nevent: complete\ndata:/,
    );
  });

  it.each(['multipart/mixed;incrementalSpec=v0.9', 'text/event-stream;deferSpec=1, application/graphql-response+json'])(
    'is refused if it is unknown, with the names of those that are known (%s)',
    async (accept) => {
      facade = await startFacade();
      const response = await send(accept);
      const type = accept.includes('graphql-response') ? 'application/graphql-response+json' : 'application/json';
      expect([response.status, response.headers.get('content-type')]).toEqual([406, `${type}; charset=utf-8`]);
      expect(await response.json()).toEqual({
        errors: [
          {
            message:
              'Accept names a format of parts that this server does not know. It knows deferSpec=20220824 and ' +
              'incrementalSpec=v0.2, for multipart/mixed and text/event-stream.',
            extensions: { code: 'BAD_REQUEST', retryable: false },
          },
        ],
      });
      expect(facade.postman.calls).toEqual([]);
    },
  );
});

describe('incrementalSpec=v0.2', () => {
  it.each([MULTIPART, EVENTS])(
    'delivers each field once, with the calls of the same query in one (%s)',
    async (accept) => {
      facade = await startFacade({ CACHE_TTL_MS: '0' });
      const query = (defer: string, stream: string) =>
        // graphql 17 refuses two selections of a list that is streamed.
        `{ workspace(id: "${platform}") { name collections { totalCount nodes${stream} { uid name } }
        ...${defer} { name description collections { totalCount pageInfo { hasNextPage } } } } }`;
      const whole = await facade.query(query('', ''));
      const calls = [...facade.postman.calls].sort();
      facade.postman.reset();
      const parts = await ask(query(' @defer(label: "More")', ' @stream(initialCount: 1)'), accept);
      expect(reassemble(parts)).toEqual({ data: whole.data, errors: [], failed: [] });
      expect([...facade.postman.calls].sort()).toEqual(calls);
      expect(parts[0]?.pending).toEqual([
        { id: '0', path: ['workspace'], label: 'More' },
        { id: '1', path: ['workspace', 'collections', 'nodes'] },
      ]);
      expect(parts.at(-1)?.extensions).toMatchObject({ upstream: { calls: calls.length } });
    },
  );

  it('keeps fields of several types apart', async () => {
    facade = await startFacade();
    const query = (defer: string) =>
      `{ collection(uid: "${ids.collections.rides}") { items { ... on Folder { name ...${defer} { description items { name } } } ... on Request ${defer} { name method } } } }`;
    const whole = await facade.query(query(''));
    const parts = await ask(query('@defer'));
    expect(reassemble(parts)).toEqual({ data: whole.data, errors: [], failed: [] });
    expect(JSON.stringify(parts)).not.toContain('__');
  });

  it('is a single result without announcements if all parts are switched off or empty', async () => {
    facade = await startFacade();
    const [part, ...rest] = await ask('{ me { username } ... @defer { me { username } } }');
    expect([part, rest]).toEqual([
      { data: { me: { username: 'ines-aldana' } }, extensions: { upstream: expect.objectContaining({ calls: 1 }) } },
      [],
    ]);
  });

  it('reports errors beside the data', async () => {
    facade = await startFacade({ CACHE_TTL_MS: '0' });
    facade.postman.fail(`/collections/${ids.collections.stations}`, { kind: 'status', status: 403 }, 1);
    const query = (stream: string) =>
      `{ workspace(id: "${platform}") { collections { nodes${stream} { name description } } } }`;
    const { errors, failed } = reassemble(await ask(query(' @stream')));
    expect(errors).toMatchObject([
      { path: ['workspace', 'collections', 'nodes', 1, 'description'], extensions: { code: 'FORBIDDEN' } },
    ]);
    expect(failed).toEqual([]);
  });
});

describe('compressed parts', () => {
  const decoders = { gzip: createGunzip, br: createBrotliDecompress };

  it.each([
    ['gzip, deflate, br', 'gzip'],
    ['br', 'br'],
    ['gzip;q=0, br', 'br'],
    ['deflate', undefined],
  ] as const)('can be read when they arrive (%s)', async (accepted, coding) => {
    facade = await startFacade();
    facade.postman.fail('/collections', { kind: 'hang' }, 1);
    const response = await openRaw('{ me { username } ... @defer { collections { nodes { name } } } }', accepted);
    expect([response.headers['content-encoding'], response.headers.vary]).toEqual([
      coding,
      expect.stringContaining('Accept-Encoding'),
    ]);
    let text = '';
    const decoded = coding ? response.pipe(decoders[coding]()) : response;
    // The client disconnects in the middle.
    decoded.on('error', () => undefined).on('data', (chunk: Buffer) => (text += chunk.toString()));
    await expect
      .poll(() => text)
      .toContain('{"data":{"me":{"username":"ines-aldana"}},"pending":[{"id":"0","path":[]}]');
    expect(text).toMatch(/\r\n---$/);
    facade.skip(15_000);
    await expect.poll(() => text).toContain('{"hasNext":true}\r\n---');
    response.destroy();
  });

  it.each([MULTIPART, EVENTS])('are as small as the whole when they are similar (%s)', async (accept) => {
    const { account } = createGridAccount(4, 10, 0);
    facade = await startFacade({}, { account });
    const query = '{ collections(first: 40) { nodes @stream { uid name description updatedAt createdAt } } }';
    const response = await openRaw(query, 'gzip', accept);
    let bytes = 0;
    response.on('data', (chunk: Buffer) => (bytes += chunk.length));
    const chunks: Buffer[] = [];
    for await (const chunk of response.pipe(createGunzip())) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    expect(text).toContain('"hasNext":false');
    expect(text.length / bytes).toBeGreaterThan(3);
  });

  /** Sends a request with nothing that decodes by itself. */
  function openRaw(query: string, acceptEncoding: string, accept = MULTIPART): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'accept-encoding': acceptEncoding, accept };
      request(facade.url, { method: 'POST', headers }, resolve).on('error', reject).end(JSON.stringify({ query }));
    });
  }
});
