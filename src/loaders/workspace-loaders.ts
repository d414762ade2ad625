import { COLLECTION_PAGE_SIZE, type CollectionSummary, collectionsCall } from '../upstream/postman/collections.ts';
import { type EnvironmentSummary, environmentsCall } from '../upstream/postman/environments.ts';
import type { Ref } from '../upstream/postman/ref.ts';
import { type WorkspaceDetail, type WorkspaceSummary, workspaceCall } from '../upstream/postman/workspaces.ts';
import type { Level } from '../upstream/postman/levels.ts';
import { createPlanner, toGroups } from './planner.ts';
import type { Reads } from './reads.ts';

/** A stretch of a list. */
export interface Chunk<Item> {
  readonly items: readonly Item[];
  /** Position of the first item in the whole list. */
  readonly offset: number;
  /** Length of the whole list. */
  readonly total: number;
}

/** Collections or environments of a workspace, or of everything the key sees. */
export interface ListRequest {
  /** null: everything the key sees. */
  readonly workspaceId: string | null;
  /** `ref` if the identifier and name are enough, else `summary`. */
  readonly level: Level & ('ref' | 'summary');
  /** The names of the items are asked for, and nothing that is read singly has them. */
  readonly needsNames: boolean;
  /** Each item will be read singly, too: of two reads at the same price the one that can renew kept items is better. */
  readonly readsEach: boolean;
  /** Upstream has an empty list for a workspace that does not exist: true has an empty list confirmed by one more call. */
  readonly isUnconfirmed: boolean;
}

/** The part of a list of collections that is wanted. */
export interface CollectionListRequest extends ListRequest {
  /** Position of the first item wanted. */
  readonly from: number;
  /** How many are wanted. */
  readonly count: number;
}

/** What is read about workspaces, by the fewest calls. */
export interface WorkspaceLoaders {
  /** What a list says about a workspace; null: there is no such workspace. */
  workspaceSummaryById(id: string): Promise<WorkspaceSummary | null>;
  /** What only the single read says. */
  workspaceDetailById(id: string): Promise<WorkspaceDetail | null>;
  /** null: there is no such workspace. The chunk holds at least what was wanted, as far as the list goes. */
  collectionsByWorkspace(request: CollectionListRequest): Promise<Chunk<Ref | CollectionSummary> | null>;
  /** Always the whole list. null: there is no such workspace. */
  environmentsByWorkspace(request: ListRequest): Promise<readonly (Ref | EnvironmentSummary)[] | null>;
}

type Part =
  | { readonly kind: 'summary' | 'detail'; readonly workspaceId: string }
  | ({ readonly kind: 'collections' } & CollectionListRequest)
  | ({ readonly kind: 'environments' } & ListRequest);

type PartAnswer =
  | WorkspaceSummary
  | WorkspaceDetail
  | Chunk<Ref | CollectionSummary>
  | readonly (Ref | EnvironmentSummary)[]
  | null;

/**
 * Makes the workspace loaders of one operation.
 *
 * Everything that is asked of a workspace in one tick is planned together: a list that has to be read anyway replaces the refs
 * in the workspace's own answer, one read of the workspace replaces two lists of which only names are wanted, and what is kept replaces both. What a list
 * that is being read may say of a workspace is asked for singly only once it has not.
 */
