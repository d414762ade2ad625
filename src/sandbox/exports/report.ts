import type { Account } from '../account/account.ts';
import { toPrintable } from './printable.ts';

/** An account built from exported files, and the result for each file. */
export interface ExportsReport {
  readonly account: Account;
  /** In the order of their paths. */
  readonly read: readonly ReadFile[];
  /** In the order of their paths. */
  readonly skipped: readonly SkippedFile[];
}

/** A file that is served. */
export interface ReadFile {
  /** Relative to the folder of exports, with `/` between the names. */
  readonly file: string;
  readonly kind: 'collection' | 'environment' | 'globals';
  readonly name: string;
  /** Number of requests of a collection, in all its folders. Absent for other kinds. */
  readonly requests?: number;
}

/** A file, link or folder that is not served. */
export interface SkippedFile {
  /** Relative to the folder of exports, with `/` between the names, and at the end of a folder. */
  readonly file: string;
  /** One phrase, with advice if there is any. It may quote the file, so escape it before printing. */
  readonly reason: string;
}

/** Formats the report for a terminal: one line per file, then a summary. Control characters are escaped. */
export function formatReport({ account, read, skipped }: ExportsReport): string[] {
  const requestCount = read.reduce((sum, { requests = 0 }) => sum + requests, 0);
  const globalsCount = read.filter(({ kind }) => kind === 'globals').length;
  const counts = [
    `${count(account.collections.length, 'collection')} with ${count(requestCount, 'request')}`,
    count(account.environments.length, 'environment'),
    count(globalsCount, 'globals file'),
  ];
  const served =
    read.length === 0
      ? 'nothing to serve: no file is a Postman export'
      : `${counts.join(', ')} in ${count(account.workspaces.length, 'workspace')}`;
  return [
    ...read.map(toReadLine),
    ...skipped.map(({ file, reason }) => `skipped ${toPrintable(file)}: ${toPrintable(reason)}`),
    `${served}; ${skipped.length} skipped`,
  ];
}

function toReadLine({ file, kind, name, requests }: ReadFile): string {
  const suffix = requests === undefined ? '' : `, ${count(requests, 'request')}`;
  return `read ${toPrintable(file)}: ${kind} "${toPrintable(name)}"${suffix}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
