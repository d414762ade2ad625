import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

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
  /** How long a client may take nothing of an answer that has begun. What comes before the answer takes any time. */
  readonly stalledMs: number;
}

/** The connections of a running server. */
export interface Connections {
  readonly server: Server;
  /**
   * Opens no more connections, answers what is under way on those there are, and closes them, all within five seconds.
   *
   * @param drain - Called when no further request can come; has those under way answered soon.
   */
  close(drain: () => Promise<void>): Promise<void>;
}

/**
 * For servers that anybody can reach. The clock starts anew with a request's first byte: whoever sends that at the last
 * moment, and never the rest, is gone within 15 seconds of connecting.
 */
export const streetLimits: ConnectionLimits = {
  maxConnections: 4_096,
  headersMs: 5_000,
  requestMs: 9_000,
  checkMs: 500,
  idleMs: 10_000,
  stalledMs: 30_000,
};

const MAX_HEADER_BYTES = 16_384;
const CLOSE_TIMEOUT_MS = 4_500;
// How long connections are still let in, and then how long idle ones are left open, as long as others keep coming.
const LAST_CONNECTIONS_MS = 500;
const LAST_REQUESTS_MS = 500;
// Without a request for this long, nobody is left who would have been told to go by an answer.
const QUIET_MS = 50;

/** Makes an HTTP server that is not held up by clients that are slow, and loses no request when it stops. It does not listen yet. */
export function createConnections(
  listener: RequestListener,
  { maxConnections, headersMs, requestMs, checkMs, idleMs, stalledMs }: ConnectionLimits,
): Connections {
  const answering = new Set<ServerResponse>();
  let isClosing = false;
  let connections = 0;
  let requests = 0;
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: checkMs,
      keepAliveTimeout: idleMs,
      // Said here because options of the node program would change the defaults.
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: false,
    },
    (request, response) => {
      requests++;
      answering.add(response);
      response.once('close', () => answering.delete(response));
      if (isClosing) response.setHeader('connection', 'close');
      // Nothing that is answered is to be taken for anything else.
      response.setHeader('X-Content-Type-Options', 'nosniff');
      watchReader(request, response, stalledMs);
      if (isAmbiguous(request)) response.writeHead(400, { connection: 'close' }).end();
      else listener(request, response);
    },
  );
  server.maxConnections = maxConnections;
  server.on('connection', () => connections++);

  return {
    server,
    async close(drain) {
      const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS);
      // Node lets in one connection in each round of its event loop: when it is busy, clients that have long sent their
      // request still stand before the door, and closing it would reset them.
      await untilQuiet(() => connections, nextRound, LAST_CONNECTIONS_MS);
      // Not http's own close(), which cuts idle connections at once, and with them requests that are on their way.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
      // Not before: who is told to connect anew has to be refused, not left standing there.
      isClosing = true;
      for (const response of answering) if (!response.headersSent) response.setHeader('connection', 'close');
      await untilQuiet(
        () => requests,
        () => sleep(QUIET_MS),
        LAST_REQUESTS_MS,
      );
      await nextRound();
      server.close();
      await drain();
      while (answering.size > 0)
        await Promise.all([...answering].map((response) => new Promise((resolve) => response.once('close', resolve))));
      // A socket that has never carried a request counts as busy, and browsers open some in advance.
      server.closeAllConnections();
      await closed;
      clearTimeout(deadline);
    },
  };
}

/** Cuts a client off that has taken nothing of an answer for so long, though there was something to take. */
function watchReader({ socket }: IncomingMessage, response: ServerResponse, stalledMs: number): void {
  response.setTimeout(stalledMs, () => {
    // Nothing to take is not the client's fault: the next part of an answer can be a minute away.
    if (response.writableLength > 0 || socket.writableLength > 0) socket.destroy();
    else socket.setTimeout(stalledMs);
  });
  // Yoga turns it off where it answers with a stream.
  const watch = setInterval(() => {
    if (socket.timeout === 0) socket.setTimeout(stalledMs);
  }, stalledMs);
  watch.unref();
  response.once('close', () => clearInterval(watch));
}

/** Lets everything be read that has arrived: the first half of a round may have been over. */
async function nextRound(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/** Waits until a pause has gone by in which a count has not grown, or until the time is up. */
async function untilQuiet(count: () => number, pause: () => Promise<void>, timeoutMs: number): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (let seen = -1; seen !== count() && performance.now() < endMs; ) {
    seen = count();
    await pause();
  }
}

/** Whether a request names two hosts, of which the one that is looked at may not be the one that counts (RFC 9112, section 3.2). */
function isAmbiguous({ url = '/', headers, headersDistinct }: IncomingMessage): boolean {
  if ((headersDistinct['host']?.length ?? 0) > 1) return true;
  return /^https?:/i.test(url) && (!URL.canParse(url) || new URL(url).host !== headers.host?.toLowerCase());
}
