import type { Figures } from './figures.ts';
import { LATENCIES } from './latency.ts';
import { toMinFraction, toUseName, USER_NAMES } from './use.ts';
import { SCENARIOS, type ScenarioName } from './scenario.ts';

/** One line of the table. */
interface Row {
  readonly scenario: ScenarioName;
  readonly figure: string;
  readonly value: (get: (name: string) => number) => string;
  /** Empty: the figure is reported, not judged. */
  readonly aim: string;
  readonly isMet?: (get: (name: string) => number) => boolean;
}

const count = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 2 });
const percent = (fraction: number) => `${(fraction * 100).toFixed(1)} %`;
const ratio = (part: number, whole: number) => (whole === 0 ? Number.NaN : part / whole);

const never = (scenario: ScenarioName, name: string, figure: string): Row => ({
  scenario,
  figure,
  value: (get) => count(get(name)),
  aim: '0',
  isMet: (get) => get(name) === 0,
});

/** The lines about what upstream saw of one kind of traffic. */
const traffic = (scenario: ScenarioName, title: string): readonly Row[] => [
  {
    scenario,
    figure: `${title}: calls`,
    value: (get) => `${count(get('calls'))} in ${count(get('virtual minutes') / 60)} h, ${count(get('seeds'))} seeds`,
    aim: '',
  },
  never(scenario, 'calls above a window', `${title}: calls above a window`),
];

const use = (scenario: ScenarioName, windowMs: number): readonly Row[] =>
  USER_NAMES.map((users) => {
    const fractions = (get: (name: string) => number) =>
      LATENCIES.map((latency) => {
        const name = toUseName(windowMs, users, latency);
        return { latency, fraction: ratio(get(name), get(`${name}, runs`)), lowest: get(`${name}, lowest`) };
      }).filter(({ fraction }) => !Number.isNaN(fraction));
    return {
      scenario,
      figure: `use of the ${windowMs / 1_000} s window (lowest run): ${users}`,
      value: (get) =>
        fractions(get)
          .map(({ latency, fraction, lowest }) => `${latency} ${percent(fraction)} (${percent(lowest)})`)
          .join(', '),
      ...(toMinFraction(users) === 0
        ? { aim: '' }
        : {
            aim: `>= ${toMinFraction(users) * 100} %`,
            isMet: (get: (name: string) => number) =>
              fractions(get).every(({ fraction }) => fraction >= toMinFraction(users)),
          }),
    };
  });

const servedOnRetry = (deadline: string): Row => {
  const fraction = (get: (name: string) => number) =>
    ratio(get(`served when retried, deadline ${deadline}`), get(`refused, deadline ${deadline}`));
  return {
    scenario: 'promises',
    figure: `refused, retried at the reported time, served within ${deadline}`,
    value: (get) => `${percent(fraction(get))} of ${count(get(`refused, deadline ${deadline}`))}`,
    aim: '>= 90 %',
    isMet: (get) => fraction(get) >= 0.9,
  };
};

const outage = (kind: string): Row => ({
  scenario: 'outage',
  figure: `5 minutes of ${kind}: upstream requests per requested call`,
  value: (get) => ratio(get(`${kind}: attempts`), get(`${kind}: calls requested`)).toFixed(3),
  aim: '<= 1.1',
  isMet: (get) => get(`${kind}: attempts`) <= 1.1 * get(`${kind}: calls requested`),
});

