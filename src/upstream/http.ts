import { createGunzip } from 'node:zlib';
import { Pool } from 'undici';
import type { Clock } from './clock.ts';
import type { ResponseHeaders } from './rate-limit-headers.ts';
import type { Secret } from './secret.ts';
import { UpstreamError } from './upstream-error.ts';

/** An answer of upstream, whatever its status, with its whole body as text; empty where a status other than 200 came with a body that cannot be read. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly text: string;
}

/** Sends one GET and reads its whole answer. */
export interface HttpClient {
  /**
   * @param target - Path and query, encoded.
   * @param route - The route's template, for errors.
   * @throws {UpstreamError} `timeout`, `unavailable`, or `badResponse` for a body that is too large or not readable as text.
   */
  get(target: string, route: string, apiKey: Secret): Promise<HttpAnswer>;
  /** Ends every connection at once. */
  close(): Promise<void>;
}

/** Where and how calls are made. */
export interface HttpClientOptions {
  /** `https://host`, or `http://` to loopback. */
  readonly origin: string;
  /** From sending to the last byte. */
  readonly timeoutMs: number;
  /** Largest body, counted after decompression. */
  readonly maxResponseBytes: number;
  /** Connections to upstream, over all keys. */
  readonly maxConnections: number;
  readonly clock: Clock;
}

/** When a call that failed without a hint from upstream may be tried again, in milliseconds. */
const FAILURE_WAIT_MS = 10_000;

/**
 * Makes the client of one origin.
 *
 * It follows no redirect and knows no other origin, so the key cannot leave for one. It asks for gzip and decodes nothing else:
 * bytes are counted as they come out of decompression, since a small gzip body can hold any amount.
 */
export function createHttpClient({
  origin,
  timeoutMs,
  maxResponseBytes,
  maxConnections,
  clock,
}: HttpClientOptions): HttpClient {
  const pool = new Pool(origin, {
    connections: maxConnections,
    connect: { timeout: timeoutMs },
    // The exact time-out is the signal of each call; undici's own are coarse and would only add to it.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  return {
    async get(target, route, apiKey) {
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        const { statusCode, headers, body } = await pool.request({
          method: 'GET',
          path: target,
          headers: {
            'x-api-key': apiKey.reveal(),
            accept: 'application/json',
            'accept-encoding': 'gzip',
            'user-agent': 'postman-graphql',
          },
          signal: timeout,
        });
        const text = await readText(body, headers, { route, status: statusCode }, maxResponseBytes).catch(
          (error: unknown) => {
            // A refusal is one with its status and headers alone; gateways' pages are in any encoding, or cut off.
            if (statusCode !== 200) return '';
            throw error;
          },
        );
        return { status: statusCode, headers, text };
      } catch (error) {
        if (error instanceof UpstreamError) throw error;
        const details = { route, retryAtMs: clock.epochMs() + FAILURE_WAIT_MS, cause: error };
        if (timeout.aborted)
          throw new UpstreamError('timeout', `Postman did not answer within ${timeoutMs} ms.`, details);
        throw new UpstreamError('unavailable', 'The connection to Postman failed.', {
          ...details,
          ...(isConnectFailure(error) && { isConnectFailure: true }),
        });
      }
    },
    close: () => pool.destroy(),
  };
}

async function readText(
  body: NodeJS.ReadableStream & AsyncIterable<Buffer> & { destroy(): unknown },
  headers: ResponseHeaders,
  answer: { readonly route: string; readonly status: number },
  maxBytes: number,
): Promise<string> {
  const refuse = (message: string, cause?: unknown) => {
    body.on('error', () => undefined);
    body.destroy();
    return new UpstreamError('badResponse', message, { ...answer, ...(cause !== undefined && { cause }) });
  };
  const tooLarge = () => refuse(`Postman's answer is larger than MAX_RESPONSE_BYTES, ${maxBytes} bytes.`);

  const encoding = String(headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw refuse('Postman answered in an encoding that was not asked for.');
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge();

  const chunks: Buffer[] = [];
  let bytes = 0;
  if (encoding === 'identity') {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } else {
    const gunzip = createGunzip();
    // pipe() leaves errors where they happen: a connection that dies mid-body has to end the reading too.
    body.on('error', (error: Error) => gunzip.destroy(error));
    body.pipe(gunzip);
    try {
      for await (const chunk of gunzip as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw tooLarge();
        chunks.push(chunk);
      }
    } catch (error) {
      if (isZlibError(error)) throw refuse("Postman's answer is not the gzip it is said to be.", error);
      throw error;
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    throw refuse("Postman's answer is not UTF-8 text.", error);
  }
}

const CONNECT_FAILURES: ReadonlySet<unknown> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function isConnectFailure(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CONNECT_FAILURES.has(error.code);
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
