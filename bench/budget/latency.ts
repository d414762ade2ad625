import type { Random } from './random.ts';

/** What becomes of one call on its way. */
export interface Passage {
  /** From sending to upstream's count. */
  readonly requestMs: number;
  /** From there to the last byte of the answer. */
  readonly responseMs: number;
  /** `lost`: it never gets there; `unanswered`: it is counted there, and nothing comes back. */
  readonly fate: 'answered' | 'lost' | 'unanswered';
}

/** Draws the passage of a call that is sent now. */
export type Latency = (nowMs: number) => Passage;

/** The latency models, by the name under which the figures are shown. */
export const LATENCIES = ['instant', 'constant', 'jitter', 'heavy tail', 'step', 'black holes'] as const;

/** Name of a latency model. */
export type LatencyName = (typeof LATENCIES)[number];

const TIMEOUT_MS = 60_000;

/** Bounded Pareto: most are quick, some take a thousand times as long. */
function heavyTailMs(random: Random, least: number, most: number, shape: number): number {
  const fraction = 1 - (least / most) ** shape;
  return least / (1 - random.next() * fraction) ** (1 / shape);
}

/** Makes one latency model; requests and responses are delayed apart from each other. */
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
        // One that is counted at the last moment before it is given up is the worst there is.
        const requestMs = random.chance(0.5) ? random.between(5, 55) : random.between(0, TIMEOUT_MS);
        return { requestMs, responseMs: 0, fate: random.chance(0.4) ? 'lost' : 'unanswered' };
      };
  }
}
