import { type ChildType, leveledTypes } from '../upstream/postman/levels.ts';
import { workspacesOfCollectionCall, type WorkspaceSummary } from '../upstream/postman/resources/workspaces.ts';
import type { Children } from './child-loader.ts';
import type { Listed } from './listed.ts';
import type { UpstreamReads } from './reads.ts';
import { createWorkspaceScan, type FoundWorkspace } from './workspace-scan.ts';

/** A request for the workspace that holds an object. */
export interface WorkspaceOfRequest {
  readonly type: ChildType;
  readonly uid: string;
  /** Whether the workspace itself will be read, for fields that only its single read carries. */
  readonly willReadWorkspace?: boolean;
}

/** Loaders of the workspace that holds an object. */
export interface WorkspaceFinder {
  /** Finds the first workspace that Postman lists of those that hold an object. */
  workspaceOf(request: WorkspaceOfRequest): Promise<FoundWorkspace>;
  /**
   * Whether a workspace holds the object. If so, the object exists. An object that Postman cannot look up counts as held
   * only if that is known without a call: to read the object itself is cheaper than to look for it.
   */
  isInWorkspace(request: WorkspaceOfRequest): Promise<boolean>;
}

/** A request without a result so far. */
interface SoughtObject extends WorkspaceOfRequest {
  settle(found: FoundWorkspace): void;
  fail(error: unknown): void;
}

// The number of collections for which the list of workspaces is read, if it is unknown how many workspaces there are:
// if there are too many to read them all, that list was a fifth of the cost at most.
const LOOK_UPS_WORTH_A_LIST = 5;

/**
 * Creates the finder of one operation. If several workspaces hold an object, the one that Postman lists first counts.
 * The result is null if none does. The sources, in this order:
 *
 * 1. the lookup `GET /workspaces?elementType=collection&elementId=`, if it is cached; only collections have one
 * 2. the contents of the workspaces, in the order of the list of workspaces, as far as responses have shown them
 * 3. the lookup of each collection, or reading the workspaces whose contents are not known, whichever is fewer calls
 *
 * Nothing is decided while lists are being read, because they can show more contents, or more objects to look for. The
 * workspaces are read one after the other, because each can make it unnecessary to read the next one. A collection that
 * no list has shown can be in a workspace that the list of workspaces lacks, so it is always looked up.
 */
export function createWorkspaceFinder(
  reads: UpstreamReads,
  workspaces: Listed<WorkspaceSummary>,
  children: Readonly<Record<ChildType, Children>>,
): WorkspaceFinder {
  const results = new Map<string, Promise<FoundWorkspace>>();
  const sought = new Set<SoughtObject>();
  const scan = createWorkspaceScan(reads, workspaces, children);
  let isRunning = false;

  const settle = (one: SoughtObject, found: Promise<FoundWorkspace>) => {
    sought.delete(one);
    found.then(one.settle, one.fail);
  };
  const lookUp = (one: SoughtObject) =>
    settle(
      one,
      reads
        .list(workspaces, workspacesOfCollectionCall(one.uid))
        .then((page) => ({ workspace: page?.items[0] ?? null, evidence: page ? [page] : [] })),
    );

  /** Settles the requests whose results are known without a call. */
  const settleKnown = async () => {
    for (const one of [...sought]) {
      const call = workspacesOfCollectionCall(one.uid);
      if (hasLookUp(one) && (reads.isRequested(call) || reads.isCached(call))) {
        lookUp(one);
        continue;
      }
      const found = await scan.find(one);
      if (found === undefined || (found.workspace === null && !isInAccount(one, reads, children))) continue;
      settle(one, Promise.resolve(found));
    }
  };

  /** Makes the next calls. */
  const proceed = async () => {
    for (const one of [...sought]) if (!isInAccount(one, reads, children)) lookUp(one);
    if (sought.size === 0) return;
    const all = [...sought];
    const isLookUpEnough = all.every(hasLookUp);
    if (isLookUpEnough) {
      const calls = all.reduce((sum, one) => sum + (one.willReadWorkspace ? 2 : 1), 0);
      const scanCalls = scan.countCalls(all);
      if (scanCalls === undefined ? all.length < LOOK_UPS_WORTH_A_LIST : calls < scanCalls) {
        for (const one of all) lookUp(one);
        return;
      }
    }
    try {
      await scan.proceed(all);
    } catch (error) {
      const next = scan.nextOf(all);
      const lookedUp = next.filter(hasLookUp);
      for (const one of lookedUp) lookUp(one);
      // Without the collections, the scan may find the others in lists.
      if (lookedUp.length === 0) for (const one of next) settle(one, Promise.reject(error));
    }
  };

  const run = async () => {
    while (sought.size > 0) {
      // Other planners may be waiting to start lists: let them run first.
      await untilIdle(reads);
      await untilIdle(reads);
      await settleKnown();
      if (reads.isReadingLists()) await reads.nextList();
      else if (sought.size > 0) await proceed();
    }
    isRunning = false;
  };

  const workspaceOf = (request: WorkspaceOfRequest) => {
    const key = `${request.type} ${request.uid}`;
    const known = results.get(key);
    if (known) return known;
    const result = new Promise<FoundWorkspace>((resolve, reject) =>
      sought.add({ ...request, settle: resolve, fail: reject }),
    );
    results.set(key, result);
    if (!isRunning) {
      isRunning = true;
      run().catch((error: unknown) => {
        isRunning = false;
        for (const one of [...sought]) settle(one, Promise.reject(error));
      });
    }
    return result;
  };

  return {
    workspaceOf,
    async isInWorkspace(request) {
      const found = await (hasLookUp(request) ? workspaceOf(request) : scan.find(request));
      return found !== undefined && found.workspace !== null;
    },
  };
}

/** Whether a list or a workspace has shown the object, or it is of a type without lookup. */
const isInAccount = (
  { type, uid }: SoughtObject,
  { contents }: UpstreamReads,
  children: Readonly<Record<ChildType, Children>>,
) =>
  !hasLookUp({ type }) ||
  children[type].listed.has(uid) ||
  contents.workspacesWith(leveledTypes[type].list, uid).size > 0;

const untilIdle = ({ idleTasks }: UpstreamReads) => new Promise<void>((resolve) => idleTasks.add('plan', resolve));

/** Whether Postman can be asked for the workspaces of an object of this type. */
const hasLookUp = ({ type }: Pick<WorkspaceOfRequest, 'type'>) => type === 'Collection';
