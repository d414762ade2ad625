import type { Facade } from './facade.ts';

/** The metrics of a facade, as its metrics port sends them. */
export interface Scrape {
  readonly text: string;
  /** Value of a series, by its name and labels as written: `name{label="value"}`; 0 if there is none. */
  value(series: string): number;
  /** Sum of all series of a name whose labels contain this text. Default: of all. */
  sum(name: string, labels?: string): number;
}

/** Where a facade with `METRICS_PORT` serves its metrics. */
export function metricsUrlOf({ log }: Pick<Facade, 'log'>): string {
  const url = log.map((line) => /"url":"(\S+\/metrics)"/.exec(line)?.[1]).find((found) => found !== undefined);
  if (url === undefined) throw new TypeError('The facade serves no metrics');
  return url;
}

/** Reads metrics from a text in the format of Prometheus. */
export function parseMetrics(text: string): Scrape {
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const end = line.lastIndexOf(' ');
      return { series: line.slice(0, end), value: Number(line.slice(end + 1)) };
    });
  return {
    text,
    value: (series) => samples.find((sample) => sample.series === series)?.value ?? 0,
    sum: (name, labels = '') =>
      samples
        .filter(({ series }) => (series === name || series.startsWith(`${name}{`)) && series.includes(labels))
        .reduce((total, { value }) => total + value, 0),
  };
}

/** Scrapes a facade with `METRICS_PORT`. */
export async function scrape(facade: Pick<Facade, 'log'>): Promise<Scrape> {
  return parseMetrics(await (await fetch(metricsUrlOf(facade))).text());
}
