import type { ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import { createGraphQLError, type Plugin } from 'graphql-yoga';
import { toRetryLater } from '../../../graph/errors/retry-later.ts';
import type { Clock } from '../../../upstream/clock.ts';
import { createJsonMeter } from '../../../upstream/http/body/json-weight.ts';
import type { ClientAddressOf } from '../../http/client-address.ts';
import type { NodeContext } from '../../http/node-context.ts';

// Nobody needs to look at so little: with all connections there may be it comes to a few megabytes.
const UNCOUNTED_BYTES = 2_048;
// Served whatever else there is: the text of a long query with some variables.
const SMALL_BYTES = 32_768;
// Of the room, for all requests of one client address: the rest is for others.
const MAX_CLIENT_FRACTION = 0.75;
// The bytes as they came, and their text.
const COPIES = 2;
// A request is read within seconds, and most are answered in as many.
const RETRY_SECONDS = 5;

/**
 * Makes the plugin that bounds what all requests take that are being read or answered: a body is weighed while it arrives, by its length and by
 * what its JSON will take on the heap, and counts until it is answered. What does not fit has `SERVER_BUSY` and status 503, or 413 where it never would; small ones always fit.
 *
 * @param maxBytes - Over all requests; those of one client address have three quarters of it at most.
 */
export function useRequestMemory(
  maxBytes: number,
  clientAddressOf: ClientAddressOf,
  clock: Clock,
): Plugin<object, NodeContext> {
  const bytesByClient = new Map<string, number>();
  let totalBytes = 0;

  /** Opens the room of one request, until it is answered. */
  const openBodyMemory = (response: ServerResponse, client: string) => {
    const clientBytes = () => bytesByClient.get(client) ?? 0;
    let requestBytes = 0;
    let isOver = false;
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
    /** Takes more room, if there is some; else gives back all of it. */
    return (bytes: number): 'taken' | 'busy' | 'too large' => {
      const isSmall = requestBytes + bytes <= SMALL_BYTES;
      const isFair = clientBytes() + bytes <= maxBytes * MAX_CLIENT_FRACTION;
      if (isSmall || (isFair && totalBytes + bytes <= maxBytes)) {
        add(bytes);
        return 'taken';
      }
      // More than one client ever has: no waiting brings that.
      const isTooLarge = requestBytes + bytes > maxBytes * MAX_CLIENT_FRACTION;
      release();
      return isTooLarge ? 'too large' : 'busy';
    };
  };

  return {
    onRequestParse({ request, requestParser, setRequestParser, serverContext, fetchAPI }) {
      const length = request.headers.get('content-length');
      if (!requestParser || !request.body || (length !== null && Number(length) <= UNCOUNTED_BYTES)) return;
      const take = openBodyMemory(serverContext.res, clientAddressOf(serverContext.req));
      setRequestParser(async (unread) => {
        const body = await readBody(unread.body, take);
        if (body === 'busy') throw toBusy(clock);
        if (body === 'too large') throw toTooLarge();
        const { url, method, headers, signal } = unread;
        return requestParser(new fetchAPI.Request(url, { method, headers, signal, body }));
      });
    },
  };
}

/** Reads a body to its end, also one that has no room: its client reads no answer before, and the rest would stand before its next request. */
async function readBody(
  chunks: ReadableStream<Uint8Array> | null,
  take: (bytes: number) => 'taken' | 'busy' | 'too large',
): Promise<Buffer<ArrayBuffer> | 'busy' | 'too large'> {
  const scale = createJsonMeter();
  const read: Uint8Array[] = [];
  let refusal: 'busy' | 'too large' | undefined;
  try {
    for await (const chunk of chunks ?? []) {
      if (refusal) continue;
      const before = scale.heapBytes;
      scale.add(chunk);
      const taken = take(chunk.length * COPIES + scale.heapBytes - before);
      if (taken === 'taken') read.push(chunk);
      else {
        refusal = taken;
        read.length = 0;
      }
    }
  } catch (error) {
    // Larger than one may be.
    if (error instanceof GraphQLError) throw error;
    throw createGraphQLError('The request body is incomplete.', {
      extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
    });
  }
  return refusal ?? Buffer.concat(read);
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
