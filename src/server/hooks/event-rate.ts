import type { Clock } from '../../upstream/clock.ts';

// A team of hundreds causes some events a second. One edit can cause several.
const PER_SECOND = 10;
const BURST = 100;

/** Makes the function that says whether one more event may be handled now: 100 at once, and then ten a second. */
export function createEventRate(clock: Clock): () => boolean {
  let left = BURST;
  let atMs = clock.nowMs();
  return () => {
    const nowMs = clock.nowMs();
    left = Math.min(BURST, left + ((nowMs - atMs) * PER_SECOND) / 1_000);
    atMs = nowMs;
    if (left < 1) return false;
    left--;
    return true;
  };
}
