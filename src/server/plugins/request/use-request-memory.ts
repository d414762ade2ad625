import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLError } from 'graphql';
import { createGraphQLError, type Plugin } from 'graphql-yoga';
import { toRetryLater } from '../../../graph/errors/retry-later.ts';
import type { Clock } from '../../../upstream/clock.ts';
import { createJsonMeter } from '../../../upstream/http/body/json-weight.ts';
import type { ClientAddressOf } from '../../http/client-address.ts';
import { toTooLarge as toLargerThanLimit } from './use-request-params.ts';
import type { NodeContext } from '../../http/node-context.ts';

// Smaller requests are not counted: even on all connections together they take only a few megabytes.
const UNCOUNTED_BYTES = 2_048;
// Requests up to this size are always served. A long query with some variables fits.
const SMALL_BYTES = 32_768;
// Fraction of the memory for all requests of one client address. The rest is left to others.
const MAX_CLIENT_FRACTION = 0.75;
// The received bytes, and their text.
const COPIES = 2;
// Most requests are read and executed within seconds.
const RETRY_SECONDS = 5;

/**
 * Makes the plugin that limits the memory of all requests that are being read or executed. It measures a body while it
 * arrives, by its length and by the heap memory of its JSON, and counts it until the response is closed. A request that
 * does not fit gets `SERVER_BUSY` and status 503, or 413 if it could never fit. Small requests always fit.
 *
 * @param maxRequestBytes - For the body of one request. Of those that state their length, larger ones do not get here.
 * @param maxBytes - For all requests together. Those of one client address get at most three quarters of it.
 */
export function useRequestMemory(
  maxBytes: number,
  maxRequestBytes: number,
  clientAddressOf: ClientAddressOf,
  clock: Clock,
): Plugin<object, NodeContext> {
  const bytesByClient = new Map<string, number>();
  let totalBytes = 0;

  /** Begins to count the memory of one request, until its response is closed. */
  const openBodyMemory = (response: ServerResponse, client: string) => {
    const clientBytes = () => bytesByClient.get(client) ?? 0;
    let requestBytes = 0;
    let isOver = response.destroyed;
    const add = (bytes: number) => {
      if (isOver) return;
      requestBytes += bytes;
      totalBytes += bytes;
      const heldBytes = clientBytes() + bytes;
      if (heldBytes > 0) bytesByClient.set(client, heldBytes);
      else bytesByClient.delete(client);
    };
    const release = () => add(-requestBytes);
    response.once('close', () => {
      release();
      isOver = true;
    });
    /** Takes more memory if there is some. Otherwise releases all memory of the request. */
    return (bytes: number): 'taken' | 'busy' | 'too large' => {
      const isSmall = requestBytes + bytes <= SMALL_BYTES;
      const isFair = clientBytes() + bytes <= maxBytes * MAX_CLIENT_FRACTION;
      if (isSmall || (isFair && totalBytes + bytes <= maxBytes)) {
        add(bytes);
        return 'taken';
      }
      // It exceeds what one client ever gets, so a retry cannot succeed.
      const isTooLarge = requestBytes + bytes > maxBytes * MAX_CLIENT_FRACTION;
      release();
      return isTooLarge ? 'too large' : 'busy';
    };
  };

  return {
    onRequestParse({ request, requestParser, setRequestParser, serverContext: { req, res, body: known }, fetchAPI }) {
      const length = request.headers.get('content-length');
      // Node ends a body at its stated length.
      if ((length !== null && Number(length) <= UNCOUNTED_BYTES) || request.method !== 'POST' || !requestParser) return;
      const take = openBodyMemory(res, clientAddressOf(req));
      setRequestParser(async ({ url, method, headers, signal }) => {
        const counted = countBody(take, maxRequestBytes);
        const body = known ? counted.add(known).end() : await readBody(req, counted);
        if (body === 'busy') throw toBusy(clock);
        if (body === 'too large') throw toTooLarge();
        if (body === 'over the limit') throw toLargerThanLimit(maxRequestBytes);
        if (body === 'incomplete') throw toIncomplete();
        return requestParser(new fetchAPI.Request(url, { method, headers, signal, body }));
      });
    },
  };
}

type BodyRefusal = 'busy' | 'too large' | 'over the limit' | 'incomplete';

/** Collects the chunks of a body until one does not fit. */
function countBody(take: (bytes: number) => 'taken' | 'busy' | 'too large', maxRequestBytes: number) {
  const meter = createJsonMeter();
  const accepted: Uint8Array[] = [];
  let receivedBytes = 0;
  let refusal: BodyRefusal | undefined;
  const counted = {
    isOverLimit: () => receivedBytes > maxRequestBytes,
    add(chunk: Uint8Array) {
      receivedBytes += chunk.length;
      if (refusal) return counted;
      const before = meter.heapBytes;
      if (!counted.isOverLimit()) meter.add(chunk);
      const taken = counted.isOverLimit() ? 'over the limit' : take(chunk.length * COPIES + meter.heapBytes - before);
      if (taken === 'taken') accepted.push(chunk);
      else {
        refusal = taken;
        accepted.length = 0;
      }
      return counted;
    },
    end: (): Buffer<ArrayBuffer> | BodyRefusal => refusal ?? Buffer.concat(accepted),
  };
  return counted;
}

/**
 * Reads a body to its end, even one that does not fit: its client reads no response before it has sent everything, and
 * the rest would precede its next request on the connection. A body over the limit may have no end, so it is refused at
 * once.
 */
function readBody(
  request: IncomingMessage,
  counted: ReturnType<typeof countBody>,
): Promise<Buffer<ArrayBuffer> | BodyRefusal> {
  return new Promise((resolve) => {
    // The client has disconnected already: no event will report it.
    if (request.destroyed) resolve('incomplete');
    request
      .on('data', (chunk: Uint8Array) => {
        if (counted.add(chunk).isOverLimit()) resolve('over the limit');
      })
      .once('end', () => resolve(counted.end()))
      .once('error', () => resolve('incomplete'))
      .once('close', () => resolve('incomplete'));
  });
}

function toIncomplete(): GraphQLError {
  return createGraphQLError('The request body is incomplete.', {
    extensions: { code: 'BAD_REQUEST', retryable: false, http: { status: 400 } },
  });
}

function toTooLarge(): GraphQLError {
  return createGraphQLError('The request needs more memory than this server allows for the requests of one client.', {
    extensions: { code: 'REQUEST_ENTITY_TOO_LARGE', retryable: false, http: { status: 413 } },
  });
}

function toBusy(clock: Clock): GraphQLError {
  return createGraphQLError(
    'This server currently has no memory for a request of this size. It still serves smaller ones.',
    {
      extensions: {
        ...toRetryLater('SERVER_BUSY', RETRY_SECONDS, clock.epochMs()),
        http: { status: 503 },
      },
    },
  );
}
