import type { Logger } from 'pino';
import type { Clock } from '../../upstream/clock.ts';

/** Writes a line of one kind, or counts it if there are too many. */
export type SampledLog = (fields: object) => void;

/** Lines of one kind in a second. */
const MAX_LINES = 20;
const PERIOD_MS = 1_000;

/**
 * Makes a log of lines that others can cause in any number. It writes at most 20 of them in a second. When that second
 * is over, it writes how many more there were (`suppressed`).
 *
 * @param message - The message of each line.
 */
export function createSampledLog(logger: Logger, level: 'info' | 'warn', message: string, clock: Clock): SampledLog {
  let untilMs = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let suppressed = 0;
  const report = () => {
    logger[level]({ suppressed, of: message }, 'lines suppressed');
    suppressed = 0;
  };
  return (fields) => {
    const nowMs = clock.nowMs();
    if (nowMs >= untilMs) {
      untilMs = nowMs + PERIOD_MS;
      lines = 0;
    }
    if (lines++ < MAX_LINES) logger[level](fields, message);
    else if (suppressed++ === 0) clock.schedule(untilMs, report);
  };
}
