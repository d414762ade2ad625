import type { SpanContext } from '@opentelemetry/api';

const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/**
 * Reads the header `traceparent` of a request.
 *
 * @returns undefined if there is none, or it is invalid.
 * @see W3C Trace Context, section 3.2
 */
export function parseTraceparent(header: string | null): SpanContext | undefined {
  const [, version, traceId, spanId, flags = '', rest] = TRACEPARENT.exec(header ?? '') ?? [];
  // A later version may append fields.
  if (!traceId || !spanId || (version === '00' && rest !== undefined)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}
