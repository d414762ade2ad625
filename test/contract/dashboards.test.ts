import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Facade, startFacade } from '../support/facade.ts';
import { scrape } from '../support/scrape.ts';

const urlOf = (name: string) => new URL(`../../deploy/${name}`, import.meta.url);
const read = (name: string) => readFileSync(urlOf(name), 'utf8');

interface Dashboard {
  readonly panels: readonly {
    readonly type: string;
    readonly title: string;
    readonly gridPos: { readonly y: number };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

const { panels } = JSON.parse(read('grafana/postman-graphql.json')) as Dashboard;
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const rules = read('prometheus/alerts.yaml');
const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
// By the prefixes of all metrics that exist.
const namesIn = (text: string) =>
  [...text.matchAll(/\b(?:postman_graphql|http_server|http_client|db_client|process|nodejs)_[a-z\d_]+/g)].map(
    ([name]) => name,
  );
// The names of labels begin like those of metrics.
const LABELS = /^(?:http_response_status_code|http_request_method)$/;

let facade: Facade;
let text = '';
beforeAll(async () => {
  facade = await startFacade({ METRICS_PORT: '0' });
  await facade.query('{ me { username } }');
  ({ text } = await scrape(facade));
});
afterAll(() => facade.close());

it.each([
  ['the dashboard', queries.join('\n')],
  ['the alerts', rules],
  ['the tests of the alerts', read('prometheus/alerts.test.yaml')],
])('%s name only metrics that the server exposes', (_what, source) => {
  // A histogram may have no series yet.
  const exposed = new Set(
    [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name, type]) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => `${name}${suffix}`) : [name],
    ),
  );
  const named = [...new Set(namesIn(source))].filter((name) => !LABELS.test(name));
  expect(named.length).toBeGreaterThan(9);
  expect(named.filter((name) => !exposed.has(name))).toEqual([]);
});

it('the dashboard has a panel for every metric of the server', () => {
  const named = new Set(namesIn(queries.join('\n')).map((name) => name.replace(/_(?:bucket|sum|count)$/, '')));
  const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  const own = families.filter((name) => /^(?:postman_graphql|http|db)_/.test(name));
  expect(own.filter((name) => !named.has(name))).toEqual([]);
  expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
    'Clients',
    'Budget',
    'Upstream',
    'Process',
  ]);
});

it('docs/operations.md explains every alert, and no other', () => {
  const document = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const [, table = ''] =
    /\| alert \| means \| what to do \|\n\| --- \| --- \| --- \|\n((?:\|.*\n)+)/.exec(document) ?? [];
  expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)).toEqual(alerts);
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
/** Why the checks of Prometheus are skipped; empty: they run. In CI they always run, and fail without it. */
const skips = hasPromtool || process.env.CI ? '' : 'promtool is not installed: apt-get install prometheus';

describe.skipIf(skips)(`promtool finds nothing wrong with${skips && ` (${skips})`}`, () => {
  const run = (args: readonly string[], input?: string) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, {
      encoding: 'utf8',
      cwd: fileURLToPath(urlOf('prometheus/')),
      ...(input !== undefined && { input }),
    });
    return { status, output: `${stdout}${stderr}` };
  };

  it('the metrics', () => {
    expect(run(['check', 'metrics'], text)).toEqual({ status: 0, output: '' });
  });

  it.each([
    ['the alerts', ['check', 'rules', 'alerts.yaml']],
    ['their tests', ['test', 'rules', 'alerts.test.yaml']],
    ['the configuration', ['check', 'config', 'prometheus.yaml']],
  ])('%s', (_what, args) => {
    expect(run(args)).toMatchObject({ status: 0, output: expect.stringContaining('SUCCESS') });
  });
});
