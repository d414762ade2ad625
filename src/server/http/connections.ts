import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../upstream/clock.ts';
import { cutSlowClients, nextRound } from './slow-clients.ts';
import { watchStalls } from './stalls.ts';

/** What a client may do with connections. */
export interface ConnectionLimits {
  /** Open at once; further ones are closed unread. */
  readonly maxConnections: number;
  /** From a request's first byte, or the opening of its connection, to the end of its header. */
  readonly headersMs: number;
  /** The same to the end of its body. */
  readonly requestMs: number;
  /** How often those two deadlines are looked at. */
  readonly checkMs: number;
  /** How long a connection is kept for its next request. */
  readonly idleMs: number;
  /** The same while more than half of the connections are open, if it is shorter. */
  readonly crowdedIdleMs: number;
  /** How long a client may take nothing of an answer that has begun. What comes before the answer takes any time. */
  readonly stalledMs: number;
}

/**
 * For servers that anybody can reach, but for how long connections are kept, which those who stand in front decide. The clock starts anew with a request's first byte: whoever sends that at the last
 * moment, and never the rest, is gone within 15 seconds of connecting.
 */
export const publicLimits: Omit<ConnectionLimits, 'idleMs'> = {
  maxConnections: 4_096,
  headersMs: 5_000,
  requestMs: 9_000,
  checkMs: 500,
  crowdedIdleMs: 10_000,
  stalledMs: 30_000,
};

const MAX_HEADER_BYTES = 16_384;
const CLOSE_TIMEOUT_MS = 4_500;
// How long connections are still let in, and then how long idle ones are left open, as long as others keep coming.
const LAST_CONNECTIONS_MS = 500;
const LAST_REQUESTS_MS = 500;
// Without a request for this long, nobody is left who would have been told to go by an answer.
const QUIET_MS = 50;
const RESPONDING_POLL_MS = 10;

/** The connections of a running server. */
export type Connections = ReturnType<typeof createConnections>;

/** Makes an HTTP server that is not held up by clients that are slow, and loses no request when it stops. It does not listen yet. */
export function createConnections(
  listener: RequestListener,
  { maxConnections, headersMs, requestMs, checkMs, idleMs, crowdedIdleMs, stalledMs }: ConnectionLimits,
) {
  const responsesOf = new Map<Socket, Set<ServerResponse>>();
  const stalls = watchStalls({ intervalMs: checkMs, longestMs: Math.max(headersMs, requestMs, idleMs, stalledMs) });
  let isClosing = false;
  let connections = 0;
  let requests = 0;
  const server = createServer(
    {
      connectionsCheckingInterval: checkMs,
      // Said here because options of the node program would change the defaults.
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: false,
    },
    (request, response) => {
      requests++;
      const responses = responsesOf.get(request.socket);
      responses?.add(response);
      response.once('close', () => responses?.delete(response));
      request.socket.setTimeout(stalledMs);
      if (isClosing) response.setHeader('connection', 'close');
      // Nothing that is answered is to be taken for anything else.
      response.setHeader('X-Content-Type-Options', 'nosniff');
      if (isAmbiguous(request)) response.writeHead(400, { connection: 'close' }).end();
      else listener(request, response);
    },
  );
  // Node reads these two at each of its checks, which can be the first thing that happens after a stall.
  Object.defineProperties(server, {
    // Read when an answer begins and when it has ended.
    keepAliveTimeout: {
      get: () => (responsesOf.size > maxConnections / 2 ? Math.min(idleMs, crowdedIdleMs) : idleMs),
    },
    headersTimeout: { get: () => headersMs + stalls.extraMs(headersMs) },
    requestTimeout: { get: () => requestMs + stalls.extraMs(requestMs) },
  });
  server.maxConnections = maxConnections;
  server.on('connection', (socket) => {
    connections++;
    responsesOf.set(socket, new Set());
    // Of requests sent ahead of their turn the answers never close when their connection does.
    socket.once('close', () => responsesOf.delete(socket));
  });

  const stopCutting = cutSlowClients(server, responsesOf, { stalls, stalledMs });
  const isResponding = () => [...responsesOf.values()].some(({ size }) => size > 0);
  const cutAll = () => {
    for (const socket of responsesOf.keys()) socket.destroy();
  };

  return {
    server,
    /**
     * Opens no more connections, answers what is under way on those there are, and closes them, all within five seconds.
     *
     * @param drain - Called when no further request can come; has those under way answered soon.
     */
    async close(drain: () => Promise<void>): Promise<void> {
      const deadline = setTimeout(cutAll, CLOSE_TIMEOUT_MS);
      // Node lets in one connection in each round of its event loop: when it is busy, clients that have long sent their
      // request still stand before the door, and closing it would reset them.
      await untilQuiet(() => connections, nextRound, LAST_CONNECTIONS_MS);
      // Not http's own close(), which cuts idle connections at once, and with them requests that are on their way.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
      // Not before: who is told to connect anew has to be refused, not left standing there.
      isClosing = true;
      for (const responses of responsesOf.values())
        for (const response of responses) if (!response.headersSent) response.setHeader('connection', 'close');
      await untilQuiet(
        () => requests,
        () => sleep(QUIET_MS),
        LAST_REQUESTS_MS,
      );
      await nextRound();
      server.close();
      await drain();
      while (isResponding()) await sleep(RESPONDING_POLL_MS);
      // A socket that has never carried a request counts as busy, and browsers open some in advance.
      cutAll();
      await closed;
      clearTimeout(deadline);
      stopCutting();
      stalls.stop();
    },
  };
}

/** Waits until a pause has gone by in which a count has not grown, or until the time is up. */
async function untilQuiet(count: () => number, pause: () => Promise<void>, timeoutMs: number): Promise<void> {
  const endMs = monotonicMs() + timeoutMs;
  for (let seen = -1; seen !== count() && monotonicMs() < endMs; ) {
    seen = count();
    await pause();
  }
}

/** Whether a request names two hosts, of which the one that is looked at may not be the one that counts (RFC 9112, section 3.2). */
function isAmbiguous({ url = '/', headers, headersDistinct }: IncomingMessage): boolean {
  if ((headersDistinct['host']?.length ?? 0) > 1) return true;
  return /^https?:/i.test(url) && (!URL.canParse(url) || new URL(url).host !== headers.host?.toLowerCase());
}
