import { type ChildType, toChildRecord } from '../upstream/postman/levels.ts';
import type { PostmanCall } from '../upstream/postman/postman-call.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import { type ChildListRequest, toPage } from './child-lists.ts';
import type { Children } from './child-loader.ts';
import type { UpstreamReads } from './reads.ts';

/** Finds the list items of the objects that a workspace names, without reading the list of that workspace. */
export interface WorkspaceRows {
  /**
   * Waits for the refs of a workspace, and then for those of all other workspaces that are being waited for.
   *
   * @param refs - undefined or null: no refs can be used.
   * @returns What is known of each object; undefined: the list of the workspace has to be read.
   */
  of(request: ChildListRequest, refs: Promise<readonly Ref[] | null | undefined>): Promise<readonly Ref[] | undefined>;
  /** Starts to read the list of everything, if it can have all items. */
  readAhead(type: ChildType): void;
  /** The calls to find the items of several workspaces: none, one (if the list of everything has one page), or one each. */
  countCalls(type: ChildType, workspaces: number): number;
}

/** The objects of one workspace whose list items are needed. */
interface Needed {
  readonly request: ChildListRequest;
  readonly refs: readonly Ref[];
  settle(rows: readonly Ref[] | undefined): void;
  fail(error: unknown): void;
}

/**
 * Creates the finder of list items of one operation. It finds them in the lists that the operation has read, in the list
 * of everything and, where the selected fields allow it, in cached single reads. It reads the list of everything if two
 * or more workspaces lack items: that replaces one list for each. An object that is missing there, because Postman
 * leaves out workspaces that the user has not joined, has its workspace's list read.
 *
 * A list of everything that has only the objects of the key's user is used only if it costs nothing.
 */
export function createWorkspaceRows(
  reads: UpstreamReads,
  children: Readonly<Record<ChildType, Children>>,
): WorkspaceRows {
  const finders = toChildRecord((type) => createRowFinder(reads, children[type]));
  return {
    of: (request, refs) => finders[request.type](request, refs),
    readAhead(type) {
      const { resource, listed } = children[type];
      if (!resource.omitsOtherUsers) reads.list(listed, resource.listCall(null, 0)).catch(() => undefined);
    },
    countCalls(type, workspaces) {
      const { resource } = children[type];
      if (resource.omitsOtherUsers) return workspaces;
      return isFree(reads, resource.listCall(null, 0)) ? 0 : Math.min(1, workspaces);
    },
  };
}

const isFree = (reads: UpstreamReads, call: PostmanCall<unknown, null>) =>
  reads.isRequested(call) || reads.isCached(call);

/** Creates the finder of one type. */
function createRowFinder(reads: UpstreamReads, { resource, listed }: Children): WorkspaceRows['of'] {
  let awaitedRefs = 0;
  let waiting: Needed[] = [];

  const isKnown = ({ isReadEnough }: ChildListRequest, { uid }: Ref) =>
    listed.has(uid) ||
    (isReadEnough &&
      (reads.isCached(resource.detailCall(uid)) ||
        (resource.minimalCall !== undefined && reads.isCached(resource.minimalCall(uid)))));
  const isMissing = ({ request, refs }: Needed) =>
    refs.slice(request.from, request.from + request.count).some((ref) => !isKnown(request, ref));

  /** Reads the list of everything while that takes fewer calls than the lists of the workspaces that lack items. */
  const readEverything = async (needed: readonly Needed[]) => {
    const countMissing = () => new Set(needed.filter(isMissing).map(({ request }) => request.workspaceId)).size;
    const pageSize = resource.paging?.size ?? Number.POSITIVE_INFINITY;
    let pagesLeft = 1;
    for (let offset = 0; pagesLeft > 0; offset += pageSize) {
      const call = resource.listCall(null, offset);
      const isWorthIt = !resource.omitsOtherUsers && countMissing() > pagesLeft;
      if (countMissing() === 0 || !(isFree(reads, call) || isWorthIt)) return;
      const { items, total } = toPage(await reads.list(listed, call));
      pagesLeft = items.length === 0 ? 0 : Math.ceil(((total ?? 0) - offset) / pageSize) - 1;
    }
  };

  const settleAll = async () => {
    // Refs of more workspaces may be expected by now.
    if (awaitedRefs > 0) return;
    const needed = waiting;
    waiting = [];
    try {
      // If the list of everything fails, each workspace's list is read.
      await readEverything(needed).catch(() => undefined);
      for (const one of needed)
        one.settle(isMissing(one) ? undefined : one.refs.map((ref) => listed.get(ref.uid) ?? ref));
    } catch (error) {
      for (const one of needed) one.fail(error);
    }
  };

  return async (request, pendingRefs) => {
    awaitedRefs++;
    const refs = await pendingRefs.finally(() => {
      awaitedRefs--;
      if (awaitedRefs === 0) reads.idleTasks.add('plan', () => void settleAll());
    });
    return refs ? new Promise((settle, fail) => waiting.push({ request, refs, settle, fail })) : undefined;
  };
}