const ROWS: readonly Row[] = [
  ...traffic('alone', 'alone on the key'),
  never('alone', '429', 'alone on the key: 429'),
  ...traffic('faults', 'failing upstream'),
  never('faults', '429', 'failing upstream: 429'),
  ...traffic('crash-wait', 'crashes, then waiting'),
  never('crash-wait', '429', 'crashes, then waiting: 429'),
  {
    scenario: 'crash-probe',
    figure: 'crashes, then probing: refused calls per restart',
    value: (get) => `${count(ratio(get('429'), get('restarts')))} of ${count(get('restarts'))} restarts`,
    aim: '',
  },
  ...traffic('foreign', 'others use the key'),
  {
    scenario: 'foreign',
    figure: 'others use the key: 429 per 1,000 calls',
    value: (get) => count(1_000 * ratio(get('429'), get('calls'))),
    aim: '',
  },
  {
    scenario: 'limits',
    figure: 'limit lowered: refused until it was announced',
    value: (get) =>
      `${count(ratio(get('429 before the limit was announced'), get('lowerings')))} per lowering, of ${count(get('lowerings'))}`,
    aim: '',
  },
  never('limits', '429 after the limit was announced', 'limit lowered: refused after it was announced'),
  never('keys', 'calls of other keys that waited', 'one of 50 keys saturated: calls of the others that waited'),
  ...use('use-general', 60_000),
  ...use('use-burst', 10_000),
  {
    scenario: 'large-account',
    figure: '300 a minute: until upstream saw 300 in one window, longest',
    value: (get) =>
      `${count(get('300 in a window after, s'))} s, ${count(get('runs that reached 300'))} of ${count(get('runs'))} runs`,
    aim: '<= 60 s',
    isMet: (get) => get('runs') === get('runs that reached 300') && get('300 in a window after, s') <= 60,
  },
  {
    scenario: 'lookups',
    figure: 'look-ups beside 200 calls: sent without waiting',
    value: (get) =>
      `${count(get('look-ups that did not wait'))} of ${count(get('look-ups'))}, longest wait ${count(get('longest wait of a look-up, ms'))} ms`,
    aim: '>= 99 %',
    isMet: (get) => get('look-ups that did not wait') >= 0.99 * get('look-ups'),
  },
  {
    scenario: 'lookups',
    figure: 'look-ups beside 200 calls: these take longer by',
    value: (get) => percent(get('big operation beside look-ups, longer by')),
    aim: '<= 10 %',
    isMet: (get) => get('big operation beside look-ups, longer by') <= 0.1,
  },
  {
    scenario: 'lookup-stream',
    figure: '200 calls beside look-ups at the full rate: longest',
    value: (get) => `${count(get('big operation beside a stream of look-ups, s'))} s`,
    aim: 'it ends',
    isMet: (get) => Number.isFinite(get('big operation beside a stream of look-ups, s')),
  },
  ...['1 s', '10 s', '30 s'].map(servedOnRetry),
  {
    scenario: 'pauses',
    figure: '429 in every spelling: calls sent during the pause',
    value: (get) => `${count(get('sent during a pause'))} in ${count(get('pauses'))} pauses`,
    aim: '0',
    isMet: (get) => get('sent during a pause') === 0,
  },
  never('pauses', 'refused calls that were not served after the pause', '429 in every spelling: not served afterwards'),
  outage('connection refused'),
  outage('503'),
  {
    scenario: 'outage',
    figure: 'after an outage: until the first response, longest',
    value: (get) => `${count(get('first response after an outage, s'))} s`,
    aim: '<= 15 s',
    isMet: (get) => get('first response after an outage, s') <= 15,
  },
];

const FAILURES_SHOWN = 40;

/** Prints the table of the scenarios that ran, and how to reproduce each failure. */
export function printReport({
  figures,
  failures,
  cost,
  tookMs,
}: {
  readonly figures: Figures;
  readonly failures: readonly string[];
  /** Microseconds per call, by number of waiting calls. */
  readonly cost?: ReadonlyMap<number, number>;
  readonly tookMs: number;
}): void {
  const ran = (Object.keys(SCENARIOS) as ScenarioName[]).filter((name) => figures.has(`${name}/seeds`));
  const total = (name: string) => ran.reduce((sum, scenario) => sum + figures.get(`${scenario}/${name}`), 0);
  const rows = ROWS.filter(({ scenario }) => ran.includes(scenario)).map(({ scenario, figure, value, aim, isMet }) => {
    const get = (name: string) => figures.get(`${scenario}/${name}`);
    return { figure, value: value(get), aim, met: isMet === undefined ? '' : isMet(get) ? 'yes' : 'NO' };
  });
  const late = total('results after the deadline');
  const forgotten = total('clients left without a result');
  const everywhere = [
    { figure: 'results after their deadline', value: count(late), aim: '0', met: late === 0 ? 'yes' : 'NO' },
    {
      figure: 'clients left without a result',
      value: count(forgotten),
      aim: '0',
      met: forgotten === 0 ? 'yes' : 'NO',
    },
    {
      figure: 'all calls that reached upstream',
      value: `${count(total('calls'))}, ${count(total('seeds'))} seeds`,
      aim: '',
      met: '',
    },
  ];
  const costs = [...(cost ?? [])].map(([waiting, microseconds]) => ({
    figure: `cost of a call in the budget, ${count(waiting)} waiting`,
    value: `${count(microseconds)} µs`,
    aim: '',
    met: '',
  }));
  const table = [...rows, ...everywhere, ...costs];
  const width = (name: keyof (typeof table)[number]) => Math.max(...table.map((row) => row[name].length));
  for (const { figure, value, aim, met } of table) {
    console.log(
      `${figure.padEnd(width('figure'))}  ${value.padEnd(width('value'))}  ${aim.padEnd(width('aim'))}  ${met}`.trimEnd(),
    );
  }
  for (const failure of failures.slice(0, FAILURES_SHOWN)) console.log(failure);
  if (failures.length > FAILURES_SHOWN) console.log(`and ${failures.length - FAILURES_SHOWN} more`);
  console.log(`${failures.length} failures in ${Math.round(tookMs / 1_000)} s`);
}
