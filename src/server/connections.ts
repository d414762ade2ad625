import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
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
  /** How long idle connections stay open once the server stops: a request may be on its way on any of them. */
  readonly farewellMs: number;
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

/** For servers that anybody can reach: whoever sends no whole request within 15 seconds is gone by then. */
export const streetLimits: ConnectionLimits = {
  maxConnections: 4_096,
  headersMs: 10_000,
  requestMs: 14_000,
  checkMs: 500,
  idleMs: 10_000,
  stalledMs: 30_000,
  farewellMs: 250,
};

const MAX_HEADER_BYTES = 16_384;
const CLOSE_TIMEOUT_MS = 4_500;

/** Makes an HTTP server that is not held up by clients that are slow, and loses no request when it stops. It does not listen yet. */
export function createConnections(
  listener: RequestListener,
  { maxConnections, headersMs, requestMs, checkMs, idleMs, stalledMs, farewellMs }: ConnectionLimits,
): Connections {
  const answering = new Set<ServerResponse>();
  let isClosing = false;
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
      answering.add(response);
      response.once('close', () => answering.delete(response));
      if (isClosing) response.setHeader('connection', 'close');
      // Nothing that is answered is to be taken for anything else.
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setTimeout(stalledMs, () => {
        if (response.headersSent) request.socket.destroy();
      });
      listener(request, response);
    },
  );
  server.maxConnections = maxConnections;

  return {
    server,
    async close(drain) {
      isClosing = true;
      // Straight after a round of reading and accepting, so that next to nobody stands before a door that closes.
      await setImmediate();
      // Not http's own close(), which cuts idle connections at once, and with them requests that are on their way.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
      for (const response of answering) if (!response.headersSent) response.setHeader('connection', 'close');
      const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS);
      await sleep(farewellMs);
      await setImmediate();
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
