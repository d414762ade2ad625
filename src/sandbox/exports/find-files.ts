import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SkippedFile } from './report.ts';
import { toPrintable } from './printable.ts';

/** Folders of tools, which hold JSON files but no exports. */
const IGNORED_FOLDERS = new Set(['.git', 'node_modules']);

/** Files found under a folder. Paths are relative to it, with `/` between the names on every system. */
export interface FoundFiles {
  /** Every regular file whose name ends in `.json`, in any case, sorted. */
  readonly files: readonly string[];
  /** Folders that cannot be read, and symbolic links, which are not followed. */
  readonly skipped: readonly SkippedFile[];
}

/**
 * Finds JSON files in a folder and all folders below it, except `.git` and `node_modules`.
 *
 * @throws {Error} When there is no such folder or it cannot be read.
 */
export async function findJsonFiles(folder: string): Promise<FoundFiles> {
  const files: string[] = [];
  const skipped: SkippedFile[] = [];
  const pending: { path: string; entries: readonly Dirent[] }[] = [{ path: '', entries: await listRoot(folder) }];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    for (const entry of parent.entries) {
      const path = `${parent.path}${entry.name}`;
      const isJson = /\.json$/i.test(entry.name);
      if (entry.isDirectory() && !IGNORED_FOLDERS.has(entry.name)) {
        try {
          pending.push({ path: `${path}/`, entries: await readdir(join(folder, path), { withFileTypes: true }) });
        } catch (error) {
          skipped.push({ file: `${path}/`, reason: toUnreadableReason(error) });
        }
      } else if (entry.isFile() && isJson) {
        files.push(path);
      } else if (entry.isSymbolicLink() && (isJson || (await isFolder(join(folder, path))))) {
        skipped.push({ file: path, reason: 'a symbolic link, which is not followed: put here what it leads to' });
      }
    }
  }
  return { files: files.sort(), skipped };
}

/** Makes the reason why a file or folder is skipped that the system failed to read. */
export function toUnreadableReason(error: unknown): string {
  const code = toCode(error);
  return `cannot be read (${code})${code === 'EACCES' ? ': give the user of this process permission to read it' : ''}`;
}

async function listRoot(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const code = toCode(error);
    const problem =
      code === 'ENOENT' ? 'does not exist' : code === 'ENOTDIR' ? 'is not a folder' : `cannot be read (${code})`;
    throw new Error(`The folder of exports "${toPrintable(folder)}" ${problem}.`, { cause: error });
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

function toCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
