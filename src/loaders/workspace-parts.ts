/** What is requested of workspaces in one tick, and which calls are worth making for all of it together. */
import { workspaceCall } from '../upstream/postman/resources/workspaces.ts';
import type { ChildType } from '../upstream/postman/levels.ts';
import type { ChildListRequest, createChildLists } from './child-lists.ts';
import type { Listed } from './listed.ts';
import { toGroups } from './planner.ts';
import type { UpstreamReads } from './reads.ts';
import type { WorkspaceRows } from './workspace-rows.ts';

/** How much of a workspace is requested. */
export type WorkspaceLevel = 'summary' | 'detail';

/** A request for a list in a workspace, or for a list of everything. */
export type ChildPart = { readonly kind: 'children' } & ChildListRequest;

/** A request for a workspace, or for a list in it. */
export type Part = { readonly kind: WorkspaceLevel; readonly workspaceId: string } | ChildPart;

/** Whether a part is a list. */
export const isChildPart = (part: Part): part is ChildPart => part.kind === 'children';

/**
 * Makes the function that says whether to read a workspace for its parts: because one of them needs it, or because it is
 * the cheapest source of names.
 *
 * @param requestedWorkspaces - Workspaces requested before in this operation: reading them again costs nothing.
 */
export function createPreference(
  { reads, lists, listed }: Omit<Sources, 'rows'> & { readonly listed: Pick<Listed<unknown>, 'has'> },
  requestedWorkspaces: ReadonlySet<string>,
) {
  return (workspaceId: string, parts: readonly Part[]): boolean => {
    if (requestedWorkspaces.has(workspaceId) || parts.some(({ kind }) => kind === 'detail')) return true;
    if (parts.some(({ kind }) => kind === 'summary') && !listed.has(workspaceId)) return true;
    const byName = [...toGroups(parts.filter(isChildPart), ({ type }) => type).values()].filter((ofType) =>
      ofType.every(({ level }) => level === 'ref'),
    );
    if (byName.length === 0) return false;
    const unread = byName.filter((ofType) => !ofType.every(lists.needsNoCall));
    const workspaceCalls = reads.isCached(workspaceCall(workspaceId)) ? 0 : 1;
    if (workspaceCalls !== unread.length) return workspaceCalls < unread.length;
    // At most one list is unread here, so all these parts are of one type.
    return unread
      .flat()
      .some((part, _, all) => lists.isBurst(part) && !all.some((one) => one.willReadEach && lists.isOnFirstPage(one)));
  };
}

/** Where parts can be read from. */
export interface Sources {
  readonly reads: UpstreamReads;
  readonly lists: ReturnType<typeof createChildLists>;
  readonly rows: WorkspaceRows;
}

/**
 * Returns the workspaces to read because that, with lists of everything, takes fewer calls than the lists in them.
 *
 * @param isReadAnyway - Whether the workspace will be read for its parts alone.
 */
export function toWorthReading(
  groups: ReadonlyMap<string | null, readonly Part[]>,
  isReadAnyway: (workspaceId: string, parts: readonly Part[]) => boolean,
  { reads, lists, rows }: Sources,
): ReadonlySet<string> {
  const worth = new Set<string>();
  const unread: ChildPart[] = [];
  let workspaceCalls = 0;
  for (const [id, parts] of groups) {
    if (id === null || isReadAnyway(id, parts)) continue;
    const ofTypes = toGroups(parts.filter(isChildPart), ({ type }) => type);
    const unreadHere = [...ofTypes.values()].flatMap((ofType) => {
      const all = ofType.filter((part) => !lists.needsNoCall(part));
      return all.find(({ level }) => level === 'summary') ?? all.slice(0, 1);
    });
    if (unreadHere.length === 0) continue;
    worth.add(id);
    unread.push(...unreadHere);
    if (!reads.isCached(workspaceCall(id))) workspaceCalls++;
  }
  const rowCalls = [...toGroups(unread, ({ type }) => type)].map(([type, parts]) => {
    const withRows = parts.filter(({ level }) => level === 'summary').length;
    const isListRead = groups.get(null)?.some((part) => isChildPart(part) && part.type === type) ?? false;
    return isListRead ? 0 : rows.countCalls(type, withRows);
  });
  const calls = workspaceCalls + rowCalls.reduce<number>((sum, one) => sum + one, 0);
  return calls < unread.length ? worth : new Set();
}

/**
 * Starts the lists of everything that two or more workspaces will need as soon as they have been read. If the budget
 * refuses some of these calls, the list then serves all workspaces that could be read.
 *
 * @param isReadNow - Whether the workspace will be read for its parts, by a new call.
 */
export function readAhead(
  groups: ReadonlyMap<string | null, readonly Part[]>,
  isReadNow: (workspaceId: string, parts: readonly Part[]) => boolean,
  { lists, rows }: Sources,
): void {
  const workspaces = new Map<ChildType, number>();
  for (const [id, parts] of groups) {
    if (id === null) continue;
    const withRows = parts.filter(isChildPart).filter((part) => part.level === 'summary' && !lists.needsNoCall(part));
    if (withRows.length === 0 || !isReadNow(id, parts)) continue;
    for (const type of new Set(withRows.map((part) => part.type)))
      workspaces.set(type, (workspaces.get(type) ?? 0) + 1);
  }
  for (const [type, count] of workspaces) if (count > 1) rows.readAhead(type);
}