export function createWorkspaceLoaders(reads: Reads): WorkspaceLoaders {
  // Asked for already, and so free to ask for again.
  const detailed = new Set<string>();
  const begunLists = new Set<string>();

  const readCollectionList = async (
    workspaceId: string | null,
    from: number,
    count: number,
  ): Promise<Chunk<CollectionSummary>> => {
    const start = pageStart(from);
    let items: readonly CollectionSummary[] = [];
    let total: number;
    do {
      const page = await reads.collectionPage({ workspaceId, offset: start + items.length });
      items = items.length === 0 ? page.items : [...items, ...page.items];
      // Without a total upstream does not page: this was the whole list, whatever offset was asked for.
      if (page.total === null) return { items, offset: 0, total: items.length };
      total = page.total;
      if (page.items.length === 0) break;
    } while (start + items.length < Math.min(from + count, total));
    return { items, offset: start, total };
  };

  /** Whether there is a workspace of which only empty lists are known. */
  const exists = async (workspaceId: string): Promise<boolean> => {
    await reads.listed.workspaces.expected([workspaceId]);
    return reads.listed.workspaces.has(workspaceId) || (await reads.workspace(workspaceId)) !== null;
  };

  const hasCollections = (workspaceId: string, offset: number) =>
    begunLists.has(collectionsKey(workspaceId, offset)) || reads.isCached(collectionsCall(workspaceId, offset));
  const hasEnvironments = (workspaceId: string) =>
    begunLists.has(environmentsKey(workspaceId)) || reads.isCached(environmentsCall(workspaceId));

  /** Whether the workspace's own answer is read: because it has to be, or because its refs are the cheapest way to the names that are wanted. */
  const prefersWorkspace = (workspaceId: string, parts: readonly Part[]): boolean => {
    const wants = toWants(parts);
    if (detailed.has(workspaceId) || wants('detail')) return true;
    if (wants('summary') && !reads.listed.workspaces.has(workspaceId)) return true;
    const namesCollections = wants('collections') && !wants('collections', 'summary');
    const namesEnvironments = wants('environments') && !wants('environments', 'summary');
    if (!namesCollections && !namesEnvironments) return false;
    const workspaceCalls = reads.isCached(workspaceCall(workspaceId)) ? 0 : 1;
    const collectionCalls =
      namesCollections &&
      !parts.every((part) => part.kind !== 'collections' || hasCollections(workspaceId, pageStart(part.from)))
        ? 1
        : 0;
    const environmentCalls = namesEnvironments && !hasEnvironments(workspaceId) ? 1 : 0;
    const listCalls = collectionCalls + environmentCalls;
    if (workspaceCalls !== listCalls) return workspaceCalls < listCalls;
    // At the same price: a list of environments is outside the burst class; a list of collections can renew kept ones, but it has pages.
    return (
      collectionCalls === 1 &&
      !parts.some((part) => part.kind === 'collections' && part.readsEach && isOnFirstPage(part))
    );
  };

  /** Whether all that the workspace's own answer would be read for may be in a list that is being read. */
  const mayBeListed = (workspaceId: string | null, parts: readonly Part[]): workspaceId is string =>
    workspaceId !== null &&
    reads.listed.workspaces.isExpecting() &&
    !reads.listed.workspaces.has(workspaceId) &&
    !reads.isCached(workspaceCall(workspaceId)) &&
    toWants(parts)('summary') &&
    !prefersWorkspace(
      workspaceId,
      parts.filter(({ kind }) => kind !== 'summary'),
    );

  /** @returns What answers each of the parts. */
  const planWorkspace = (workspaceId: string | null, parts: readonly Part[]): ((part: Part) => Promise<PartAnswer>) => {
    const wants = toWants(parts);
    const needsCollectionList = workspaceId === null || wants('collections', 'summary');
    const needsEnvironmentList = workspaceId === null || wants('environments', 'summary');
    const takesWorkspace = workspaceId !== null && prefersWorkspace(workspaceId, parts);
    if (takesWorkspace) detailed.add(workspaceId);
    const readsCollectionList = needsCollectionList || !takesWorkspace;
    const readsEnvironmentList = needsEnvironmentList || !takesWorkspace;

    /** What the workspace's own answer has, if it is read and has enough; undefined: a list has to be read. */
    const refsOf = async (kind: 'collections' | 'environments', readsList: boolean, needsNames: boolean) => {
      if (workspaceId === null) return undefined;
      if (!readsList) {
        const detail = await reads.workspace(workspaceId);
        return detail && toCarried(detail[kind], needsNames);
      }
      // What it has nothing of needs no list, so that comes after it. Should it fail, the list need not.
      const own = await reads.workspace(workspaceId).catch(() => undefined);
      return own === null ? null : own?.[kind]?.length === 0 ? own[kind] : undefined;
    };

    const listsAreEmpty: Promise<boolean>[] = [];
    const confirmed = async <List>(
      list: Promise<List>,
      isEmpty: (list: List) => boolean,
      isUnconfirmed: boolean,
    ): Promise<List | null> => {
      listsAreEmpty.push(list.then(isEmpty, () => true));
      if (workspaceId === null || !isUnconfirmed || !isEmpty(await list)) return list;
      // A list of what else is in it proves it as well.
      const areEmpty = await Promise.all(listsAreEmpty);
      return !areEmpty.every(Boolean) || (await exists(workspaceId)) ? list : null;
    };

    return async (part) => {
      switch (part.kind) {
        case 'summary':
          return reads.listed.workspaces.get(part.workspaceId) ?? reads.workspace(part.workspaceId);
        case 'detail':
          return reads.workspace(part.workspaceId);
        case 'collections': {
          const refs = takesWorkspace ? await refsOf('collections', readsCollectionList, part.needsNames) : undefined;
          if (refs !== undefined) return refs && toChunk(refs);
          begunLists.add(collectionsKey(workspaceId, pageStart(part.from)));
          const list = readCollectionList(workspaceId, part.from, part.count);
          return confirmed(list, ({ total }) => total === 0, part.isUnconfirmed);
        }
        case 'environments': {
          const refs = takesWorkspace ? await refsOf('environments', readsEnvironmentList, part.needsNames) : undefined;
          if (refs !== undefined) return refs;
          begunLists.add(environmentsKey(workspaceId));
          return confirmed(reads.environments(workspaceId), ({ length }) => length === 0, part.isUnconfirmed);
        }
      }
    };
  };

  const partOf = createPlanner(
    (parts: readonly Part[]) => {
      const answers = new Map<Part, Promise<PartAnswer>>();
      for (const [workspaceId, ofOne] of toGroups(parts, (part) => part.workspaceId)) {
        const planned = mayBeListed(workspaceId, ofOne)
          ? reads.listed.workspaces.expected([workspaceId]).then(() => planWorkspace(workspaceId, ofOne))
          : planWorkspace(workspaceId, ofOne);
        for (const part of ofOne) {
          const answer = planned instanceof Promise ? planned.then((answerOf) => answerOf(part)) : planned(part);
          answers.set(part, answer);
          // Also where it is begun later: look-ups are planned as soon as this is.
          if ('level' in part && part.level === 'summary') void reads.listed[part.kind].expect(answer);
        }
      }
      return parts.map((part) => answers.get(part) ?? Promise.resolve(null));
    },
    (part) => JSON.stringify(part),
  );

  return {
    workspaceSummaryById: (id) => partOf({ kind: 'summary', workspaceId: id }) as Promise<WorkspaceSummary | null>,
    workspaceDetailById: (id) => partOf({ kind: 'detail', workspaceId: id }) as Promise<WorkspaceDetail | null>,
    collectionsByWorkspace: (request) =>
      partOf({ kind: 'collections', ...request }) as Promise<Chunk<Ref | CollectionSummary> | null>,
    environmentsByWorkspace: (request) =>
      partOf({ kind: 'environments', ...request }) as Promise<readonly (Ref | EnvironmentSummary)[] | null>,
  };
}

/** Whether, of all these parts, there is one of that kind and level. */
function toWants(parts: readonly Part[]) {
  return (kind: Part['kind'], level?: Level): boolean =>
    parts.some((part) => part.kind === kind && (level === undefined || ('level' in part && part.level === level)));
}

const collectionsKey = (workspaceId: string | null, offset: number) => JSON.stringify([workspaceId, offset]);
const environmentsKey = (workspaceId: string | null) => JSON.stringify([workspaceId]);

/** Where the page of upstream begins that holds this position. */
function pageStart(position: number): number {
  return Math.floor(position / COLLECTION_PAGE_SIZE) * COLLECTION_PAGE_SIZE;
}

function isOnFirstPage({ from, count }: CollectionListRequest): boolean {
  return from + count <= COLLECTION_PAGE_SIZE;
}

/** The refs of a workspace's own answer; undefined where it does not carry what is wanted of each. */
function toCarried(refs: readonly Ref[] | null, needsNames: boolean): readonly Ref[] | undefined {
  if (!refs || (needsNames && refs.some(({ name }) => name === undefined))) return undefined;
  return refs;
}

function toChunk<Item>(items: readonly Item[]): Chunk<Item> {
  return { items, offset: 0, total: items.length };
}
