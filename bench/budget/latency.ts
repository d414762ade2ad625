import type { Random } from './random.ts';

/** The way of one call through the network. */
export interface Passage {
  /** Time from sending until upstream counts the call. */
  readonly requestMs: number;
  /** Time from there to the last byte of the response. */
  readonly responseMs: number;
  /** `lost`: it never arrives. `unanswered`: upstream counts it, but its response never arrives. */
  readonly fate: 'answered' | 'lost' | 'unanswered';
}

/** Draws the network passage of a call that is sent now. */
export type Latency = (nowMs: number) => Passage;

/** The latency models, by their names in the figures. */
export const LATENCIES = ['instant', 'constant', 'jitter', 'heavy tail', 'step', 'black holes'] as const;

/** Name of a latency model. */
export type LatencyName = (typeof LATENCIES)[number];

const TIMEOUT_MS = 60_000;

/** Bounded Pareto distribution: most calls are quick, some take a thousand times as long. */
function heavyTailMs(random: Random, least: number, most: number, shape: number): number {
  const fraction = 1 - (least / most) ** shape;
  return least / (1 - random.next() * fraction) ** (1 / shape);
}

/** Creates one latency model. Requests and responses are delayed independently. */
export function createLatency(name: LatencyName, random: Random): Latency {
  const answered = (requestMs: number, responseMs: number): Passage => ({ requestMs, responseMs, fate: 'answered' });
  switch (name) {
    case 'instant':
      return () => answered(0, 0);
    case 'constant':
      return () => answered(50, 50);
    case 'jitter':
      return () => answered(random.between(5, 55), random.between(5, 200));
    case 'heavy tail':
      return () => answered(heavyTailMs(random, 10, 20_000, 1.1), heavyTailMs(random, 10, 20_000, 1.1));
    case 'step': {
      let isSlow = false;
      let changesAtMs = 0;
      return (nowMs) => {
        if (nowMs >= changesAtMs) {
          isSlow = changesAtMs > 0 && !isSlow;
          changesAtMs = nowMs + random.between(30_000, 300_000);
        }
        return isSlow ? answered(random.between(2_000, 3_000), random.between(2_000, 3_000)) : answered(25, 25);
      };
    }
    case 'black holes':
      return () => {
        if (random.chance(0.95)) return answered(random.between(5, 55), random.between(5, 55));
        // The worst case: upstream counts the call at the last moment before it times out.
        const requestMs = random.chance(0.5) ? random.between(5, 55) : random.between(0, TIMEOUT_MS);
        return { requestMs, responseMs: 0, fate: random.chance(0.4) ? 'lost' : 'unanswered' };
      };
  }
}
