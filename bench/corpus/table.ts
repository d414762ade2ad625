import { toPrintable } from '../../src/sandbox/exports/printable.ts';
import type { ExportsReport } from '../../src/sandbox/exports/report.ts';

/** One file and its results. A number is undefined if it does not apply to the file. */
export interface Row {
  readonly file: string;
  readonly items?: number;
  readonly folders?: number;
  readonly requests?: number;
  readonly examples?: number;
  /** Of an environment or globals. */
  readonly values?: number;
  readonly queries: number;
  /** Folders or requests per page; less than 100 if the server refused larger pages. */
  readonly pageSize?: number | undefined;
  readonly errors: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  /** One line per problem. */
  readonly problems: readonly string[];
}

/** With their widths. */
const columns = Object.entries({
  items: 7,
  folders: 9,
  requests: 10,
  examples: 10,
  values: 8,
  page: 6,
  errors: 8,
  bytes: 13,
  ms: 8,
});

/** The line above the table. */
export const tableHead = `${columns.map(([name, width]) => name.padStart(width)).join('')}  file`;

/** Writes a file as a line of the table, followed by a line for each problem. */
export function formatRow({ file, problems, elapsedMs, pageSize, ...row }: Row): string[] {
  const numbers: Partial<Record<string, number>> = { ...row, page: pageSize, ms: Math.round(elapsedMs) };
  const cells = columns.map(([name, width]) => (numbers[name]?.toLocaleString('en-US') ?? '').padStart(width));
  return [`${cells.join('')}  ${toPrintable(file)}`, ...problems.map((problem) => `  wrong: ${toPrintable(problem)}`)];
}

/** Writes the lines below the table. */
export function formatSummary(rows: readonly Row[], { account, read, skipped }: ExportsReport): string[] {
  const sum = (column: 'items' | 'requests' | 'examples' | 'queries' | 'errors' | 'bytes') =>
    rows.reduce((total, row) => total + (row[column] ?? 0), 0).toLocaleString('en-US');
  const wrong = rows.filter(({ problems }) => problems.length > 0).length;
  const globals = read.filter(({ kind }) => kind === 'globals').length;
  return [
    `${read.length} served, ${skipped.length} refused; collections: ${account.collections.length}, environments: ${account.environments.length}, globals: ${globals}`,
    `items: ${sum('items')}, requests: ${sum('requests')}, examples: ${sum('examples')}; queries: ${sum('queries')}, bytes: ${sum('bytes')}, errors: ${sum('errors')}`,
    read.length === 0
      ? 'there is nothing to ask about'
      : wrong === 0
        ? 'nothing is wrong'
        : `lines with something wrong: ${wrong}`,
  ];
}
