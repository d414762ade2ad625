import { type ChildType, leveledTypes } from '../upstream/postman/levels.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import type { SummaryOf } from '../upstream/postman/routes.ts';
import {
  type WorkspaceDetail,
  type WorkspaceSummary,
  workspaceCall,
} from '../upstream/postman/resources/workspaces.ts';
import { type ChildListRequest, type Chunk, createChildLists } from './child-lists.ts';
import type { Children } from './child-loader.ts';
import type { Listed } from './listed.ts';
import { createPlanner, toGroups } from './planner.ts';
import type { UpstreamReads } from './reads.ts';

/** What is read about workspaces, by the fewest calls. */
export interface WorkspaceLoaders {
  /** What a list says about a workspace, or (`detail`) what only the single read says; null: there is no such workspace. */
  workspaceById<L extends WorkspaceLevel>(request: WorkspaceRequest<L>): Promise<AtLevel<L> | null>;
  /** null: there is no such workspace. The chunk holds at least what was wanted, as far as the list goes. */
  childrenOf<Type extends ChildType>(request: ChildListRequest<Type>): Promise<Chunk<Ref | SummaryOf<Type>> | null>;
}

/** One workspace, and how much of it. */
export interface WorkspaceRequest<L extends WorkspaceLevel> {
  readonly id: string;
  readonly level: L;
}

type WorkspaceLevel = 'summary' | 'detail';
type AtLevel<L extends WorkspaceLevel> = L extends 'detail' ? WorkspaceDetail : WorkspaceSummary;

/** What workspace loaders read with. */
export interface WorkspaceLoadersOptions {
  readonly reads: UpstreamReads;
  /** Workspaces that lists have shown. */
  readonly listed: Listed<WorkspaceSummary>;
  readonly children: Readonly<Record<ChildType, Children>>;
}

type ChildPart = { readonly kind: 'children' } & ChildListRequest;
type Part = { readonly kind: WorkspaceLevel; readonly workspaceId: string } | ChildPart;
type PartResult = WorkspaceSummary | WorkspaceDetail | Chunk<Ref> | null;

/**
 * Makes the workspace loaders of one operation. Everything that is asked of a workspace in one tick is planned together:
 *
 * | asked for | answered by |
 * | --- | --- |
 * | detail | the workspace's own answer |
 * | summary | a list that has shown the workspace, or is being read and does; else its own answer |
 * | children, with more than names | their list; nothing more where the own answer is read, and has none of them |
 * | children by name | the own answer, where it is read anyway, or takes fewer calls than their lists; else their lists |
 *
 * Where one list costs as much as the own answer, the list is read if it is not of the burst class, or if each of its items is read singly
 * and it can renew them by one page.
 */
