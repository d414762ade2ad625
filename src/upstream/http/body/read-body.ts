import { createGunzip } from 'node:zlib';
import { createJsonMeter } from './json-weight.ts';
import type { ResponseHeaders } from '../rate-limit-headers.ts';
import { UpstreamError } from '../upstream-error.ts';

/** How large a body may be. */
export interface BodyLimits {
  /** After decompression. */
  readonly maxBytes: number;
  /** Values of its JSON, as `JsonScale` counts them. */
  readonly maxValues: number;
  /** What will be made of it on the heap. */
  readonly maxHeapBytes: number;
}

/** A body that has been read, and not yet decoded. */
export interface Body {
  readonly chunks: readonly Buffer[];
  /** What will be made of it on the heap. */
  readonly heapBytes: number;
}

/** The answer that a body belongs to, for errors. */
export interface BodyContext {
  /** The route's template. */
  readonly route: string;
  readonly status: number;
  readonly headers: ResponseHeaders;
}

type ByteStream = NodeJS.ReadableStream & AsyncIterable<Buffer> & { destroy(): unknown };

// The bytes as they came, and the text that is decoded from them.
const COPIES = 2;

/**
 * Reads the body of an answer, and weighs it while it arrives: bytes are counted as they come out of decompression, since a small gzip body can hold
 * any amount, and values before any of them is parsed. A body that is too large is read no further, and its connection is closed.
 *
 * @param takeMemory - Is asked for the room for each part of it, and can have it wait.
 * @throws {UpstreamError} `badResponse` for one that is too large, or in another encoding than gzip.
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
    throw unusable('Postman answered in an encoding that was not asked for.');

  const meter = createJsonMeter();
  const chunks: Buffer[] = [];
  let bytes = Number(context.headers['content-length'] ?? 0);
  const check = () => {
    const { maxBytes, maxValues, maxHeapBytes } = limits;
    const tooLarge =
      (bytes > maxBytes && `is larger than MAX_RESPONSE_BYTES, ${maxBytes} bytes`) ||
      (meter.values > maxValues && `has more values than MAX_RESPONSE_VALUES, ${maxValues}`) ||
      (meter.heapBytes > maxHeapBytes &&
        `would take more memory than MAX_HELD_BYTES_PER_OPERATION, ${maxHeapBytes} bytes`);
    if (tooLarge) throw unusable(`Postman's answer ${tooLarge}.`);
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
    // It ends before the gzip does: a second try can bring all of it.
    if (isZlibError(error) && error.code === 'Z_BUF_ERROR')
      throw new CutOffError('The gzip ends before its end.', { cause: error });
    if (isZlibError(error)) throw unusable("Postman's answer is not the gzip it is said to be.", error);
    throw error;
  }
  return { chunks, heapBytes: meter.heapBytes };
}

/** A body ends before its end: another try can bring all of it. */
class CutOffError extends Error {
  override readonly name = 'CutOffError';
}

/** The text of a body; of one that is cut off within a character, what there is of it. @throws {UpstreamError} `badResponse` for what is not UTF-8. */
export function decodeBody({ chunks }: Body, context: BodyContext): string {
  try {
    // As if more were to come, so that half a character at the end is no error: the JSON will not be whole either.
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks), { stream: true });
  } catch (error) {
    throw toBadResponse("Postman's answer is not UTF-8 text.", context, error);
  }
}

function toBadResponse(message: string, { route, status }: BodyContext, cause: unknown): UpstreamError {
  return new UpstreamError('badResponse', message, { route, status, ...(cause !== undefined && { cause }) });
}

function gunzip(body: ByteStream): AsyncIterable<Buffer> {
  const unzipped = createGunzip();
  // pipe() leaves errors where they happen: a connection that dies mid-body has to end the reading too.
  body.on('error', (error: Error) => unzipped.destroy(error));
  body.pipe(unzipped);
  return unzipped;
}

function isZlibError(error: unknown): error is Error & { readonly code: unknown } {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
