import type { Result } from './scenario.ts';
import type { Run } from './traffic.ts';

/** Prints one run: its settings, its figures, and the arrivals up to the first that was too many, or the last ones. */
export function printTrace({ scenario, seed, broken, digest, events, figures }: Result, run: Run): void {
  const { judge, description } = run.world;
  console.log(`${scenario}, seed ${seed}: ${description}`);
  const firstMs = judge.trace[0]?.atMs ?? 0;
  console.table(
    judge.trace.map((arrival) => ({
      'arrived, s': ((arrival.atMs - firstMs) / 1_000).toFixed(3),
      'sent, s': ((arrival.sentAtMs - firstMs) / 1_000).toFixed(3),
      user: arrival.isOurs ? arrival.user : `${arrival.user} (somebody else)`,
      route: arrival.isBurst ? 'burst' : 'general',
      'ours / all / limit': `${arrival.ours} / ${arrival.all} / ${arrival.limit}`,
      'burst / limit': `${arrival.oursInBurst} / ${arrival.burstLimit}`,
      status: arrival.status,
    })),
  );
  console.table(
    Object.fromEntries(
      [...figures.sums, ...figures.highest, ...figures.lowest].map(([name, value]) => [name, Number(value.toFixed(3))]),
    ),
  );
  console.log(`${judge.calls} calls in ${events} events, digest ${digest}`);
  console.log(
    broken.length === 0
      ? 'Nothing is wrong.'
      : `Wrong: ${broken.map(([name, count]) => `${name}: ${count}`).join('; ')}`,
  );
}
