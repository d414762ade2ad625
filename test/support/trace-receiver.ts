import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as a collector received it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: 'INTERNAL' | 'SERVER' | 'CLIENT';
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Ids of the linked spans. */
  readonly links: readonly string[];
  readonly events: readonly { readonly name: string; readonly atMs: number }[];
  readonly isError: boolean;
}

/** A collector on loopback. */
export interface TraceReceiver {
  /** The value of `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: string;
  readonly spans: ReceivedSpan[];
  /** Path and headers of each request. */
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly service: unknown }[];
  /** How it responds from now on. Default: 200. */
  respond: 200 | 500 | 'never';
  /** Requests without a response, whose connections are open. */
  pending(): number;
  close(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

type SentSpan = Omit<ReceivedSpan, 'attributes' | 'links' | 'events' | 'kind'> & {
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly links: readonly { readonly spanId: string }[];
  readonly events: readonly { readonly name: string; readonly timeUnixNano: string }[];
  readonly status: { readonly code: number };
};

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

const toMs = (nanoseconds: string) => Number(BigInt(nanoseconds) / 1_000n) / 1_000;
const toValues = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

function toSpan({ traceId, spanId, parentSpanId, name, kind, ...rest }: SentSpan): ReceivedSpan {
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind: (['INTERNAL', 'INTERNAL', 'SERVER', 'CLIENT'] as const)[kind] ?? 'INTERNAL',
    startMs: toMs(rest.startTimeUnixNano),
    endMs: toMs(rest.endTimeUnixNano),
    attributes: toValues(rest.attributes),
    links: rest.links.map((link) => link.spanId),
    events: rest.events.map((event) => ({ name: event.name, atMs: toMs(event.timeUnixNano) })),
    isError: rest.status.code === 2,
  };
}

/** Starts a collector that receives OTLP over HTTP, in JSON. */
export async function startTraceReceiver(): Promise<TraceReceiver> {
  let pending = 0;
  const server = createServer((request, response) => {
    pending++;
    response.once('close', () => pending--);
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const body = JSON.parse(text) as Body;
      for (const { resource, scopeSpans } of body.resourceSpans) {
        const service = toValues(resource.attributes)['service.name'];
        receiver.requests.push({ path: request.url ?? '', headers: request.headers, service });
        if (receiver.respond === 200) receiver.spans.push(...scopeSpans.flatMap(({ spans }) => spans.map(toSpan)));
      }
      if (receiver.respond !== 'never') response.writeHead(receiver.respond, { 'content-type': 'application/json' });
      if (receiver.respond !== 'never') response.end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const receiver: TraceReceiver = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    requests: [],
    respond: 200,
    pending: () => pending,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}
