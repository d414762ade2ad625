import type { Span } from '@opentelemetry/api';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { Clock } from '../../upstream/clock.ts';
import type { UpstreamObserver } from '../../upstream/observer.ts';
import type { OpenTrace, OperationTrace } from '../operation/operation-trace.ts';
import type { EndedOperation } from '../operation/ended-operation.ts';
import type { OperationRecords } from '../operation/request-record.ts';
import { createSpanObserver } from './span-observer.ts';
import { createTraceProvider, loadTracePackages } from './trace-packages.ts';
import { parseTraceparent } from './traceparent.ts';

/** The traces of a process. */
export interface Traces {
  readonly openTrace: OpenTrace;
  /** Writes the spans of calls. */
  readonly observer: UpstreamObserver;
  /** Sends the spans that wait to the collector, for at most so long. Never rejects. */
  close(timeoutMs: number): Promise<void>;
}

const MAX_NAME_LENGTH = 100;

/**
 * Opens the traces, if the configuration names a collector. They cannot delay or fail a response: spans wait in a
 * bounded queue, and are dropped when it is full. The log says when the collector does not take them, and when it does
 * again.
 *
 * @param operations - Finds the request of an operation.
 * @throws {Error} A package is not installed; the message names the command that installs it.
 */
export async function openTraces(
  { traces, postman }: Config,
  logger: Logger,
  clock: Clock,
  operations: OperationRecords,
): Promise<Traces | undefined> {
  if (!traces) return undefined;
  const packages = await loadTracePackages();
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = packages.api;
  let isFailing = false;
  const provider = createTraceProvider(packages, traces, (error) => {
    if (isFailing === (error !== undefined)) return;
    isFailing = error !== undefined;
    // Only the kind of the error: its message may quote the response.
    if (error) logger.warn({ kind: kindOf(error) }, 'traces cannot be sent: the collector does not take them');
    else logger.info('traces are sent again');
  });
  const tracer = provider.getTracer('postman-graphql');
  const spans = new WeakMap<OperationTrace, Span>();

  const end = (span: Span, { type, name, ids, status, outcome, cost }: EndedOperation) => {
    const { calls, cached, coalesced, waitedMs } = cost;
    const { requestId, keyHash } = ids;
    if (type) span.updateName(type);
    span.setAttributes({
      ...(type && { 'graphql.operation.type': type }),
      ...(name !== undefined && { 'graphql.operation.name': name.slice(0, MAX_NAME_LENGTH) }),
      'http.response.status_code': status,
      'postman_graphql.request_id': requestId,
      'postman_graphql.outcome': outcome,
      'postman_graphql.calls': calls,
      'postman_graphql.cached': cached,
      'postman_graphql.coalesced': coalesced,
      'postman_graphql.waited_ms': waitedMs,
      ...(keyHash !== undefined && { 'postman_graphql.key_hash': keyHash }),
    });
    if (outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  };

  return {
    openTrace(method, traceparent) {
      const parent = parseTraceparent(traceparent);
      const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
      const attributes = { 'http.request.method': method === 'GET' ? 'GET' : 'POST' };
      const span = tracer.startSpan('GraphQL Operation', { kind: SpanKind.SERVER, attributes }, context);
      const opened: OperationTrace = {
        traceId: span.spanContext().traceId,
        partMade: () => void span.addEvent('part'),
        end: (operation) => {
          if (span.isRecording()) end(span, operation);
        },
      };
      spans.set(opened, span);
      return opened;
    },
    observer: createSpanObserver({
      api: packages.api,
      tracer,
      serverAddress: new URL(postman.baseUrl).hostname,
      spanOf(operation) {
        const opened = operations.get(operation)?.trace;
        return opened && spans.get(opened);
      },
    }),
    async close(timeoutMs) {
      const isOver = new Promise<void>((resolve) => clock.schedule(clock.nowMs() + timeoutMs, resolve));
      await Promise.race([provider.shutdown().catch(() => undefined), isOver]);
    },
  };
}

/** The code of an error, or its HTTP status, or its class. */
function kindOf(error: Error): string {
  return 'code' in error && (typeof error.code === 'string' || typeof error.code === 'number')
    ? String(error.code)
    : error.name;
}
