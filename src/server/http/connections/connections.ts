import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../../upstream/clock.ts';
import { sendRefusal } from '../refusal.ts';
import { refuseMalformed } from './malformed-requests.ts';
import { DefaultHeadersResponse } from './default-headers-response.ts';
import { cutSlowClients, nextRound } from './slow-clients.ts';
import { watchStalls } from './stalls.ts';

/** Limits of client connections. */
export interface ConnectionLimits {
  /** Connections open at once. Further ones are closed before anything is read. */
  readonly maxConnections: number;
  /** Time from a request's first byte, or the opening of its connection, to the end of its header. */
  readonly headersMs: number;
  /** The same, to the end of its body. */
  readonly requestMs: number;
  /** How often these two deadlines are checked. */
  readonly checkMs: number;
  /** How long an idle connection stays open. */
  readonly idleMs: number;
  /** The same while more than half of the connections are open, if it is shorter. */
  readonly crowdedIdleMs: number;
  /** How long a client may read nothing of a response that has begun. The time before the response is not limited. */
  readonly stalledMs: number;
}

/**
 * Limits for a server that anyone can reach. `idleMs` depends on the load balancer in front, so it is configured. The
 * deadlines restart with the first byte of a request. A client that sends this byte at the last moment, and then
 * nothing, is disconnected within 15 seconds of connecting.
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
const AMBIGUOUS = { status: 400, code: 'BAD_REQUEST', message: 'The request names two hosts.' } as const;
const CLOSE_TIMEOUT_MS = 4_500;
// When the server stops, it accepts connections while more of them arrive, and then leaves idle ones open while
// requests arrive: each for at most this long.
const LAST_CONNECTIONS_MS = 500;
const LAST_REQUESTS_MS = 500;
// After this long without a request, no client is left that a `connection: close` would reach.
const QUIET_MS = 50;
const RESPONDING_POLL_MS = 10;

/** The connections of a running server. */
export type Connections = ReturnType<typeof createConnections>;

/** Makes an HTTP server that cuts slow clients off, and loses no request when it stops. It does not listen yet. */
export function createConnections(
  listener: (request: IncomingMessage, response: DefaultHeadersResponse) => void,
  { maxConnections, headersMs, requestMs, checkMs, idleMs, crowdedIdleMs, stalledMs }: ConnectionLimits,
) {
  const responsesOf = new Map<Socket, Set<ServerResponse>>();
  const stalls = watchStalls({ intervalMs: checkMs, longestMs: Math.max(headersMs, requestMs, idleMs, stalledMs) });
  let isClosing = false;
  let connections = 0;
  let requests = 0;
  const server = createServer(
    {
      ServerResponse: DefaultHeadersResponse,
      connectionsCheckingInterval: checkMs,
      // Set explicitly, because command-line options of node change the defaults.
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
      if (isAmbiguous(request)) {
        sendRefusal(response, AMBIGUOUS);
        return;
      }
      request.url = toOriginForm(request.url);
      listener(request, response);
    },
  );
  Object.defineProperties(server, {
    // Node reads it when a response begins and when it has ended.
    keepAliveTimeout: {
      get: () => (responsesOf.size > maxConnections / 2 ? Math.min(idleMs, crowdedIdleMs) : idleMs),
    },
    // Node reads these two at each of its checks, which can be the first event after a stall.
    headersTimeout: { get: () => headersMs + stalls.extraMs(headersMs) },
    requestTimeout: { get: () => requestMs + stalls.extraMs(requestMs) },
  });
  server.maxConnections = maxConnections;
  server.on('connection', (socket) => {
    connections++;
    const responses = new Set<ServerResponse>();
    responsesOf.set(socket, responses);
    socket.once('close', () => {
      responsesOf.delete(socket);
      for (const response of responses) closeWaiting(response);
    });
  });

  refuseMalformed(server, responsesOf);
  const stopCutting = cutSlowClients(server, responsesOf, { stalls, stalledMs });
  const isResponding = () => [...responsesOf.values()].some(({ size }) => size > 0);
  const cutAll = () => {
    for (const socket of responsesOf.keys()) socket.destroy();
  };

  return {
    server,
    /**
     * Accepts no more connections, responds to the requests in flight, and closes all connections, within five seconds.
     *
     * @param drain - Called when no further request can arrive. It makes the operations in flight end soon.
     */
    async close(drain: () => Promise<void>): Promise<void> {
      const deadline = setTimeout(cutAll, CLOSE_TIMEOUT_MS);
      // Node accepts one connection per round of its event loop. Clients that have already sent their request can still
      // wait in the backlog, and closing the server would reset them.
      await untilQuiet(() => connections, nextRound, LAST_CONNECTIONS_MS);
      // Not close() of node:http, which cuts idle connections at once, and with them requests that are being sent.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
      // Only now: a client that gets `connection: close` reconnects, and must be refused instead of waiting.
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

/**
 * Closes a response that waits for those of earlier requests on its connection, when that closes. Node does it for the
 * first of them alone, but memory and calls of the others have to end, too.
 */
function closeWaiting(response: ServerResponse): void {
  if (response.socket) return;
  response.destroy();
  response.emit('close');
}

/** Waits until a count has not grown during a pause, or until the time is up. */
async function untilQuiet(count: () => number, pause: () => Promise<void>, timeoutMs: number): Promise<void> {
  const endMs = monotonicMs() + timeoutMs;
  for (let seen = -1; seen !== count() && monotonicMs() < endMs; ) {
    seen = count();
    await pause();
  }
}

/**
 * Whether a request names two hosts, so that the one that is checked may not be the one that counts (RFC 9112, 3.2).
 */
function isAmbiguous({ url = '/', headers, rawHeaders }: IncomingMessage): boolean {
  if (countHosts(rawHeaders) > 1) return true;
  return /^https?:/i.test(url) && (!URL.canParse(url) || new URL(url).host !== headers.host?.toLowerCase());
}

/** Counts the headers `Host`. `headers` has only the first one, and Node's `headersDistinct` copies all headers. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  // Names and values alternate.
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count;
}

/** The path and query of a request target. Clients of a proxy send the whole address of this server (RFC 9112, 3.2.2). */
function toOriginForm(target = '/'): string {
  if (target.startsWith('/')) return target;
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return path.startsWith('?') || path === '' ? `/${path}` : path;
}
