import { setImmediate as nextRound } from 'node:timers/promises';
import { type BrotliCompress, constants, createBrotliCompress, createGzip, type Gzip } from 'node:zlib';
import type { FetchAPI } from 'graphql-yoga';

/** The codings of responses in parts, the preferred one first: gzip takes less than half of the memory of Brotli. */
export const partCodings = ['gzip', 'br'] as const;

/** A coding of responses in parts. */
export type PartCoding = (typeof partCodings)[number];

// A response can be open for ten minutes, and two thousand of them at once. With these windows, gzip
// takes about 140 KB outside the heap, with its stream.
const WINDOW_BITS = 13;
const OUTPUT_BYTES = 4_096;
const { BROTLI_OPERATION_FLUSH, BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY, Z_SYNC_FLUSH } = constants;

const CODERS: Readonly<Record<PartCoding, () => Gzip | BrotliCompress>> = {
  gzip: () => createGzip({ level: 4, windowBits: WINDOW_BITS, memLevel: 6, chunkSize: OUTPUT_BYTES }),
  br: () =>
    createBrotliCompress({
      params: { [BROTLI_PARAM_QUALITY]: 2, [BROTLI_PARAM_LGWIN]: WINDOW_BITS },
      chunkSize: OUTPUT_BYTES,
    }),
};

/**
 * Compresses a body that arrives over time. Each chunk can be decompressed as soon as it has been sent: nothing of it
 * is held back for the next one.
 */
export function compressParts(
  body: ReadableStream<Uint8Array>,
  coding: PartCoding,
  { ReadableStream }: Pick<FetchAPI, 'ReadableStream'>,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const coder = CODERS[coding]();
  let isCancelled = false;
  let output: Uint8Array[] = [];
  coder.on('data', (chunk: Uint8Array) => output.push(chunk));
  const take = () => {
    const taken = Buffer.concat(output);
    output = [];
    return taken;
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        await new Promise<void>((resolve) => {
          if (done) coder.once('end', resolve).end();
          else {
            coder.write(value);
            coder.flush(coding === 'gzip' ? Z_SYNC_FLUSH : BROTLI_OPERATION_FLUSH, resolve);
          }
        });
        // The coder may emit its output in the next tick.
        await nextRound();
        controller.enqueue(take());
        if (done) controller.close();
      } catch (error) {
        // Yoga's streams do not handle a rejection, which would end the process. A cancelled body rejects here.
        if (!isCancelled) controller.error(error);
      }
    },
    async cancel(reason) {
      isCancelled = true;
      coder.destroy();
      // Yoga's streams can be cancelled while they are read; the reader would wait for the next part first.
      await body.cancel(reason);
    },
  });
}
