import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createSampledLog } from '../../../src/server/telemetry/sampled-log.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

it('writes twenty lines in a second, and how many more there were once it is over', async () => {
  const clock = createVirtualClock();
  const lines: unknown[] = [];
  const logger = pino({ base: null, timestamp: false }, { write: (line) => void lines.push(JSON.parse(line)) });
  const log = createSampledLog(logger, 'info', 'refused', clock);
  const line = (index: number) => ({ level: 30, index, msg: 'refused' });
  for (let index = 0; index < 1_000; index++) log({ index });
  expect(lines).toEqual(Array.from({ length: 20 }, (_, index) => line(index)));
  lines.length = 0;
  await clock.advance(999);
  expect(lines).toEqual([]);
  await clock.advance(1);
  expect(lines).toEqual([{ level: 30, suppressed: 980, of: 'refused', msg: 'lines suppressed' }]);
  log({ index: 7 });
  await clock.advance(5_000);
  expect(lines.slice(1)).toEqual([line(7)]);
});
