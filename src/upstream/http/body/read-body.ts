import { isUtf8 } from 'node:buffer';
import { createGunzip, gunzipSync } from 'node:zlib';
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

/**
 * Reads the body of one response, and measures it while it arrives.
 *
 * Every method may throw, or reject with, an `UpstreamError` (`badResponse`) for a body that is too large or invalid
 * gzip, or another error for a body that is cut off. The body is then read no further.
 */
export interface BodyReader {
  /** Reads the next bytes. Returns a promise if the bytes after them have to wait for it. */
  add(chunk: Buffer): Promise<void> | undefined;
  /** To be called when all bytes have been read. */
  end(): Body | Promise<Body>;
  /** Frees what the reader uses, when the body is not read to its end. */
  destroy(error: Error): void;
}

/** What `createBodyReader` needs. */
export interface BodyReaderOptions {
  readonly limits: BodyLimits;
  /** Called with the bytes of memory that a chunk needs; reading pauses until its promise resolves. */
  takeMemory(bytes: number): Promise<void> | undefined;
  /** Called with an error that occurs between two calls of the reader. */
  onError(error: unknown): void;
}

// Each byte takes memory twice: as received, and in the decoded text.
const COPIES = 2;
// A larger body is decompressed in a thread, so that it blocks nothing. A body of this size never waits for memory.
const MAX_SYNCHRONOUS_BYTES = 65_536;
// If a body states its length wrong, it is decompressed in pieces of this size at least.
const MIN_CHUNK_BYTES = 1_024;

/**
 * Creates the reader of a body in the encoding that its headers name. Bytes are counted after decompression, because a
 * small gzip body can expand to any size; values are counted before anything is parsed.
 *
 * @throws {UpstreamError} `badResponse` for a body in another encoding than gzip, or with an announced length that is
 *   too large.
 */
export function createBodyReader(context: BodyContext, options: BodyReaderOptions): BodyReader {
  const encoding = String(context.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw toBadResponse('Postman responded in an encoding that was not requested.', context);
  const reader = createPlainReader(context, options);
  return encoding === 'gzip' ? createGzipReader(reader, context, options.onError) : reader;
}

function createPlainReader(context: BodyContext, { limits, takeMemory }: BodyReaderOptions): BodyReader {
  const { maxBytes, maxValues, maxHeapBytes } = limits;
  const meter = createJsonMeter();
  const chunks: Buffer[] = [];
  const check = (bytes: number) => {
    const tooLarge =
      (bytes > maxBytes && `is larger than MAX_RESPONSE_BYTES, ${maxBytes} bytes`) ||
      (meter.values > maxValues && `has more values than MAX_RESPONSE_VALUES, ${maxValues}`) ||
      (meter.heapBytes > maxHeapBytes &&
        `would take more memory than MAX_HELD_BYTES_PER_OPERATION, ${maxHeapBytes} bytes`);
    if (tooLarge) throw toBadResponse(`Postman's response ${tooLarge}.`, context);
  };
  check(Number(context.headers['content-length'] ?? 0));
  let bytes = 0;
  return {
    add(chunk) {
      const before = meter.heapBytes;
      meter.add(chunk);
      bytes += chunk.length;
      check(bytes);
      chunks.push(chunk);
      return takeMemory(chunk.length * COPIES + meter.heapBytes - before);
    },
    end: () => ({ chunks, heapBytes: meter.heapBytes }),
    destroy() {},
  };
}

/**
 * Creates the reader of a gzip body. A small body that arrives at once is decompressed at once, for a tenth of the CPU
 * time that a stream takes. Every other one goes through a stream.
 */
function createGzipReader(plain: BodyReader, context: BodyContext, onError: (error: unknown) => void): BodyReader {
  let held: Buffer[] = [];
  let streamStart: NodeJS.Immediate | undefined;
  let stream: ReturnType<typeof openGunzip> | undefined;

  const openStream = () => {
    clearImmediate(streamStart);
    stream = openGunzip(plain, context);
    stream.done.catch(onError);
    const chunk = Buffer.concat(held);
    held = [];
    // Without data there is nothing to write: the end alone is the error of an empty body.
    if (chunk.length > 0) void stream.write(chunk);
    return stream;
  };

  return {
    add(chunk) {
      if (stream) return stream.write(chunk);
      held.push(chunk);
      streamStart ??= setImmediate(openStream);
      return undefined;
    },
    end() {
      const whole = stream ? undefined : gunzipSmall(held);
      if (!whole) return (stream ?? openStream()).end().then(plain.end);
      clearImmediate(streamStart);
      const memoryReady = plain.add(whole);
      return memoryReady ? memoryReady.then(plain.end) : plain.end();
    },
    destroy(error) {
      clearImmediate(streamStart);
      stream?.destroy(error);
    },
  };
}

/** Decompresses a small body. Returns undefined if it is large, or invalid in any way. */
function gunzipSmall(chunks: readonly Buffer[]): Buffer | undefined {
  try {
    const [first, second] = chunks;
    const whole = first && !second ? first : Buffer.concat(chunks);
    // Node would allocate 16 KB. The length of what was compressed is the last field of gzip.
    const length = Math.min(MAX_SYNCHRONOUS_BYTES, whole.readUInt32LE(whole.length - 4));
    return gunzipSync(whole, {
      maxOutputLength: MAX_SYNCHRONOUS_BYTES,
      chunkSize: Math.max(MIN_CHUNK_BYTES, length + 1),
    });
  } catch {
    return undefined;
  }
}

/** Opens a stream that decompresses a body and passes it to a reader. */
function openGunzip(plain: BodyReader, context: BodyContext) {
  const gunzip = createGunzip();
  const readAll = async () => {
    try {
      for await (const chunk of gunzip as AsyncIterable<Buffer>) {
        const memoryReady = plain.add(chunk);
        if (memoryReady) await memoryReady;
      }
    } catch (error) {
      // The body was cut off, so a retry can succeed.
      if (isZlibError(error) && error.code === 'Z_BUF_ERROR')
        throw new CutOffError('The gzip data ends too early.', { cause: error });
      if (isZlibError(error))
        throw toBadResponse("Postman's response is declared as gzip, but is not valid gzip.", context, error);
      throw error;
    }
  };
  const done = readAll();
  return {
    done,
    /** Returns a promise if the stream takes more only later. */
    write(chunk: Buffer): Promise<void> | undefined {
      if (gunzip.write(chunk)) return undefined;
      // A stream that fails takes no more: then `done` rejects, and nobody waits for this.
      return new Promise((resolve) => gunzip.once('drain', resolve));
    },
    end(): Promise<void> {
      gunzip.end();
      return done;
    },
    destroy: (error: Error) => void gunzip.destroy(error),
  };
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
  const [first, second] = chunks;
  const bytes = first && !second ? first : Buffer.concat(chunks);
  // A text that begins with an ASCII character has no byte order mark.
  if ((bytes[0] ?? 0) < 0x80 && isUtf8(bytes)) return bytes.toString();
  try {
    // With `stream`, half a character at the end is no error here: JSON.parse will report that the body is incomplete.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch (error) {
    throw toBadResponse("Postman's response is not UTF-8 text.", context, error);
  }
}

function toBadResponse(message: string, { route, status }: BodyContext, cause?: unknown): UpstreamError {
  return new UpstreamError('badResponse', message, { route, status, ...(cause !== undefined && { cause }) });
}

function isZlibError(error: unknown): error is Error & { readonly code: unknown } {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
