import { childLists, type ChildType, leveledTypes } from '../upstream/postman/levels.ts';
import type { PostmanCall } from '../upstream/postman/postman-call.ts';
import {
  workspaceCall,
  type WorkspacePage,
  workspacesCall,
  type WorkspaceSummary,
} from '../upstream/postman/resources/workspaces.ts';
import { toPage } from './child-lists.ts';
import type { Children } from './child-loader.ts';
import type { Listed } from './listed.ts';
import { toGroups } from './planner.ts';
import type { UpstreamReads } from './reads.ts';

/** An object to find in the contents of workspaces. */
export interface ScannedObject {
  readonly type: ChildType;
  readonly uid: string;
  /** Whether the workspace that holds it will be read, too. */
  readonly willReadWorkspace?: boolean;
}

/** The first workspace that holds an object. */
export interface FoundWorkspace {
  /** null: none holds it. */
  readonly workspace: WorkspaceSummary | null;
  /** The responses that show this. */
  readonly evidence: readonly object[];
}

/** Finds objects in the contents of all workspaces, in the order in which Postman lists these. */
export interface WorkspaceScan {
  /** Finds the first workspace that holds an object, without a call. undefined: not known. */
  find(object: ScannedObject): Promise<FoundWorkspace | undefined>;
  /**
   * Counts the calls that it takes at most to find objects that are not found yet.
   *
   * @returns undefined if the list of workspaces has not been read; a lower bound if only a part of it has.
   */
  countCalls(objects: readonly ScannedObject[]): number | undefined;
  /** Returns those of the objects that the next call helps to find. */
  nextOf<Sought extends ScannedObject>(objects: readonly Sought[]): readonly Sought[];
  /** Makes the next call that helps to find these objects. @throws {UpstreamError} */
  proceed(objects: readonly ScannedObject[]): Promise<void>;
}

/** Creates the scan of one operation. */
export function createWorkspaceScan(
  reads: UpstreamReads,
  listed: Listed<WorkspaceSummary>,
  children: Readonly<Record<ChildType, Children>>,
): WorkspaceScan {
  const { contents } = reads;
  const order = createOrder(reads, listed);
  const { workspaces } = order;
  // By object: how many workspaces, from the first on, are known not to hold it.
  const ruledOut = new Map<string, number>();
  const toKey = ({ type, uid }: ScannedObject) => `${type} ${uid}`;
  const positionOf = (object: ScannedObject) => ruledOut.get(toKey(object)) ?? 0;
  // Workspaces whose single read has not shown the complete contents.
  const readInVain = new Set<string>();
  const toFound = ({ type }: ScannedObject, workspace: WorkspaceSummary | null, searched: number): FoundWorkspace => ({
    workspace,
    evidence: workspaces.slice(0, searched).flatMap(({ id }) => [...contents.sourcesOf(leveledTypes[type].list, id)]),
  });
  const nextOf = <Sought extends ScannedObject>(objects: readonly Sought[]) => {
    const first = Math.min(...objects.map(positionOf));
    return objects.filter((object) => positionOf(object) === first);
  };
  const { firstPage, readWorkspace, readList, isIn } = createContentsReads(reads, children);

  return {
    async find(object) {
      await order.readCached();
      for (let index = positionOf(object); index < workspaces.length; index++) {
        ruledOut.set(toKey(object), index);
        const workspace = workspaces[index];
        const isHeld = workspace && (await isIn(workspace.id, object));
        if (isHeld !== false) return workspace && isHeld ? toFound(object, workspace, index + 1) : undefined;
      }
      ruledOut.set(toKey(object), workspaces.length);
      return order.isComplete() ? toFound(object, null, workspaces.length) : undefined;
    },

    countCalls(objects) {
      if (!order.isStarted()) return undefined;
      const indexById = new Map(workspaces.map(({ id }, index) => [id, index]));
      const unknown = new Set<string>();
      for (const [type, ofType] of toGroups(objects, ({ type }) => type)) {
        const { list } = leveledTypes[type];
        // How many more objects are sought in a workspace than in the one before.
        const changes = workspaces.map(() => 0);
        for (const object of ofType) {
          const known = [...contents.workspacesWith(list, object.uid)].map((id) => indexById.get(id) ?? Infinity);
          const start = positionOf(object);
          const end = Math.min(workspaces.length, ...known);
          if (start >= end) continue;
          changes[start] = (changes[start] ?? 0) + 1;
          if (end < workspaces.length) changes[end] = (changes[end] ?? 0) - 1;
        }
        let soughtCount = 0;
        for (const [index, { id }] of workspaces.entries()) {
          soughtCount += changes[index] ?? 0;
          if (soughtCount > 0 && !contents.isComplete(id, list)) unknown.add(id);
        }
      }
      return unknown.size + (order.isComplete() ? 0 : 1);
    },

    nextOf,

    async proceed(objects) {
      const soughtHere = nextOf(objects);
      const [first] = soughtHere;
      const id = first && workspaces[positionOf(first)]?.id;
      if (id === undefined) return order.readNext();
      const types = new Set(soughtHere.map(({ type }) => type));
      // The lists of some types do not count against the burst limit, as the workspace does.
      const isOutsideBurst = soughtHere.every(({ type }) => !isBurst(firstPage(type, id)));
      const isListBetter =
        types.size === 1 && isOutsideBurst && soughtHere.every(({ willReadWorkspace }) => !willReadWorkspace);
      if (!isListBetter && !readInVain.has(id)) {
        readInVain.add(id);
        try {
          return await readWorkspace(id);
        } catch (error) {
          if (!isOutsideBurst) throw error;
        }
      }
      for (const type of types) await readList(type, id);
    },
  };
}

