import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import {
  type Account,
  type AccountUser,
  type TeamMember,
  type StoredCollection,
  type StoredEnvironment,
  type StoredWorkspace,
  toUid,
} from '../account/account.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { findJsonFiles, toUnreadableReason } from './find-files.ts';
import { type Export, type ExportedCollection, NotAnExportError, parseExport } from './parse-export.ts';
import type { ExportsReport, ReadFile, SkippedFile } from './report.ts';
import { toStableId } from './stable-id.ts';
import { stampItems } from './stamp-items.ts';

const mebibyte = 1_048_576;
const largestFileMebibytes = 100;

/** The owner of everything, made up: exported files do not name theirs. */
const user: AccountUser = {
  id: 10_000_001,
  sub: toStableId('user'),
  username: 'exports',
  email: 'exports@sandbox.example',
  fullName: 'Owner of the exports',
  avatar: null,
  isPublic: false,
  emailVerified: true,
  teamId: 1_000_001,
  teamName: 'Exports',
  teamDomain: 'exports',
  roles: ['user'],
};
const owner = String(user.id);
const team: readonly TeamMember[] = [
  {
    id: user.id,
    name: user.fullName,
    username: user.username,
    email: user.email,
    roles: user.roles,
    joinedAt: '2020-01-01T00:00:00.000Z',
  },
];

/** A file that holds an export. */
interface LoadedFile {
  readonly file: string;
  /** Path of its folder; empty for the root. */
  readonly folder: string;
  readonly id: string;
  readonly name: string;
  /** RFC 3339, of the file's last change. */
  readonly changedAt: string;
  readonly content: Export;
}

/**
 * Builds an account from the collections, environments and globals that were exported to a folder, including its
 * subfolders.
 *
 * Each folder that holds exports becomes a workspace. Ids are made from paths relative to `folder` and from positions
 * in the file, so they are stable; the ids in the files are not used. Everything else is served unchanged, even if it
 * is malformed.
 *
 * @throws {Error} When there is no such folder or it cannot be read. Problems with single files are in the report.
 */
export async function readExports(folder: string): Promise<ExportsReport> {
  const found = await findJsonFiles(folder);
  const loaded: LoadedFile[] = [];
  const skipped: SkippedFile[] = [...found.skipped];
  for (const file of found.files) {
    const result = await load(folder, file);
    if ('content' in result) loaded.push(result);
    else skipped.push(result);
  }

  const read: ReadFile[] = [];
  const collections: StoredCollection<JsonObject>[] = [];
  const environments: StoredEnvironment[] = [];
  for (const { file, id, name, changedAt, content } of loaded) {
    const stored = { id, owner, name, isPublic: false, createdAt: changedAt, updatedAt: changedAt };
    if (content.kind === 'collection') {
      const requests = stampItems(content.document, id, owner);
      collections.push({ ...stored, lastUpdatedBy: owner, document: withName(content, name) });
      read.push({ file, kind: content.kind, name, requests });
    } else {
      if (content.kind === 'environment') environments.push({ ...stored, values: content.values });
      read.push({ file, kind: content.kind, name });
    }
  }
  const account: Account = { user, team, workspaces: toWorkspaces(folder, loaded), collections, environments };
  return { account, read, skipped: skipped.sort((a, b) => (a.file < b.file ? -1 : 1)) };
}

async function load(root: string, file: string): Promise<LoadedFile | SkippedFile> {
  try {
    const path = join(root, file);
    const { size, mtime } = await stat(path);
    if (size > largestFileMebibytes * mebibyte) {
      return { file, reason: `larger than ${largestFileMebibytes} MiB: split it into smaller collections` };
    }
    const content = parseExport(await readFile(path));
    return {
      file,
      folder: file.slice(0, Math.max(0, file.lastIndexOf('/'))),
      id: toStableId(file),
      name: content.name ?? file.slice(file.lastIndexOf('/') + 1, -'.json'.length),
      changedAt: mtime.toISOString(),
      content,
    };
  } catch (error) {
    return { file, reason: error instanceof NotAnExportError ? error.message : toUnreadableReason(error) };
  }
}

/** Gives the document of a collection without a name the name that lists show. */
function withName({ document, name: documentName }: ExportedCollection, name: string): JsonObject {
  const { info } = document;
  return documentName === undefined ? { ...document, info: { ...(isJsonObject(info) ? info : {}), name } } : document;
}

function toWorkspaces(root: string, loaded: readonly LoadedFile[]): StoredWorkspace[] {
  const folders = [...new Set(loaded.map(({ folder }) => folder))].sort();
  return folders.map((folder) => {
    const inFolder = loaded.filter((candidate) => candidate.folder === folder);
    const dates = inFolder.map(({ changedAt }) => changedAt).sort();
    const uidsOf = (kind: Export['kind']) =>
      inFolder.filter(({ content }) => content.kind === kind).map(({ id }) => toUid({ owner, id }));
    return {
      // Cannot equal the id of a file: no file's path ends in a slash.
      id: toStableId(`${folder}/`),
      name: folder === '' ? basename(resolve(root)) || '/' : folder,
      type: 'team',
      visibility: 'team',
      createdBy: owner,
      updatedBy: owner,
      createdAt: dates.at(0) ?? '',
      updatedAt: dates.at(-1) ?? '',
      collections: uidsOf('collection'),
      environments: uidsOf('environment'),
      globals: inFolder.flatMap(({ content }) => (content.kind === 'globals' ? content.values : [])),
    };
  });
}
