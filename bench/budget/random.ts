/** The only source of randomness in a simulated run. Equal seeds give the same numbers in the same order. */
export interface Random {
  /** From 0 (included) to 1 (excluded). */
  next(): number;
  between(low: number, high: number): number;
  /** A whole number, both ends included. */
  whole(low: number, high: number): number;
  chance(fraction: number): boolean;
  pick<T>(choices: readonly [T, ...T[]]): T;
  /** Time to the next of independent events that occur once per `mean` on average. */
  exponential(mean: number): number;
  /** Creates another source, so that draws of one part do not change those of another. */
  fork(): Random;
}

/** Creates a source of random numbers (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    whole,
    chance: (fraction) => next() < fraction,
    pick: (choices) => choices[whole(0, choices.length - 1)] ?? choices[0],
    exponential: (mean) => -mean * Math.log(1 - next()),
    fork: () => createRandom(Math.floor(next() * 4_294_967_296)),
  };
}
