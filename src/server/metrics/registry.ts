import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { families, type Family, type FamilyName } from './families.ts';
import type { PromClient } from './prom-client.ts';

/** The metric of each family. */
export type MetricsByName = {
  readonly [Name in FamilyName]: {
    readonly counter: Counter;
    readonly gauge: Gauge;
    readonly histogram: Histogram;
  }[(typeof families)[Name]['type']];
};

/** Metrics of the library that promtool rejects: gauges whose names end in `_total`. */
const REJECTED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/**
 * Registers all families, and the library's metrics of the process.
 *
 * Every series whose labels are known beforehand begins at 0, so that the first event already has a rate.
 */
export function createRegistry({ Registry, Counter, Gauge, Histogram, collectDefaultMetrics }: PromClient): {
  readonly registry: Registry;
  readonly metrics: MetricsByName;
} {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of REJECTED) registry.removeSingleMetric(name);
  const create = (name: string, { type, help, labels, buckets }: Family) => {
    const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
    if (type === 'histogram') return new Histogram({ ...options, buckets: [...(buckets ?? [])] });
    return type === 'gauge' ? new Gauge(options) : new Counter(options);
  };
  const metrics = Object.fromEntries(
    Object.entries<Family>(families).map(([name, family]) => {
      const metric = create(name, family);
      for (const labels of knownSeries(family)) {
        if (metric instanceof Histogram) metric.zero(labels);
        else metric.inc(labels, 0);
      }
      return [name, metric];
    }),
  ) as unknown as MetricsByName;
  return { registry, metrics };
}

/** All combinations of label values; none if the values of a label are not known beforehand. */
function knownSeries({ labels }: Family): Record<string, string>[] {
  let series: Record<string, string>[] = [{}];
  for (const [label, values = []] of Object.entries(labels))
    series = series.flatMap((one) => values.map((value) => ({ ...one, [label]: value })));
  return series;
}
