import type { ChildListName } from '../upstream/postman/levels.ts';
import type { ShownContents } from '../upstream/postman/postman-call.ts';

/** What one operation knows about which workspaces hold which objects. */
export interface WorkspaceContents {
  /** Adds what a response has shown. */
  add(shown: ShownContents): void;
  /** The ids of the workspaces that are known to hold an object. */
  workspacesWith(list: ChildListName, uid: string): ReadonlySet<string>;
  /** Whether all objects of a list in a workspace are known. */
  isComplete(workspaceId: string, list: ChildListName): boolean;
}

/** Creates the contents of an operation that has read nothing yet. */
export function createWorkspaceContents(): WorkspaceContents {
  const workspaceIds = new Map<string, Set<string>>();
  const complete = new Set<string>();
  return {
    add({ workspaceId, list, items, isComplete }) {
      for (const { uid } of items) {
        const key = `${list} ${uid}`;
        const ids = workspaceIds.get(key);
        if (ids) ids.add(workspaceId);
        else workspaceIds.set(key, new Set([workspaceId]));
      }
      if (isComplete) complete.add(`${list} ${workspaceId}`);
    },
    workspacesWith: (list, uid) => workspaceIds.get(`${list} ${uid}`) ?? NONE,
    isComplete: (workspaceId, list) => complete.has(`${list} ${workspaceId}`),
  };
}

const NONE: ReadonlySet<string> = new Set();
