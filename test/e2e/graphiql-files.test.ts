import { get } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';

let facade: Facade;
afterEach(() => facade.close());

/** Sends a GET whose body is not decoded. */
async function getRaw(path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; headers: Record<string, string | undefined>; body: Buffer }>(
    (resolve, reject) => {
      get(new URL(path, facade.url), { headers }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers as Record<string, string | undefined>,
            body: Buffer.concat(pieces),
          }),
        );
      }).on('error', reject);
    },
  );
}

const html = { accept: 'text/html' };
const br = { 'accept-encoding': 'gzip, deflate, br, zstd' };

/** The files that the page names. Its scripts import others, from the same folder. */
async function filesOfPage(): Promise<string[]> {
  const { body } = await getRaw('/graphql', html);
  return [...body.toString().matchAll(/(?:src|href)="(graphql\/[^"]+)"/g)].map(([, path = '']) => `/${path}`);
}

describe('the files of the GraphiQL page', () => {
  it('are cached for a year, by an address that contains their hash', async () => {
    facade = await startFacade();
    const paths = await filesOfPage();
    expect(paths.map((path) => path.replace(/graphiql\/[\w-]{16}\//, 'graphiql/<hash>/'))).toEqual([
      '/graphql/graphiql/<hash>/style.css',
      '/graphql/graphiql/<hash>/graphiql.js',
      '/graphql/graphiql/<hash>/main.js',
    ]);
    for (const path of paths) {
      const { status, headers } = await getRaw(path, br);
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        'cache-control': 'public, max-age=31536000, immutable',
        'content-encoding': 'br',
        'content-type': `text/${path.endsWith('.css') ? 'css' : 'javascript'}; charset=utf-8`,
        'x-content-type-options': 'nosniff',
      });
      expect(headers['vary']).toContain('Accept-Encoding');
      const again = await getRaw(path, { ...br, 'if-none-match': headers['etag'] ?? '' });
      expect([again.status, again.body.length]).toEqual([304, 0]);
    }
    expect(facade.postman.calls).toEqual([]);
  });

  it('are the same in brotli, in gzip, and as plain text for clients that accept neither', async () => {
    facade = await startFacade();
    const [, path = ''] = await filesOfPage();
    const brotli = await getRaw(path, br);
    const gzip = await getRaw(path, { 'accept-encoding': 'br;q=0, gzip' });
    const plain = await getRaw(path);
    expect([gzip.headers['content-encoding'], plain.headers['content-encoding']]).toEqual(['gzip', undefined]);
    expect(brotli.body.length).toBeLessThan(1_850_000);
    expect(gzip.body.length).toBeLessThan(2_500_000);
    expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true);
  });

  it('are served under the hash of another version, but not cached', async () => {
    facade = await startFacade();
    const { status, headers } = await getRaw('/graphql/graphiql/another-version/main.js', br);
    expect([status, headers['cache-control']]).toEqual([200, 'no-cache']);
  });

  it.each(['/graphql/graphiql/x/none.js', '/graphql/graphiql/', '/graphql/graphiql/x/..%2f..%2fpackage.json'])(
    'do not include %s',
    async (path) => {
      facade = await startFacade();
      expect((await getRaw(path, br)).status).toBe(404);
    },
  );

  it('need no access token, because a page cannot send one with its scripts, but an allowed host', async () => {
    facade = await startFacade({ ACCESS_TOKEN: 't0ken' });
    const [path = ''] = await filesOfPage();
    expect((await getRaw(path)).status).toBe(200);
    expect((await getRaw(path, { host: 'evil.example' })).status).toBe(403);
  });

  it('are not there where GRAPHIQL is off', async () => {
    facade = await startFacade({ GRAPHIQL: 'false', ACCESS_TOKEN: 't0ken' });
    expect((await getRaw('/graphql/graphiql/x/main.js')).status).toBe(401);
  });
});

describe('the GraphiQL page', () => {
  it('is compressed, and not sent again to a browser that has it', async () => {
    facade = await startFacade();
    const first = await getRaw('/graphql', { ...html, ...br });
    expect(first.headers).toMatchObject({ 'content-encoding': 'br', 'cache-control': 'no-cache' });
    const again = await getRaw('/graphql', { ...html, ...br, 'if-none-match': first.headers['etag'] ?? '' });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  it('allows scripts of this server alone: none inline, and no eval', async () => {
    facade = await startFacade();
    const { headers, body } = await getRaw('/graphql', html);
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("script-src 'self' blob:;");
    expect(policy).toContain("connect-src 'self';");
    expect(policy).not.toMatch(/script-src[^;]*unsafe|https?:/);
    expect(body.toString()).not.toMatch(/<script(?![^>]*(?:src=|type="application\/json"))/);
  });
});
