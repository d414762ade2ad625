import { type ChildType, leveledTypes } from '../upstream/postman/levels.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import type { SummaryOf } from '../upstream/postman/routes.ts';
import {
  type WorkspaceDetail,
  type WorkspaceSummary,
  workspaceCall,
} from '../upstream/postman/resources/workspaces.ts';
import { type ChildListRequest, type Chunk, createChildLists, type UnreadItem } from './child-lists.ts';
import type { Children } from './child-loader.ts';
import type { KnownObjects } from './known-objects.ts';
import type { Listed } from './listed.ts';
import { createPlanner, toGroups } from './planner.ts';
import type { UpstreamReads } from './reads.ts';
import {
  type ChildPart,
  createPreference,
  isChildPart,
  type Part,
  readAhead,
  toWorthReading,
  type WorkspaceLevel,
} from './workspace-parts.ts';
import { createWorkspaceRows } from './workspace-rows.ts';

/** Loaders for workspaces and the lists in them. */
export interface WorkspaceLoaders {
  /** Returns a workspace as lists have it (`summary`) or as the single read has it (`detail`); null if none exists. */
  workspaceById<L extends WorkspaceLevel>(request: WorkspaceRequest<L>): Promise<AtLevel<L> | null>;
  /** Returns a chunk with the requested items, as far as the list has them; null if the workspace does not exist. */
  childrenOf<Type extends ChildType>(request: ChildListRequest<Type>): Promise<Chunk<Ref | SummaryOf<Type>> | null>;
}

/** A request for one workspace at a level. */
export interface WorkspaceRequest<L extends WorkspaceLevel> {
  readonly id: string;
  readonly level: L;
}

type AtLevel<L extends WorkspaceLevel> = L extends 'detail' ? WorkspaceDetail : WorkspaceSummary;

/** Input of {@link createWorkspaceLoaders}. */
export interface WorkspaceLoadersOptions {
  readonly reads: UpstreamReads;
  /** Workspaces that lists have shown. */
  readonly listed: Listed<WorkspaceSummary>;
  readonly children: Readonly<Record<ChildType, Children>>;
  /** Objects in cached lists. */
  readonly known: KnownObjects;
}

type PartResult = WorkspaceSummary | WorkspaceDetail | Chunk<Ref> | null;

/** What the workspace shows of a list: the requested items, or only refs. */
interface FromWorkspace {
  /** null: there is no such workspace. Absent: the list has to be read. */
  readonly chunk?: Chunk<Ref> | null;
  readonly refs?: readonly Ref[];
}

/**
 * Creates the workspace loaders of one operation. All requests of one tick for a workspace are planned together. "The
 * workspace" below means the response of `GET /workspaces/{id}`:
 *
 * | request | served by |
 * | --- | --- |
 * | detail | the workspace |
 * | summary | a list that has shown it, or is being read and shows it; else the workspace |
 * | children, with more than names | if the workspace is read or cached: its refs, with list items that are known or that |
 * | | the list of everything has (`workspace-rows.ts`); else their list |
 * | children by name | the workspace, if it is read anyway or takes fewer calls than their lists; else their lists |
 *
 * A workspace is also read if the workspaces requested in one tick, and the lists of everything, take fewer calls than
 * the lists of these workspaces.
 *
 * If the lists in a workspace cannot be read, its refs are served, and items that are known from elsewhere.
 *
 * If one list costs as much as the workspace, the list is read if it is not of the burst class, or if each requested
 * item is read singly and all are on its first page, which can revalidate them.
 */
