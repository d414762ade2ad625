import { createGunzip } from 'node:zlib';
import { createJsonMeter } from './json-weight.ts';
import type { ResponseHeaders } from '../rate-limit-headers.ts';
import { UpstreamError } from '../upstream-error.ts';

/** Size limits of a body. */
export interface BodyLimits {
  /** After decompression. */
  readonly maxBytes: number;
  /** Values of its JSON, as `JsonMeter` counts them. */
  readonly maxValues: number;
  /** Size on the heap once it is parsed, as `JsonMeter` estimates it. */
  readonly maxHeapBytes: number;
}

/** A body that has been read but not decoded. */
export interface Body {
  readonly chunks: readonly Buffer[];
  /** Size on the heap once it is parsed, as `JsonMeter` estimates it. */
  readonly heapBytes: number;
}

/** The response that a body belongs to, for errors. */
export interface BodyContext {
  /** The route's template. */
  readonly route: string;
  readonly status: number;
  readonly headers: ResponseHeaders;
}

type ByteStream = NodeJS.ReadableStream & AsyncIterable<Buffer> & { destroy(): unknown };

// Each byte takes memory twice: as received, and in the decoded text.
const COPIES = 2;

/**
 * Reads the body of a response and measures it while it arrives. Bytes are counted after decompression, because a small
 * gzip body can expand to any size; values are counted before anything is parsed. A body that is too large is read no
 * further, and its connection is closed.
 *
 * @param takeMemory - Called with the bytes of memory that a chunk needs; reading pauses until its promise resolves.
 * @throws {UpstreamError} `badResponse` for a body that is too large, in another encoding than gzip, or invalid gzip.
 * @throws {Error} For a body that is cut off.
 */
export async function readBody(
  body: ByteStream,
  context: BodyContext,
  limits: BodyLimits,
  takeMemory: (bytes: number) => Promise<void> | undefined,
): Promise<Body> {
  const unusable = (message: string, cause?: unknown) => {
    body.on('error', () => undefined);
    body.destroy();
    return toBadResponse(message, context, cause);
  };
  const encoding = String(context.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw unusable('Postman responded in an encoding that was not requested.');

  const meter = createJsonMeter();
  const chunks: Buffer[] = [];
  // At first the announced size, then the bytes read.
  let bytes = Number(context.headers['content-length'] ?? 0);
  const check = () => {
    const { maxBytes, maxValues, maxHeapBytes } = limits;
    const tooLarge =
      (bytes > maxBytes && `is larger than MAX_RESPONSE_BYTES, ${maxBytes} bytes`) ||
      (meter.values > maxValues && `has more values than MAX_RESPONSE_VALUES, ${maxValues}`) ||
      (meter.heapBytes > maxHeapBytes &&
        `would take more memory than MAX_HELD_BYTES_PER_OPERATION, ${maxHeapBytes} bytes`);
    if (tooLarge) throw unusable(`Postman's response ${tooLarge}.`);
  };
  check();
  bytes = 0;
  try {
    for await (const chunk of encoding === 'gzip' ? gunzip(body) : body) {
      const before = meter.heapBytes;
      meter.add(chunk);
      bytes += chunk.length;
      check();
      chunks.push(chunk);
      const memoryReady = takeMemory(chunk.length * COPIES + meter.heapBytes - before);
      if (memoryReady) await memoryReady;
    }
  } catch (error) {
    // The body was cut off, so a retry can succeed.
    if (isZlibError(error) && error.code === 'Z_BUF_ERROR')
      throw new CutOffError('The gzip data ends too early.', { cause: error });
    if (isZlibError(error)) throw unusable("Postman's response is declared as gzip, but is not valid gzip.", error);
    throw error;
  }
  return { chunks, heapBytes: meter.heapBytes };
}

/** The body was cut off. */
class CutOffError extends Error {
  override readonly name = 'CutOffError';
}

/**
 * Decodes a body. A character that is cut off at its end is dropped.
 *
 * @throws {UpstreamError} `badResponse` for a body that is not UTF-8.
 */
export function decodeBody({ chunks }: Body, context: BodyContext): string {
  try {
    // With `stream`, half a character at the end is no error here: JSON.parse will report that the body is incomplete.
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks), { stream: true });
  } catch (error) {
    throw toBadResponse("Postman's response is not UTF-8 text.", context, error);
  }
}

function toBadResponse(message: string, { route, status }: BodyContext, cause: unknown): UpstreamError {
  return new UpstreamError('badResponse', message, { route, status, ...(cause !== undefined && { cause }) });
}

function gunzip(body: ByteStream): AsyncIterable<Buffer> {
  const unzipped = createGunzip();
  // pipe() does not forward errors, but a connection that breaks mid-body has to end the reading.
  body.on('error', (error: Error) => unzipped.destroy(error));
  body.pipe(unzipped);
  return unzipped;
}

function isZlibError(error: unknown): error is Error & { readonly code: unknown } {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
