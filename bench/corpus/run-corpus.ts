import { toPrintable } from '../../src/sandbox/exports/printable.ts';
import { makeRows } from './make-rows.ts';
import { type ServedFolder, serveFolder } from './served-folder.ts';
import { formatRow, formatSummary, type Row, tableHead } from './table.ts';

const usage = 'usage: npm run corpus -- <folder of Postman exports>';

/**
 * Serves a folder of exports and queries every field of the schema about every file in it, over HTTP.
 *
 * @param args - The folder, and nothing else.
 * @param print - Called with each line as soon as it is known.
 * @returns The exit status: 0 if every result is complete and matches its file, else 1.
 */
export async function runCorpus(args: readonly string[], print: (line: string) => void): Promise<0 | 1> {
  const [folder, ...rest] = args;
  if (!folder || rest.length > 0) {
    print(usage);
    return 1;
  }
  let served: ServedFolder;
  try {
    served = await serveFolder(folder);
  } catch (error) {
    print(`${usage}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  try {
    return await printTable(folder, served, print);
  } finally {
    await served.close();
  }
}

async function printTable(
  folder: string,
  { exports, sendQuery }: ServedFolder,
  print: (line: string) => void,
): Promise<0 | 1> {
  const rows: Row[] = [];
  print(tableHead);
  for await (const row of makeRows(folder, exports, sendQuery)) {
    rows.push(row);
    for (const line of formatRow(row)) print(line);
  }
  for (const { file, reason } of exports.skipped) print(`refused ${toPrintable(file)}: ${toPrintable(reason)}`);
  for (const line of formatSummary(rows, exports)) print(line);
  return exports.read.length > 0 && rows.every(({ problems }) => problems.length === 0) ? 0 : 1;
}
