import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';

const LARGE = '{ collections { nodes { uid name description updatedAt createdAt } } }';
const SMALL = '{ me { username } }';

let facade: Facade;
beforeAll(async () => {
  facade = await startFacade();
});
afterAll(() => facade.close());

interface Raw {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Asks without anything that decodes by itself. */
function ask(query: string, headers: Record<string, string>): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const asked = request(
      facade.url,
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
        );
        response.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end(JSON.stringify({ query }));
  });
}

const dataOf = (body: Buffer) => (JSON.parse(body.toString()) as { data: unknown }).data;

describe('an answer', () => {
  it.each(['gzip', 'gzip, deflate, br', 'br;q=1, GZIP;q=0.5', 'deflate , gzip ; q=1'])(
    'is compressed for a client that accepts it (%s)',
    async (accepted) => {
      const plain = await ask(LARGE, {});
      const { status, headers, body } = await ask(LARGE, { 'accept-encoding': accepted });
      expect([status, headers['content-encoding'], Number(headers['content-length'])]).toEqual([
        200,
        'gzip',
        body.length,
      ]);
      expect(body.length).toBeLessThan(plain.body.length / 2);
      expect(dataOf(gunzipSync(body))).toEqual(dataOf(plain.body));
      expect(headers['vary']).toBe('Accept, X-Api-Key, Authorization, Accept-Encoding');
      expect(headers['cache-control']).toBe('private, no-store');
      expect(headers['ratelimit']).toBeDefined();
    },
  );

  it.each(['', 'br', 'gzip;q=0', 'gzip;q=0.000, br', 'x-gzip', 'identity'])(
    'is sent as it is to one that does not (%j)',
    async (accepted) => {
      const { headers, body } = await ask(LARGE, accepted === '' ? {} : { 'accept-encoding': accepted });
      expect(headers['content-encoding']).toBeUndefined();
      expect(dataOf(body)).toMatchObject({ collections: { nodes: expect.any(Array) } });
      expect(headers['vary']).toContain('Accept-Encoding');
    },
  );

  it('that is small is sent as it is', async () => {
    const { headers, body } = await ask(SMALL, { 'accept-encoding': 'gzip' });
    expect([headers['content-encoding'], dataOf(body)]).toEqual([undefined, { me: { username: 'ines-aldana' } }]);
  });

  it('in parts is sent as it is, each part when it is there', async () => {
    const { headers, body } = await ask('{ collections { nodes @stream { uid name description } } }', {
      'accept-encoding': 'gzip',
    });
    expect([headers['content-encoding'], headers['content-type']]).toEqual([
      undefined,
      expect.stringContaining('multipart/mixed'),
    ]);
    expect(body.toString()).toContain('"hasNext":false');
  });

  it('with errors is compressed like any other', async () => {
    const fields = Array.from({ length: 30 }, (_, index) => `a${index}: workspaces(first: 1000) { totalCount }`);
    const { status, headers, body } = await ask(`{ ${fields.join(' ')} }`, { 'accept-encoding': 'gzip' });
    expect([status, headers['content-encoding']]).toEqual([200, 'gzip']);
    const { errors } = JSON.parse(gunzipSync(body).toString()) as { errors: unknown[] };
    expect(errors).toHaveLength(30);
  });
});
