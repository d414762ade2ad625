/**
 * Entry of the result cache module: complete responses to operations that needed no call, served again to equal requests
 * before Yoga and GraphQL see them. Exports `createResultCache`.
 *
 * A request counts as equal only if its method, target, steering headers and body are (`request-key.ts`), so it passes
 * all checks that the first one passed. The module knows no plugin, no schema and no graph.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import type { CachedResults } from '../../upstream/cache/cached-results.ts';
import type { Calls } from '../../upstream/calls/calls.ts';
import type { Clock } from '../../upstream/clock.ts';
import { acceptsCoding, GZIP_LEVEL, MIN_COMPRESSED_BYTES } from '../http/accept-encoding.ts';
import { toRateLimitFields } from '../http/rate-limit-fields.ts';
import type { EndedOperation } from '../operation/ended-operation.ts';
import type { OpenTrace } from '../operation/operation-trace.ts';
import { toLoggedHash } from '../operation/request-record.ts';
import type { RequestCaller } from '../request-caller.ts';
import { readSmallBody } from './read-small-body.ts';
import { toHeadersKey, toRequestKey } from './request-key.ts';

/** A complete response to an operation that needed no call. */
export interface ServedResult {
  readonly body: Buffer;
  /**
   * Names and values in turn, without the headers that say what holds at one moment (`RateLimit`, `Age` …), or how the
   * body is compressed.
   */
  readonly headers: readonly string[];
  /** What the log, metrics and traces report of the operation, apart from its ids and its time. */
  readonly operation: Omit<EndedOperation, 'ids' | 'durationMs'>;
  /** Targets of the upstream responses that it was made of. */
  readonly targets: readonly string[];
  /** The age of the oldest of them when the result was made, in milliseconds; undefined: all of them are failures. */
  readonly oldestMs: number | undefined;
  /** For how long all of them stay fresh, in milliseconds. */
  readonly freshForMs: number;
}

interface StoredResult extends ServedResult {
  /** `Calls.sharedChanges` before it was made. */
  readonly sharedChanges: number | undefined;
  /** The same body compressed; made for the first client that accepts it. */
  gzipped?: Buffer;
}

/** Serves equal requests again. */
export interface ResultCache {
  /**
   * Serves a request if an equal one was served before and nothing that its result was made of has changed. It calls
   * `execute` otherwise, with the body of the request if it has read that.
   */
  serve(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    execute: (body: Buffer | undefined) => void,
  ): void;
  /** Notes that the operation of a request begins to read cached responses. */
  noteStart(request: IncomingMessage, caller: RequestCaller): void;
  /**
   * Stores the result of a request that `serve` has passed to `execute`, if an equal one was executed before, and no
   * cached response has changed since `noteStart`.
   */
  store(request: IncomingMessage, caller: RequestCaller, result: ServedResult): void;
  /** Notes that a request passed all checks, so that equal ones may be served. */
  notePassed(request: IncomingMessage): void;
  /** Whether `store` would store a result of this size. */
  accepts(request: IncomingMessage, bytes: number): boolean;
}

/** Parts of the server that the result cache uses. */
export interface ResultCacheParts {
  readonly cache: Pick<CachedResults, 'getResult' | 'setResult' | 'versionOf'>;
  readonly calls: Pick<Calls, 'repeatReads' | 'sharedChanges'>;
  readonly findCaller: (apiKeyHeader: string | null) => RequestCaller | null;
  readonly clock: Clock;
  /** Reports the end of each operation that is served. */
  readonly report: (operation: EndedOperation) => void;
  readonly openTrace: OpenTrace | undefined;
}

/** A request whose result may be stored. */
interface Repeated {
  readonly requestKey: string;
  /** What was cached when its operation began; absent until then. */
  start?: { readonly version: number; readonly sharedChanges: number | undefined };
}

// Clients that read slowly retain results that are evicted meanwhile, so they must be small.
const MAX_BODY_BYTES = 131_072;
// Hashes of headers whose requests were served before: a body is read here only after them.
const MAX_KNOWN_HEADERS = 10_000;
// Hashes of requests that were executed. Most requests come once, and storing their results would evict others.
const MAX_EXECUTED = 10_000;

const headerOf = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join(', ') : (value ?? null));

