import type { Reporter, TestModule, Vitest } from 'vitest/node';
import {
  emptyCells,
  type TableClient,
  tableClients,
  type TableFeature,
  tableFeatures,
} from '../support/client-table.ts';

type State = 'failed' | 'passed' | 'skipped';

/**
 * Prints which client has which feature, by the cells that tests report, and why the other cells are empty. If all tests
 * were run, a cell without a test and without a reason is a failure.
 */
export class TableReporter implements Reporter {
  #isComplete = false;

  onInit(vitest: Vitest): void {
    this.#isComplete = vitest.getGlobalTestNamePattern() === undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const states = new Map<string, State>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        for (const cell of test.meta().cells ?? [])
          states.set(keyOf(...cell), worse(states.get(keyOf(...cell)), state));
      }
    }
    const reasons: string[] = [];
    const missing: string[] = [];
    const show = (client: TableClient, feature: TableFeature): string => {
      const state = states.get(keyOf(client, feature));
      if (state !== undefined) return { passed: 'yes', failed: 'FAILED', skipped: 'skipped' }[state];
      const reason = emptyCells[client]?.[feature];
      if (reason === undefined) {
        missing.push(`${client}: ${feature}`);
        return '?';
      }
      if (!reasons.includes(reason)) reasons.push(reason);
      return `(${reasons.indexOf(reason) + 1})`;
    };
    const rows = [
      ['', ...tableFeatures],
      ...tableClients.map((client) => [client, ...tableFeatures.map((feature) => show(client, feature))]),
    ];
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    const lines = rows.map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
    const notes = reasons.map((reason, index) => `(${index + 1}) ${reason}`);
    process.stdout.write(`\n${[...lines, '', ...notes].join('\n')}\n`);
    if (!this.#isComplete || missing.length === 0) return;
    process.stdout.write(`\nNo test and no reason:\n${missing.join('\n')}\n`);
    process.exitCode = 1;
  }
}

const keyOf = (client: TableClient, feature: TableFeature) => `${client}: ${feature}`;

function worse(known: State | undefined, state: State | 'pending'): State {
  if (known === 'failed' || state === 'failed') return 'failed';
  return known === 'skipped' || state !== 'passed' ? 'skipped' : 'passed';
}