export function createWorkspaceLoaders({ reads, listed, children }: WorkspaceLoadersOptions): WorkspaceLoaders {
  const lists = createChildLists(reads, children);
  // Asked for already, and so free to ask for again.
  const detailed = new Set<string>();

  /** Whether the workspace's own answer is read: because it has to be, or because it is the cheapest way to names. */
  const prefersWorkspace = (workspaceId: string, parts: readonly Part[]): boolean => {
    if (detailed.has(workspaceId) || parts.some(({ kind }) => kind === 'detail')) return true;
    if (parts.some(({ kind }) => kind === 'summary') && !listed.has(workspaceId)) return true;
    const named = [...toGroups(parts.filter(isChildPart), ({ type }) => type).values()].filter((ofType) =>
      ofType.every(({ level }) => level === 'ref'),
    );
    if (named.length === 0) return false;
    const unread = named.filter((ofType) => !ofType.every(lists.needsNoCall));
    const workspaceCalls = reads.isCached(workspaceCall(workspaceId)) ? 0 : 1;
    if (workspaceCalls !== unread.length) return workspaceCalls < unread.length;
    return unread
      .flat()
      .some(
        (part, _, ofType) => lists.isBurst(part) && !ofType.some((one) => one.willReadEach && lists.isOnFirstPage(one)),
      );
  };

  /** Whether all that the workspace's own answer would be read for may be in a list that is being read. */
  const mayBeListed = (workspaceId: string | null, parts: readonly Part[]): workspaceId is string =>
    workspaceId !== null &&
    listed.isExpecting() &&
    !listed.has(workspaceId) &&
    !reads.isCached(workspaceCall(workspaceId)) &&
    parts.some(({ kind }) => kind === 'summary') &&
    !prefersWorkspace(
      workspaceId,
      parts.filter(({ kind }) => kind !== 'summary'),
    );

  /** @returns What answers each of the parts. */
  const planWorkspace = (workspaceId: string | null, parts: readonly Part[]): ((part: Part) => Promise<PartResult>) => {
    const readsWorkspace = workspaceId !== null && prefersWorkspace(workspaceId, parts);
    if (readsWorkspace) detailed.add(workspaceId);
    const isConfirmed = createConfirmation(reads, listed, workspaceId);
    const wantsList = (type: ChildType) =>
      parts.some((part) => isChildPart(part) && part.type === type && part.level === 'summary');
    return async (part) => {
      if (part.kind !== 'children') {
        const summary = part.kind === 'summary' ? listed.get(part.workspaceId) : undefined;
        return summary ?? reads.get(workspaceCall(part.workspaceId));
      }
      const refs = readsWorkspace ? await refsOf(reads, workspaceId, part, wantsList(part.type)) : undefined;
      if (refs !== undefined) return refs && { items: refs, offset: 0, total: refs.length };
      const list = lists.read(part);
      return (await isConfirmed(list, part.mustConfirm)) ? list : null;
    };
  };

  const partOf = createPlanner((parts: readonly Part[]) => {
    const results = new Map<Part, Promise<PartResult>>();
    for (const [workspaceId, ofOne] of toGroups(parts, (part) => part.workspaceId)) {
      const planned = mayBeListed(workspaceId, ofOne)
        ? listed.expected([workspaceId]).then(() => planWorkspace(workspaceId, ofOne))
        : planWorkspace(workspaceId, ofOne);
      for (const part of ofOne) {
        const result = planned instanceof Promise ? planned.then((resultOf) => resultOf(part)) : planned(part);
        results.set(part, result);
        // Also where it is begun later: look-ups are planned as soon as this is.
        if (isChildPart(part) && part.level === 'summary') void children[part.type].listed.expect(result);
      }
    }
    return parts.map((part) => results.get(part) ?? Promise.resolve(null));
  }, toKey);

  return {
    workspaceById: <L extends WorkspaceLevel>({ id, level }: WorkspaceRequest<L>) =>
      partOf({ kind: level, workspaceId: id }) as Promise<AtLevel<L> | null>,
    childrenOf: <Type extends ChildType>(request: ChildListRequest<Type>) =>
      partOf({
        kind: 'children',
        ...request,
        ...(!children[request.type].resource.paging && WHOLE_LIST),
      }) as Promise<Chunk<Ref | SummaryOf<Type>> | null>,
  };
}

/** Equal for equal parts, in whatever order their members were set. */
function toKey(part: Part): string {
  if (!isChildPart(part)) return `${part.kind} ${part.workspaceId}`;
  const { type, workspaceId, level, needsNames, willReadEach, mustConfirm, from, count } = part;
  // As JSON: a workspace of id "null" is not the absence of one.
  return JSON.stringify([type, workspaceId, level, needsNames, willReadEach, mustConfirm, from, count]);
}
// A list that comes whole is planned once, whatever parts of it are wanted.
const WHOLE_LIST = { from: 0, count: Number.POSITIVE_INFINITY } as const;

const isChildPart = (part: Part): part is ChildPart => part.kind === 'children';

/** What a workspace's own answer has of one type, if that is enough; undefined: the list has to be read. null: there is no such workspace. */
async function refsOf(
  reads: UpstreamReads,
  workspaceId: string,
  { type, needsNames }: ChildListRequest,
  wantsList: boolean,
): Promise<readonly Ref[] | null | undefined> {
  const { list } = leveledTypes[type];
  const response = reads.get(workspaceCall(workspaceId));
  // What it has nothing of needs no list, so that comes after it. Should it fail, the list need not.
  const workspace = wantsList ? await response.catch(() => undefined) : await response;
  if (!workspace) return workspace;
  const refs = workspace[list];
  if (!refs || (wantsList && refs.length > 0)) return undefined;
  return needsNames && refs.some(({ name }) => name === undefined) ? undefined : refs;
}

/** Makes the function that tells, of the lists of one workspace, whether there is such a workspace: of an unknown one upstream has empty lists. */
function createConfirmation(reads: UpstreamReads, listed: Listed<WorkspaceSummary>, workspaceId: string | null) {
  const listsAreEmpty: Promise<boolean>[] = [];
  const isEmpty = (list: Promise<Chunk<Ref>>) => list.then(({ total }) => total === 0);
  return async (list: Promise<Chunk<Ref>>, mustConfirm: boolean): Promise<boolean> => {
    listsAreEmpty.push(isEmpty(list).catch(() => true));
    if (workspaceId === null || !mustConfirm || !(await isEmpty(list))) return true;
    // A list of what else is in it proves it as well.
    const areEmpty = await Promise.all(listsAreEmpty);
    if (!areEmpty.every(Boolean)) return true;
    await listed.expected([workspaceId]);
    return listed.has(workspaceId) || (await reads.get(workspaceCall(workspaceId))) !== null;
  };
}