/** Creates the reads that show the contents of one workspace. */
function createContentsReads(reads: UpstreamReads, children: Readonly<Record<ChildType, Children>>) {
  const { contents } = reads;
  const firstPage = (type: ChildType, id: string) => children[type].resource.listCall(id, 0);

  const readWorkspace = async (id: string) => {
    const workspace = await reads.get(workspaceCall(id));
    if (workspace === null)
      for (const list of childLists) contents.add({ workspaceId: id, list, items: [], isComplete: true });
  };

  const readList = async (type: ChildType, id: string) => {
    const { resource, listed: listedChildren } = children[type];
    const { list } = leveledTypes[type];
    for (let offset = 0; !contents.isComplete(id, list); ) {
      const { items, total } = toPage(await reads.list(listedChildren, resource.listCall(id, offset)));
      offset += items.length;
      const isComplete = total === null || offset >= total || items.length === 0;
      contents.add({ workspaceId: id, list, items, isComplete });
    }
  };

  /** Whether a workspace holds an object, from the responses so far and from the cache; undefined: not known. */
  const isIn = async (id: string, { type, uid }: ScannedObject): Promise<boolean | undefined> => {
    const { list } = leveledTypes[type];
    const isHeld = () =>
      contents.workspacesWith(list, uid).has(id) || (contents.isComplete(id, list) ? false : undefined);
    if (isHeld() === undefined && reads.isCached(workspaceCall(id))) await readWorkspace(id).catch(() => undefined);
    if (isHeld() === undefined && reads.isCached(firstPage(type, id)))
      await reads.list(children[type].listed, firstPage(type, id)).catch(() => undefined);
    return isHeld();
  };

  return { firstPage, readWorkspace, readList, isIn };
}

const isBurst = ({ route }: PostmanCall<unknown, null>) => route.routeClass === 'burst';

/** Creates the list of all workspaces, as far as it has been read. */
function createOrder(reads: UpstreamReads, listed: Listed<WorkspaceSummary>) {
  const workspaces: WorkspaceSummary[] = [];
  let cursor: string | null = null;
  let isStarted = false;
  let isComplete = false;
  const nextCall = () => workspacesCall({}, cursor);

  const readNext = async () => {
    const { items, nextCursor }: WorkspacePage = await reads.list(listed, nextCall());
    workspaces.push(...items);
    isStarted = true;
    // An empty page ends the list, or its cursors could be followed forever.
    isComplete = nextCursor === null || items.length === 0;
    cursor = nextCursor;
  };

  return {
    workspaces: workspaces as readonly WorkspaceSummary[],
    isStarted: () => isStarted,
    isComplete: () => isComplete,
    readNext,
    /** Reads the pages that take no call. */
    async readCached() {
      const isFree = () => !isComplete && (reads.isRequested(nextCall()) || reads.isCached(nextCall()));
      for (let before = -1; before < workspaces.length && isFree(); ) {
        before = workspaces.length;
        await readNext().catch(() => undefined);
      }
    },
  };
}
