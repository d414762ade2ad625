import type { IncomingMessage } from 'node:http';

// Less than a stream buffers by itself, so that reading does not wait for a body that does not fit.
const MAX_BYTES = 16_384;

/**
 * Reads a small body whose length is known.
 *
 * @param onRead - Called once. It gets undefined if the request has no body, or one that is not read here: it is larger,
 *   has no length, or does not arrive in full.
 */
export function readSmallBody(request: IncomingMessage, onRead: (body: Buffer | undefined) => void): void {
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (!(length > 0 && length <= MAX_BYTES) || request.headers['transfer-encoding'] !== undefined) {
    onRead(undefined);
    return;
  }
  const finish = (body: Buffer | undefined) => {
    request.off('readable', read).off('close', stop);
    // Node ends a request only after an attempt to read past its end.
    if (body) request.resume();
    onRead(body);
  };
  const read = () => {
    const body = request.read(length) as Buffer | null;
    if (body?.length === length) finish(body);
    else if (request.readableEnded) finish(undefined);
  };
  const stop = () => finish(undefined);
  request.on('readable', read).once('close', stop);
}
