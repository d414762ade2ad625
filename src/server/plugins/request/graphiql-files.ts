import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { acceptsCoding } from './accept-encoding.ts';

const decompress = promisify(brotliDecompress);

/** A file of the GraphiQL page, in the codings that were made when the server was built. */
export interface GraphiQLFile {
  readonly contentType: string;
  readonly br: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
}

/** The files of the GraphiQL page. */
export interface GraphiQLFiles {
  /** Hash of all of them. */
  readonly hash: string;
  /** By name. */
  readonly files: ReadonlyMap<string, GraphiQLFile>;
}

/** A body and the headers that describe it. */
export interface EncodedBody {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** The folder of the package, found from `src` and from `dist`. */
export const packageFolder = dirname(createRequire(import.meta.url).resolve('postman-graphql/package.json'));

/**
 * Reads the files of the GraphiQL page into memory, 4 MB.
 *
 * @returns No files if the package has not been built.
 */
export async function readGraphiQLFiles(): Promise<GraphiQLFiles> {
  const folder = join(packageFolder, 'dist', 'src', 'graphiql', 'served');
  const names = await readdir(folder).catch(() => []);
  const hash = createHash('sha256');
  const files = new Map<string, GraphiQLFile>();
  for (const file of names.toSorted()) {
    if (!file.endsWith('.br')) continue;
    const name = file.slice(0, -'.br'.length);
    const [br, gzip] = await Promise.all(['br', 'gz'].map((coding) => readFile(join(folder, `${name}.${coding}`))));
    const contentType = CONTENT_TYPES[extname(name)];
    if (!br || !gzip || contentType === undefined) continue;
    hash.update(`${name}\0`).update(br);
    files.set(name, { contentType, br: new Uint8Array(br), gzip: new Uint8Array(gzip) });
  }
  return { hash: hash.digest('base64url').slice(0, 16), files };
}

/** Chooses the smallest coding that a client accepts. Only clients that accept neither brotli nor gzip get plain text. */
export async function encode(file: GraphiQLFile, acceptEncoding: string | null): Promise<EncodedBody> {
  const headers = { 'content-type': file.contentType, vary: 'Accept-Encoding' };
  for (const [coding, body] of [
    ['br', file.br],
    ['gzip', file.gzip],
  ] as const)
    if (acceptsCoding(acceptEncoding, coding)) return { body, headers: { ...headers, 'content-encoding': coding } };
  return { body: new Uint8Array(await decompress(file.br)), headers };
}
