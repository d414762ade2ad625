import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../upstream/clock.ts';
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
 * For servers that anybody can reach, but for how long connections are kept, which those who stand in front decide. The clock starts anew with a request's first byte: whoever sends that at the last
 * moment, and never the rest, is gone within 15 seconds of connecting.
 */
export const streetLimits: Omit<ConnectionLimits, 'idleMs'> = {
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
const ANSWERING_POLL_MS = 10;

/** Makes an HTTP server that is not held up by clients that are slow, and loses no request when it stops. It does not listen yet. */
export function createConnections(
  listener: RequestListener,
  { maxConnections, headersMs, requestMs, checkMs, idleMs, crowdedIdleMs, stalledMs }: ConnectionLimits,
): Connections {
  const answersOf = new Map<Socket, Set<ServerResponse>>();
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
      const answers = answersOf.get(request.socket);
      answers?.add(response);
      response.once('close', () => answers?.delete(response));
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
      get: () => (answersOf.size > maxConnections / 2 ? Math.min(idleMs, crowdedIdleMs) : idleMs),
    },
    headersTimeout: { get: () => headersMs + stalls.extraMs(headersMs) },
    requestTimeout: { get: () => requestMs + stalls.extraMs(requestMs) },
  });
  server.maxConnections = maxConnections;
  // Comes before anything is read of what has arrived in the meantime.
  server.on('timeout', (socket: Socket) => void judge(socket));
  server.on('connection', (socket) => {
    connections++;
    answersOf.set(socket, new Set());
    // Of requests sent ahead of their turn the answers never close when their connection does.
    socket.once('close', () => answersOf.delete(socket));
  });

  /** Cuts a connection off that has been idle, or has taken nothing of its answer, for its time, unless that is not the client's doing. */
  const judge = async (socket: Socket) => {
    const { bytesRead, timeout: periodMs = stalledMs } = socket;
    const answer = answerOn(socket);
    const left = leftToTake(socket);
    await nextRound();
    // Nothing to take is not the client's fault: the next part of an answer can be a minute away.
    const mayBeSlow = answer ? left > 0 && leftToTake(socket) === left : socket.bytesRead === bytesRead;
    if (answerOn(socket) !== answer) return;
    if (mayBeSlow && stalls.extraMs(periodMs) < periodMs / 2) socket.destroy();
    else if (mayBeSlow || answer) socket.setTimeout(periodMs);
  };
  /** The answer whose turn it is; those to requests sent ahead of it wait in any case. */
  const answerOn = (socket: Socket) => {
    const [answer] = answersOf.get(socket) ?? [];
    return answer;
  };
  const leftToTake = (socket: Socket) => Math.max(answerOn(socket)?.writableLength ?? 0, socket.writableLength);
  // Yoga turns it off where it answers with a stream.
  const watch = setInterval(() => {
    for (const [socket, answers] of answersOf)
      if (answers.size > 0 && socket.timeout === 0) socket.setTimeout(stalledMs);
  }, stalledMs);
  watch.unref();

  const isAnswering = () => [...answersOf.values()].some(({ size }) => size > 0);
  const cutAll = () => {
    for (const socket of answersOf.keys()) socket.destroy();
  };

  return {
    server,
    async close(drain) {
      const deadline = setTimeout(cutAll, CLOSE_TIMEOUT_MS);
      // Node lets in one connection in each round of its event loop: when it is busy, clients that have long sent their
      // request still stand before the door, and closing it would reset them.
      await untilQuiet(() => connections, nextRound, LAST_CONNECTIONS_MS);
      // Not http's own close(), which cuts idle connections at once, and with them requests that are on their way.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
      // Not before: who is told to connect anew has to be refused, not left standing there.
      isClosing = true;
      for (const answers of answersOf.values())
        for (const answer of answers) if (!answer.headersSent) answer.setHeader('connection', 'close');
      await untilQuiet(
        () => requests,
        () => sleep(QUIET_MS),
        LAST_REQUESTS_MS,
      );
      await nextRound();
      server.close();
      await drain();
      while (isAnswering()) await sleep(ANSWERING_POLL_MS);
      // A socket that has never carried a request counts as busy, and browsers open some in advance.
      cutAll();
      await closed;
      clearTimeout(deadline);
      clearInterval(watch);
      stalls.stop();
    },
  };
}

/** Lets everything be read that has arrived: the first half of a round may have been over. */
async function nextRound(): Promise<void> {
  await setImmediate();
  await setImmediate();
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
