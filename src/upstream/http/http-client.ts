/**
 * Entry of the `http` module, which sends one GET to Postman and reads its whole response: connections and proxy,
 * time-out, decompression, size limits (`body/`), rate-limit headers, and errors (`UpstreamError`).
 *
 * It does not know why a call is made: it must not import `rate-limiter`, `cache` or `calls`.
 */
import { toCallFailure } from './call-failure.ts';
import type { Clock } from '../clock.ts';
import { createBodyMemory, NoMemoryError } from './body/body-memory.ts';
import { createTaskQueue } from './body/large-body-queue.ts';
import { createDispatcher, type ProxySettings } from './proxy.ts';
import type { ResponseHeaders } from './rate-limit-headers.ts';
import { type Body, type BodyContext, type BodyLimits, decodeBody } from './body/read-body.ts';
import { type RawResponse, ResponseReceiver } from './response-receiver.ts';
import type { Secret } from './secret.ts';
import { UpstreamError } from './upstream-error.ts';

/** A response from Postman with any status. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** The whole body; empty if the status is not 200 and the body is unreadable or exceeds the limits for errors. */
  readonly text: string;
  /** Estimated heap size of the parsed body and of what is built from it. */
  readonly heapBytes: number;
  /** Runs work on the body: at once if the body is small, else one task at a time with a pause before each. */
  runTask<Result>(task: () => Result): Promise<Result>;
  /** Gives back the memory reserved for reading the body. To be called when all work on the body is done. */
  release(): void;
}

/** Sends GET requests to one origin. */
export interface HttpClient {
  /**
   * Sends one GET and reads its whole response.
   *
   * @param target - Path and query, encoded.
   * @param route - The route's template, for errors.
   * @param keyHash - Hash of the API key: the memory for bodies is divided between keys.
   * @throws {UpstreamError} `timeout`, `unavailable` (also for a body that is cut off) or `unreachable`; `busy` if no
   *   memory for the body became free in time; `badResponse` for a body that is too large or not readable as text.
   */
  get(target: string, route: string, apiKey: Secret, keyHash: string): Promise<HttpResponse>;
  /** Closes every connection at once, also those in use. */
  close(): Promise<void>;
}

/** Options of `createHttpClient`. */
export interface HttpClientOptions {
  /** `https://host`, or `http://` to loopback. */
  readonly origin: string;
  /** Time for one request, from sending it to the last byte of the body. */
  readonly timeoutMs: number;
  /** Size limits of a body with status 200. */
  readonly limits: BodyLimits;
  /** Memory for the bodies that are being read and parsed, over all API keys. */
  readonly maxBytesInFlight: number;
  /** The most connections to Postman at a time, over all API keys. */
  readonly maxConnections: number;
  /** The proxy for the calls; absent: direct connections. */
  readonly proxy?: ProxySettings | undefined;
  readonly clock: Clock;
}

// When a call that got no response may be tried again.
const FAILURE_WAIT_MS = 10_000;
// undici's default. It must not outlast the call's time-out, or a call that never got a connection would look sent.
const CONNECT_TIMEOUT_MS = 10_000;
// The bodies that use up the memory are parsed within seconds.
const NO_MEMORY_WAIT_MS = 5_000;
// Postman's longest error body has some hundred bytes; the error pages of proxies and gateways are not needed.
const ERROR_LIMITS: BodyLimits = { maxBytes: 65_536, maxValues: 10_000, maxHeapBytes: 4_194_304 };

/**
 * Creates the HTTP client of one origin.
 *
 * It follows no redirects and calls no other origin, so the API key cannot be sent elsewhere. It accepts gzip and
 * decodes no other encoding.
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
      let receiver: ResponseReceiver | undefined;
      try {
        const { status, headers, body } = await new Promise<RawResponse>((resolve, reject) => {
          receiver = new ResponseReceiver({
            route,
            timeoutMs,
            limits,
            errorLimits: ERROR_LIMITS,
            bodyRead,
            resolve,
            reject,
          });
          dispatcher.dispatch({ origin, method: 'GET', path: target, headers: toHeaders(apiKey) }, receiver);
        });
        const heapBytes = body?.heapBytes ?? 0;
        const text = body ? await taskQueue.run(heapBytes, () => decode(body, { route, status, headers })) : '';
        return {
          status,
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
            'This server already reads as many responses as its memory allows, and had none left for this one in time.',
            { route, retryAtMs: clock.nowMs() + NO_MEMORY_WAIT_MS },
          );
        throw toCallFailure({
          route,
          cause: error,
          isSent: !(error instanceof Error && connectFailures.has(error)),
          isTimedOut: receiver?.isTimedOut ?? false,
          timeoutMs,
          retryAtMs: clock.nowMs() + FAILURE_WAIT_MS,
        });
      }
    },
    close: () => dispatcher.destroy(),
  };
}

const toHeaders = (apiKey: Secret) => ({
  'x-api-key': apiKey.reveal(),
  accept: 'application/json',
  'accept-encoding': 'gzip',
  'user-agent': 'postman-graphql',
});

/** Decodes a body; the empty text for that of an error that is not readable, because its status says enough. */
function decode(body: Body, context: BodyContext): string {
  try {
    return decodeBody(body, context);
  } catch (error) {
    if (context.status !== 200) return '';
    throw error;
  }
}
