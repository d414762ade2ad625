import type { Config } from '../../config/config.ts';

/** The packages to install, as the error of a start without them names them. A test compares them with package.json. */
export const TRACE_PACKAGES = [
  '@opentelemetry/api@1.9.1',
  '@opentelemetry/exporter-trace-otlp-http@0.220.0',
  '@opentelemetry/resources@2.9.0',
  '@opentelemetry/sdk-trace@2.9.0',
];

/** What is used of the packages. */
export type TracePackages = Awaited<ReturnType<typeof loadTracePackages>>;

type TraceConfig = NonNullable<Config['traces']>;

// A collector that does not respond costs spans, but little memory: a span takes one or two kilobytes.
const MAX_QUEUED_SPANS = 2_048;
const MAX_BATCH_SPANS = 512;
const EXPORT_DELAY_MS = 1_000;
const EXPORT_TIMEOUT_MS = 5_000;
const MAX_EXPORTS = 2;

/**
 * Loads the packages that traces need.
 *
 * @throws {Error} One of them is not installed.
 */
export async function loadTracePackages() {
  try {
    const [api, { OTLPTraceExporter }, { resourceFromAttributes }, sdk] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace'),
    ]);
    return { api, OTLPTraceExporter, resourceFromAttributes, sdk };
  } catch (error) {
    const command = `npm install ${TRACE_PACKAGES.join(' ')}`;
    throw new Error(`OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not installed: ${command}`, { cause: error });
  }
}

/**
 * Makes the provider of tracers, which sends spans to the collector in batches. `sdk-trace` reads no environment
 * variables; the exporter reads those of certificates and of compression.
 *
 * @param onExport - Called after each export: with the error if it failed.
 */
export function createTraceProvider(
  { OTLPTraceExporter, resourceFromAttributes, sdk }: TracePackages,
  { endpoint, headers, serviceName, sampler, ratio }: TraceConfig,
  onExport: (error: Error | undefined) => void,
) {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.href.replace(/\/$/, '')}/v1/traces`,
    headers: headers ? (JSON.parse(headers.reveal()) as Record<string, string>) : {},
    timeoutMillis: EXPORT_TIMEOUT_MS,
    concurrencyLimit: MAX_EXPORTS,
  });
  const root = toSampler(sdk, sampler, ratio);
  return new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName }),
    sampler: sampler.startsWith('parentbased_') ? new sdk.ParentBasedSampler({ root }) : root,
    spanLimits: { attributeValueLengthLimit: 256, eventCountLimit: 128, linkCountLimit: 16 },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: {
          export: (spans, done) =>
            exporter.export(spans, (result) => {
              onExport(result.error);
              done(result);
            }),
          shutdown: () => exporter.shutdown(),
        },
        maxQueueSize: MAX_QUEUED_SPANS,
        maxExportBatchSize: MAX_BATCH_SPANS,
        scheduledDelayMillis: EXPORT_DELAY_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  });
}

function toSampler(sdk: TracePackages['sdk'], name: TraceConfig['sampler'], ratio: number) {
  if (name.endsWith('traceidratio')) return new sdk.TraceIdRatioBasedSampler(ratio);
  return name.endsWith('always_off') ? new sdk.AlwaysOffSampler() : new sdk.AlwaysOnSampler();
}