/** Creates the empty result cache of the process. */
export function createResultCache(parts: ResultCacheParts): ResultCache {
  const { cache, calls, findCaller, clock, report, openTrace } = parts;
  // `max` would allocate memory for all entries at the start.
  const knownHeaders = new LRUCache<string, true>({ maxSize: MAX_KNOWN_HEADERS, sizeCalculation: () => 1 });
  const executed = new LRUCache<string, true>({ maxSize: MAX_EXECUTED, sizeCalculation: () => 1 });
  const headersKeys = new WeakMap<IncomingMessage, string>();
  const repeated = new WeakMap<IncomingMessage, Repeated>();

  const respond = (
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    requestKey: string,
    startedAtMs: number,
  ): boolean => {
    const { method = '', headers } = request;
    const caller = findCaller(headerOf(headers['x-api-key']));
    const cached = caller && cache.getResult(caller.keyHash, requestKey);
    if (!cached) return false;
    const { keyHash, keyBudget } = caller;
    const result = cached.value as StoredResult;
    const sharedChanges = calls.sharedChanges(caller);
    if (sharedChanges === undefined || sharedChanges !== result.sharedChanges) return false;
    const { oldestMs } = result;
    const trace = openTrace?.(method, headerOf(headers.traceparent));
    calls.repeatReads(keyHash, result.targets, result.operation.cost.cached);
    const store = (value: StoredResult, bytes: number) => {
      const { freshForMs } = value;
      cache.setResult(keyHash, requestKey, { value, bytes, freshForMs, version: cache.versionOf(keyHash) });
    };
    const body = toBody(result, cached.ageMs, headerOf(headers['accept-encoding']), store);
    const { policy, rateLimit } = toRateLimitFields(keyBudget.view.snapshot());
    const fields = [...result.headers, 'content-length', String(body.length)];
    fields.push('ratelimit-policy', policy, 'ratelimit', rateLimit);
    if (body !== result.body) fields.push('content-encoding', 'gzip');
    if (oldestMs !== undefined) fields.push('age', String(Math.floor((oldestMs + cached.ageMs) / 1_000)));
    response.writeHead(200, fields);
    const ended: EndedOperation = {
      ids: { requestId, traceId: trace?.traceId, keyHash: toLoggedHash(keyHash) },
      durationMs: clock.nowMs() - startedAtMs,
      ...result.operation,
    };
    report(ended);
    trace?.end(ended);
    // The client that has the response finds its line in the log.
    response.end(body);
    return true;
  };

  return {
    serve(request, response, requestId, execute) {
      const startedAtMs = clock.nowMs();
      const headersKey = toHeadersKey(request);
      headersKeys.set(request, headersKey);
      // The checks of an unknown request come before its body is read.
      if (!knownHeaders.get(headersKey)) return execute(undefined);
      const serveWith = (body: Buffer | undefined) => {
        const requestKey = toRequestKey(headersKey, body);
        if (respond(request, response, requestId, requestKey, startedAtMs)) return;
        if (executed.get(requestKey)) repeated.set(request, { requestKey });
        else executed.set(requestKey, true);
        execute(body);
      };
      if (request.method === 'GET') return serveWith(undefined);
      readSmallBody(request, (body) => (body ? serveWith(body) : execute(undefined)));
    },

    notePassed(request) {
      const headersKey = headersKeys.get(request);
      if (headersKey !== undefined) knownHeaders.set(headersKey, true);
    },

    noteStart(request, caller) {
      const one = repeated.get(request);
      if (one) one.start = { version: cache.versionOf(caller.keyHash), sharedChanges: calls.sharedChanges(caller) };
    },

    accepts: (request, bytes) => repeated.has(request) && bytes <= MAX_BODY_BYTES,

    store(request, { keyHash }, result) {
      const { requestKey, start } = repeated.get(request) ?? {};
      if (requestKey === undefined || !start) return;
      const { version, sharedChanges } = start;
      const value: StoredResult = { ...result, sharedChanges };
      const { body, freshForMs } = result;
      cache.setResult(keyHash, requestKey, { value, bytes: body.length, freshForMs, version });
    },
  };
}

/** The same result as if it had been made now. `ageMs`: how long ago it was made. */
function toAged(result: StoredResult, ageMs: number): StoredResult {
  const { freshForMs, oldestMs } = result;
  return { ...result, oldestMs: oldestMs === undefined ? undefined : oldestMs + ageMs, freshForMs: freshForMs - ageMs };
}

/**
 * Returns the body as a client accepts it.
 *
 * @param store - Stores the result again, once it has a compressed body, too.
 */
function toBody(
  result: StoredResult,
  ageMs: number,
  accepted: string | null,
  store: (result: StoredResult, bytes: number) => void,
): Buffer {
  if (result.body.length < MIN_COMPRESSED_BYTES || !acceptsCoding(accepted, 'gzip')) return result.body;
  if (!result.gzipped) {
    result.gzipped = gzipSync(result.body, { level: GZIP_LEVEL });
    store(toAged(result, ageMs), result.body.length + result.gzipped.length);
  }
  return result.gzipped;
}
