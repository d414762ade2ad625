import type { Context, Span, SpanContext, Tracer } from '@opentelemetry/api';
import type { CallResult, ObservedCall, UpstreamObserver } from '../../upstream/observer.ts';
import { silentObserver } from '../../upstream/observer.ts';
import type { TracePackages } from './trace-packages.ts';

/** The spans of one call in flight. */
interface CallSpans {
  waiting?: Span;
  sent?: Span;
  /** Of the latest span. */
  latest?: SpanContext;
}

/** The wait of an operation for a call of another one. */
interface Join {
  readonly span: Span;
  /** The span of that call to which it has a link. */
  readonly linkedId: string | undefined;
}

/** What the observer needs. */
export interface SpanObserverOptions {
  readonly api: TracePackages['api'];
  readonly tracer: Tracer;
  /** Host of upstream. */
  readonly serverAddress: string;
  /** The span of a request's operation; undefined for calls that no request makes. */
  readonly spanOf: (operation: object) => Span | undefined;
}

/**
 * Makes the observer that writes spans below that of the operation: one for each sending of a call, one for each wait
 * for slots, and one for each wait for a call of another operation, with a link to the span of that call. The call that
 * revalidates a cached response is a trace of its own. Nothing is written for operations that are not sampled.
 */
export function createSpanObserver({ api, tracer, serverAddress, spanOf }: SpanObserverOptions): UpstreamObserver {
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } = api;
  const spansByCall = new WeakMap<ObservedCall, CallSpans>();
  const joinsByOperation = new WeakMap<object, Map<ObservedCall, Join>>();

  /** Where the spans of an operation belong; undefined: it is not sampled. */
  const contextOf = (operation: object): Context | undefined => {
    const span = spanOf(operation);
    if (!span) return ROOT_CONTEXT;
    return (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0 ? undefined : trace.setSpan(ROOT_CONTEXT, span);
  };

  const spansOf = (call: ObservedCall): CallSpans => {
    const spans = spansByCall.get(call) ?? {};
    spansByCall.set(call, spans);
    return spans;
  };

  const attributesOf = ({ route }: ObservedCall) => ({
    'url.template': route.template,
    'postman_graphql.route_class': route.routeClass,
  });

  const endSent = (span: Span, { status, error }: CallResult) => {
    if (status !== undefined) span.setAttribute('http.response.status_code', status);
    if (error !== undefined) {
      span.setAttribute('error.type', error);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  };

  return {
    ...silentObserver,

    onQueued(call) {
      const context = contextOf(call.initiator);
      if (!context) return;
      const spans = spansOf(call);
      spans.waiting = tracer.startSpan('wait for slot', { attributes: attributesOf(call) }, context);
      spans.latest = spans.waiting.spanContext();
    },

    onDequeued(call, isAdmitted) {
      const span = spansByCall.get(call)?.waiting;
      span?.setAttribute('postman_graphql.admitted', isAdmitted);
      span?.end();
    },

    onSent(call, resends) {
      const context = contextOf(call.initiator);
      if (!context) return;
      const spans = spansOf(call);
      const attributes = {
        ...attributesOf(call),
        'http.request.method': 'GET',
        'server.address': serverAddress,
        ...(resends > 0 && { 'http.request.resend_count': resends }),
      };
      spans.sent = tracer.startSpan(`GET ${call.route.template}`, { kind: SpanKind.CLIENT, attributes }, context);
      spans.latest = spans.sent.spanContext();
    },

    onSettled(call, result) {
      const span = spansByCall.get(call)?.sent;
      if (span) endSent(span, result);
    },

    onJoined(call, operation) {
      const context = contextOf(operation);
      if (!context) return;
      const joined = spansByCall.get(call)?.latest ?? spanOf(call.initiator)?.spanContext();
      const joins = joinsByOperation.get(operation) ?? new Map<ObservedCall, Join>();
      const span = tracer.startSpan(
        'wait for shared call',
        { attributes: attributesOf(call), ...(joined && { links: [{ context: joined }] }) },
        context,
      );
      joinsByOperation.set(operation, joins.set(call, { span, linkedId: joined?.spanId }));
    },

    onJoinEnded(call, operation) {
      const joins = joinsByOperation.get(operation);
      const join = joins?.get(call);
      if (!join) return;
      joins?.delete(call);
      // When the operation joined the call, that may still have been waiting for its slot.
      const sent = spansByCall.get(call)?.sent?.spanContext();
      if (sent && sent.spanId !== join.linkedId) join.span.addLink({ context: sent });
      join.span.end();
    },
  };
}
