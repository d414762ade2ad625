import type { ChildListName } from '../upstream/postman/levels.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import type { ShownContents } from '../upstream/postman/postman-call.ts';

/** What one operation knows about which workspaces hold which objects. */
export interface WorkspaceContents {
  /** Adds what a response has shown. `source`: that response, if there was one. */
  add(shown: ShownContents, source?: object): void;
  /** The responses that have shown objects of a list in a workspace. */
  sourcesOf(list: ChildListName, workspaceId: string): Iterable<object>;
  /** The ids of the workspaces that are known to hold an object. */
  workspacesWith(list: ChildListName, uid: string): ReadonlySet<string>;
  /** What a workspace says of an object; undefined: none shows it, or none its name, where that is needed. */
  refOf(list: ChildListName, uid: string, needsName: boolean): Ref | undefined;
  /** Whether all objects of a list in a workspace are known. */
  isComplete(workspaceId: string, list: ChildListName): boolean;
}

/**
 * Creates the contents of an operation that has read nothing yet. What responses have shown is indexed when it is first
 * searched: most operations never search it.
 */
export function createWorkspaceContents(): WorkspaceContents {
  const workspaceIds = new Map<string, Set<string>>();
  const sources = new Map<string, Set<object>>();
  const refs = new Map<string, Ref>();
  const complete = new Set<string>();
  let unindexed: { readonly shown: ShownContents; readonly source: object | undefined }[] = [];

  const index = ({ workspaceId, list, items, isComplete }: ShownContents, source: object | undefined) => {
    if (source) {
      const key = `${list} ${workspaceId}`;
      sources.set(key, (sources.get(key) ?? new Set()).add(source));
    }
    for (const ref of items) {
      const key = `${list} ${ref.uid}`;
      if (ref.name !== undefined || !refs.has(key)) refs.set(key, ref);
      const ids = workspaceIds.get(key);
      if (ids) ids.add(workspaceId);
      else workspaceIds.set(key, new Set([workspaceId]));
    }
    if (isComplete) complete.add(`${list} ${workspaceId}`);
  };

  const indexAll = () => {
    if (unindexed.length === 0) return;
    for (const { shown, source } of unindexed) index(shown, source);
    unindexed = [];
  };

  return {
    add: (shown, source) => void unindexed.push({ shown, source }),
    sourcesOf(list, workspaceId) {
      indexAll();
      return sources.get(`${list} ${workspaceId}`) ?? [];
    },
    workspacesWith(list, uid) {
      indexAll();
      return workspaceIds.get(`${list} ${uid}`) ?? NONE;
    },
    refOf(list, uid, needsName) {
      indexAll();
      const ref = refs.get(`${list} ${uid}`);
      return needsName && ref?.name === undefined ? undefined : ref;
    },
    isComplete(workspaceId, list) {
      indexAll();
      return complete.has(`${list} ${workspaceId}`);
    },
  };
}

const NONE: ReadonlySet<string> = new Set();
