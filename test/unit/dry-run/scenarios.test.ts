import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COST_SCENARIOS, FIRST_SCENARIO } from '../../../src/dry-run/scenarios.ts';

const bounds = { both: 'both bounds', upper: 'upper', lower: 'lower' } as const;

describe('the table of scenarios', () => {
  it('is the one in ARCHITECTURE.md, in the order in which the scenarios run', () => {
    const text = readFileSync(new URL('../../../ARCHITECTURE.md', import.meta.url), 'utf8');
    const [, table = ''] = text.split(
      '| scenario | responds first to | counts for | why it can matter |\n| --- | --- | --- | --- |\n',
    );
    const [rows = ''] = table.split('\n\n', 1);
    const written = rows.split('\n').map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
    expect(written.map(([name, , counts]) => [name, counts])).toEqual(
      [FIRST_SCENARIO, ...COST_SCENARIOS].map((row) => [row.name, bounds[row.bounds]]),
    );
  });
});
