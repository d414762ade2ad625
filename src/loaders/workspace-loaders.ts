import type {
  CollectionSummary,
  EnvironmentSummary,
  Ref,
  WorkspaceDetail,
  WorkspaceSummary,
} from '../upstream/models.ts';
import { COLLECTION_PAGE_SIZE } from '../upstream/postman-api.ts';
import type { Level } from './levels.ts';
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
 * in the workspace's own answer, and one read of the workspace replaces two lists of which only names are wanted.
 */
export function createWorkspaceLoaders(reads: Reads): WorkspaceLoaders {
  // Read already, and so free to read from again.
  const detailed = new Set<string>();

  const readCollectionList = async (
    workspaceId: string | null,
    from: number,
    count: number,
  ): Promise<Chunk<CollectionSummary>> => {
    const start = Math.floor(from / COLLECTION_PAGE_SIZE) * COLLECTION_PAGE_SIZE;
    const items: CollectionSummary[] = [];
    let total: number;
    do {
      const page = await reads.collectionPage({ workspaceId, offset: start + items.length });
      items.push(...page.items);
      // Without a total upstream does not page: this was the whole list, whatever offset was asked for.
      if (page.total === null) return { items, offset: 0, total: items.length };
      total = page.total;
      if (page.items.length === 0) break;
    } while (start + items.length < Math.min(from + count, total));
    return { items, offset: start, total };
  };

  const confirmed = async <List>(list: List, isEmpty: boolean, request: ListRequest): Promise<List | null> => {
    if (!isEmpty || !request.isUnconfirmed || request.workspaceId === null) return list;
    return (await reads.workspace(request.workspaceId)) === null ? null : list;
  };

  const planWorkspace = (workspaceId: string | null, parts: readonly Part[]): readonly Promise<PartAnswer>[] => {
    const wants = (kind: Part['kind'], level?: Level) =>
      parts.some((part) => part.kind === kind && (level === undefined || ('level' in part && part.level === level)));
    const readsCollectionList = workspaceId === null || wants('collections', 'summary');
    const readsEnvironmentList = workspaceId === null || wants('environments', 'summary');
    const readsDetail =
      workspaceId !== null &&
      (detailed.has(workspaceId) ||
        wants('detail') ||
        (wants('summary') && !reads.seen.workspaces.has(workspaceId)) ||
        (wants('collections') && !readsCollectionList));
    if (readsDetail) detailed.add(workspaceId);
    // Names of environments alone: the list costs as much as the workspace and is not subject to the burst limit.
    const takesEnvironmentRefs = readsDetail && !readsEnvironmentList;

    return parts.map((part): Promise<PartAnswer> => {
      switch (part.kind) {
        case 'summary': {
          const summary = reads.seen.workspaces.get(part.workspaceId);
          return summary ? Promise.resolve(summary) : reads.workspace(part.workspaceId);
        }
        case 'detail':
          return reads.workspace(part.workspaceId);
        case 'collections':
          return part.workspaceId !== null && !readsCollectionList
            ? reads.workspace(part.workspaceId).then((detail) => detail && toChunk(detail.collections))
            : readCollectionList(part.workspaceId, part.from, part.count).then((chunk) =>
                confirmed(chunk, chunk.total === 0, part),
              );
        case 'environments':
          return part.workspaceId !== null && takesEnvironmentRefs
            ? reads.workspace(part.workspaceId).then((detail) => detail && detail.environments)
            : reads.environments(part.workspaceId).then((list) => confirmed(list, list.length === 0, part));
      }
    });
  };

  const partOf = createPlanner(
    (parts: readonly Part[]) => {
      const answers = new Map<Part, Promise<PartAnswer>>();
      for (const [workspaceId, ofOne] of toGroups(parts, (part) => part.workspaceId)) {
        const planned = planWorkspace(workspaceId, ofOne);
        ofOne.forEach((part, index) => answers.set(part, planned[index] ?? Promise.resolve(null)));
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

function toChunk<Item>(items: readonly Item[]): Chunk<Item> {
  return { items, offset: 0, total: items.length };
}
