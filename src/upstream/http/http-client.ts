import { toCallFailure } from './call-failure.ts';
import type { Clock } from '../clock.ts';
import { createBodyMemory, NoMemoryError } from './body/body-memory.ts';
import { createTaskQueue } from './body/large-body-queue.ts';
import { createDispatcher, type ProxySettings } from './proxy.ts';
import type { ResponseHeaders } from './rate-limit-headers.ts';
import { type BodyLimits, decodeBody, readBody } from './body/read-body.ts';
import type { Secret } from './secret.ts';
import { UpstreamError } from './upstream-error.ts';

/** An answer of upstream, whatever its status. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** The whole body; empty where a status other than 200 came with a body that cannot be read, or with more than a page of an error. */
  readonly text: string;
  /** What its JSON takes on the heap once it is parsed and read. */
  readonly heapBytes: number;
  /** Runs a piece of work on it: at once if it is small, with a turn for everybody else before it if it is large. */
  runTask<Result>(task: () => Result): Promise<Result>;
  /** Gives back the room that the body took while it was read; to be called when it has been. */
  release(): void;
}

/** Sends one GET and reads its whole answer. */
export interface HttpClient {
  /**
   * @param target - Path and query, encoded.
   * @param route - The route's template, for errors.
   * @param keyHash - Whose call it is: the room for bodies is divided between tenants.
   * @throws {UpstreamError} `timeout`, `unavailable`, `unreachable`, `busy` where there was no room for the body, `serverError` for a body that is cut off,
   *   or `badResponse` for one that is too large or not readable as text.
   */
  get(target: string, route: string, apiKey: Secret, keyHash: string): Promise<HttpResponse>;
  /** Ends every connection at once. */
  close(): Promise<void>;
}

/** Where and how calls are made. */
export interface HttpClientOptions {
  /** `https://host`, or `http://` to loopback. */
  readonly origin: string;
  /** From sending to the last byte. */
  readonly timeoutMs: number;
  /** Of the body of an answer that is no error. */
  readonly limits: BodyLimits;
  /** Room for bodies that are being read and parsed, over all tenants. */
  readonly maxBytesInFlight: number;
  /** Connections to upstream, over all keys. */
  readonly maxConnections: number;
  /** What calls go through. */
  readonly proxy?: ProxySettings | undefined;
  readonly clock: Clock;
}

/** When a call that failed without a hint from upstream may be tried again, in milliseconds. */
const FAILURE_WAIT_MS = 10_000;
// undici's own default; a call that waits for its connection for as long as for its answer would look like one that was sent.
const CONNECT_TIMEOUT_MS = 10_000;
// What is being read when there is no room for more is parsed within seconds.
const NO_MEMORY_WAIT_MS = 5_000;
// The longest that Postman writes has some hundreds; pages of those who stand in between are of no use.
const ERROR_LIMITS: BodyLimits = { maxBytes: 65_536, maxValues: 10_000, maxHeapBytes: 4_194_304 };

/**
 * Makes the client of one origin.
 *
 * It follows no redirect and knows no other origin, so the key cannot leave for one. It asks for gzip and decodes nothing else.
 */
export function createHttpClient({
  origin,
  timeoutMs,
  limits,
  maxBytesInFlight,
  maxConnections,
  proxy,
  clock,
}: HttpClientOptions): HttpClient {
  const connectFailures = new WeakSet<Error>();
  const dispatcher = createDispatcher({
    origin,
    maxConnections,
    timeoutMs: Math.min(timeoutMs, CONNECT_TIMEOUT_MS),
    proxy,
    onConnectFailure: (error) => void connectFailures.add(error),
  });

  const bodyMemory = createBodyMemory(maxBytesInFlight);
  const taskQueue = createTaskQueue();

  return {
    async get(target, route, apiKey, keyHash) {
      const bodyRead = bodyMemory.open(keyHash);
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        const { statusCode, headers, body } = await dispatcher.request({
          origin,
          method: 'GET',
          path: target,
          headers: {
            'x-api-key': apiKey.reveal(),
            accept: 'application/json',
            'accept-encoding': 'gzip',
            'user-agent': 'postman-graphql',
          },
          signal: timeout,
        });
        const context = { route, status: statusCode, headers };
        const read = async () => {
          const isError = statusCode !== 200;
          const undecoded = await readBody(body, context, isError ? ERROR_LIMITS : limits, (bytes) =>
            bodyRead.take(bytes, timeout),
          );
          const { heapBytes } = undecoded;
          const text = await taskQueue.run(heapBytes, () => decodeBody(undecoded, context));
          return { text, heapBytes };
        };
        const { text, heapBytes } = await read().catch((error: unknown) => {
          // A refusal is one with its status and headers alone; gateways' pages are in any encoding, or cut off.
          if (statusCode !== 200) return { text: '', heapBytes: 0 };
          throw error;
        });
        return {
          status: statusCode,
          headers,
          text,
          heapBytes,
          runTask: (task) => taskQueue.run(heapBytes, task),
          release: bodyRead.close,
        };
      } catch (error) {
        bodyRead.close();
        if (error instanceof UpstreamError) throw error;
        if (error instanceof NoMemoryError)
          throw new UpstreamError(
            'busy',
            'This server is reading as many answers as it has memory for, and had no room for this one in time.',
            { route, retryAtMs: clock.nowMs() + NO_MEMORY_WAIT_MS },
          );
        throw toCallFailure({
          route,
          cause: error,
          isSent: !(error instanceof Error && connectFailures.has(error)),
          isTimedOut: timeout.aborted,
          timeoutMs,
          retryAtMs: clock.nowMs() + FAILURE_WAIT_MS,
        });
      }
    },
    close: () => dispatcher.destroy(),
  };
}