export function createWorkspaceLoaders({ reads, listed, children, known }: WorkspaceLoadersOptions): WorkspaceLoaders {
  const lists = createChildLists(reads, children);
  const rows = createWorkspaceRows(reads, children);
  // Workspaces requested before in this operation: reading them again costs nothing.
  const requestedWorkspaces = new Set<string>();

  const prefersWorkspace = createPreference({ reads, lists, listed }, requestedWorkspaces);

  /** Whether a list that shows the workspace makes it unnecessary to read it. */
  const isListEnough = (workspaceId: string | null, parts: readonly Part[]): workspaceId is string =>
    workspaceId !== null &&
    !listed.has(workspaceId) &&
    parts.some(({ kind }) => kind === 'summary') &&
    !reads.isCached(workspaceCall(workspaceId)) &&
    !prefersWorkspace(
      workspaceId,
      parts.filter(({ kind }) => kind !== 'summary'),
    );
  const readCachedList = (workspaceId: string) => {
    const page = known.listWith<WorkspaceSummary>('workspaces', workspaceId);
    if (page) reads.list(listed, page).catch(() => undefined);
  };

  /** @returns The function that serves each of the parts. */
  const planWorkspace = (
    workspaceId: string | null,
    parts: readonly Part[],
    isWorthReading: boolean,
  ): ((part: Part) => Promise<PartResult>) => {
    const readsWorkspace = workspaceId !== null && (isWorthReading || prefersWorkspace(workspaceId, parts));
    if (readsWorkspace) requestedWorkspaces.add(workspaceId);
    const hasRefs = readsWorkspace || (workspaceId !== null && reads.isCached(workspaceCall(workspaceId)));
    const isConfirmed = createConfirmation(reads, listed, known, workspaceId);
    const fromWorkspace = async (part: ChildPart): Promise<FromWorkspace> => {
      const isEnough = (hasRefs && !lists.needsNoCall(part)) || (readsWorkspace && part.level === 'ref');
      if (workspaceId === null || !isEnough) return {};
      const pending = refsOf(reads, workspaceId, part);
      // If the workspace cannot be read, the list can serve the part.
      const refs = needsRows(parts, part.type) ? pending.catch(() => undefined) : pending;
      const items = part.level === 'summary' ? await rows.of(part, refs) : await refs;
      const known = await refs;
      if (!known) return known === null ? { chunk: null } : {};
      return items ? { chunk: { items, refs: known, offset: 0, total: items.length } } : { refs: known };
    };
    return async (part) => {
      if (part.kind !== 'children') {
        const summary = part.kind === 'summary' ? listed.get(part.workspaceId) : undefined;
        return summary ?? reads.get(workspaceCall(part.workspaceId));
      }
      const { chunk, refs } = await fromWorkspace(part);
      if (chunk !== undefined) return chunk;
      const list = lists.read(part);
      const served = isConfirmed(list, part.mustConfirm).then((exists) => (exists ? list : null));
      if (!refs || part.needsDates) return served;
      return served.catch((error: unknown) => toUnreadChunk(refs, children[part.type].listed, error));
    };
  };

  const partOf = createPlanner((parts: readonly Part[]) => {
    const results = new Map<Part, Promise<PartResult>>();
    const groups = toGroups(parts, (part) => part.workspaceId);
    const isNew = (id: string) => !requestedWorkspaces.has(id) && !reads.isCached(workspaceCall(id));
    const sources = { reads, lists, rows };
    const worth = toWorthReading(groups, prefersWorkspace, sources);
    readAhead(groups, (id, ofId) => isNew(id) && (worth.has(id) || prefersWorkspace(id, ofId)), sources);
    for (const [workspaceId, ofWorkspace] of groups) {
      const plan = () => planWorkspace(workspaceId, ofWorkspace, workspaceId !== null && worth.has(workspaceId));
      const planListed = (id: string) => {
        readCachedList(id);
        return listed.isExpecting() ? listed.expected([id]).then(plan) : plan();
      };
      const planned = isListEnough(workspaceId, ofWorkspace)
        ? (known.load()?.then(() => planListed(workspaceId)) ?? planListed(workspaceId))
        : plan();
      for (const part of ofWorkspace) {
        const result = planned instanceof Promise ? planned.then((serve) => serve(part)) : planned(part);
        results.set(part, result);
        // Announce the list even if it starts later: lookups are planned as soon as this returns.
        if (isChildPart(part) && part.level === 'summary') void children[part.type].listed.expect(result);
      }
    }
    return parts.map((part) => results.get(part) ?? Promise.resolve(null));
  }, toKey);

  return {
    workspaceById: <L extends WorkspaceLevel>({ id, level }: WorkspaceRequest<L>) =>
      partOf({ kind: level, workspaceId: id }) as Promise<AtLevel<L> | null>,
    childrenOf: <Type extends ChildType>(request: ChildListRequest<Type>) =>
      partOf({ kind: 'children', ...request }) as Promise<Chunk<Ref | SummaryOf<Type>> | null>,
  };
}

/** Returns equal text for equal parts, whatever the order of their members. */
function toKey(part: Part): string {
  if (!isChildPart(part)) return `${part.kind} ${part.workspaceId}`;
  const { type, workspaceId, level, from, count, ...rest } = part;
  const { needsNames, needsDates, isReadEnough, willReadEach, mustConfirm } = rest;
  const flags = [needsNames, needsDates, isReadEnough, willReadEach, mustConfirm];
  // As JSON, a workspace with the id "null" differs from no workspace.
  return JSON.stringify([type, workspaceId, level, from, count, flags]);
}

const needsRows = (parts: readonly Part[], type: ChildType) =>
  parts.some((part) => isChildPart(part) && part.type === type && part.level === 'summary');

/** Makes the chunk of a list that could not be read. It has the items that are known from elsewhere, and refs. */
function toUnreadChunk(refs: readonly Ref[], listed: Listed<Ref>, failure: unknown): Chunk<Ref> {
  const items = refs.map((ref) => listed.get(ref.uid) ?? ({ ...ref, failure } satisfies UnreadItem));
  return { items, refs, offset: 0, total: items.length };
}

/**
 * Reads the refs of one type from the workspace.
 *
 * @returns undefined if it does not carry what is needed of them; null if there is no such workspace.
 */
async function refsOf(
  reads: UpstreamReads,
  workspaceId: string,
  { type, needsNames }: ChildListRequest,
): Promise<readonly Ref[] | null | undefined> {
  const workspace = await reads.get(workspaceCall(workspaceId));
  if (!workspace) return null;
  const refs = workspace[leveledTypes[type].list];
  return !refs || (needsNames && refs.some(({ name }) => name === undefined)) ? undefined : refs;
}

/** Creates the check whether the workspace of a list exists. Postman returns empty lists for unknown workspaces. */
function createConfirmation(
  reads: UpstreamReads,
  listed: Listed<WorkspaceSummary>,
  known: KnownObjects,
  workspaceId: string | null,
) {
  const listsAreEmpty: Promise<boolean>[] = [];
  const isEmpty = (list: Promise<Chunk<Ref>>) => list.then(({ total }) => total === 0);
  return async (list: Promise<Chunk<Ref>>, mustConfirm: boolean): Promise<boolean> => {
    listsAreEmpty.push(isEmpty(list).catch(() => true));
    if (workspaceId === null || !mustConfirm || !(await isEmpty(list))) return true;
    // Any other list of the workspace that has items proves that it exists.
    const areEmpty = await Promise.all(listsAreEmpty);
    if (!areEmpty.every(Boolean)) return true;
    await listed.expected([workspaceId]);
    const loading = listed.has(workspaceId) ? undefined : known.load();
    if (loading) await loading;
    const isListed = listed.has(workspaceId) || known.listWith('workspaces', workspaceId) !== undefined;
    return isListed || (await reads.get(workspaceCall(workspaceId))) !== null;
  };
}
