import { LRUCache } from 'lru-cache';
import { childLists, type ChildListName } from './levels.ts';

/** Which workspaces a list of all of them has: enough to narrow it as upstream would. */
export interface ListedWorkspace {
  readonly id: string;
  readonly visibility: string | null;
  readonly createdBy: string | null;
}

/** How long lists are, as one answer shows it. */
export interface ObservedSizes extends ListLengths {
  /** The first page of the list of all workspaces. */
  readonly workspaces?: readonly ListedWorkspace[];
  /** That list goes on after it. */
  readonly hasMoreWorkspaces?: boolean;
  /** What the lengths below are of; null: of everything the key sees. */
  readonly workspaceId?: string | null;
  /** How many of so many collections are forks. */
  readonly forks?: { readonly count: number; readonly total: number };
}

/** How long the lists of one workspace were when they were last read; undefined: they were not. */
export type ListLengths = { readonly [Name in ChildListName]?: number | undefined };

/** How long the lists of an account were when they were last read. */
export interface AccountSizes {
  /** The first page of the list of all workspaces, in its order; undefined: it was not read. */
  readonly workspaces: readonly ListedWorkspace[] | undefined;
  readonly hasMoreWorkspaces: boolean;
  /** Of everything the key sees. */
  readonly overall: ListLengths;
  /** By id of the workspace. */
  readonly byWorkspaceId: ReadonlyMap<string, ListLengths>;
  /** The share of collections that are forks; undefined: no list of collections was read. */
  readonly forkFraction: number | undefined;
}

/** Learned sizes of accounts, apart for each tenant. They are counts, and true for longer than the answers they were read off. */
export interface LearnedSizes {
  of(keyHash: string): AccountSizes | undefined;
  /**
   * Learns from an answer, unless the tenant was dropped after its call.
   *
   * @param sentAtMs - When the call was sent (monotonic ms).
   */
  learn(keyHash: string, observed: ObservedSizes, sentAtMs: number): void;
  /** Forgets one tenant: its key is no longer good. */
  dropKey(keyHash: string, atMs: number): void;
}

interface Learned {
  workspaces: readonly ListedWorkspace[] | undefined;
  hasMoreWorkspaces: boolean;
  overall: ListLengths;
  readonly byWorkspaceId: Map<string, ListLengths>;
  forks: number;
  sampledCollections: number;
  readonly droppedAtMs: number;
}

// Those whose lists were read most recently.
const MAX_WORKSPACES = 200;
// An entry is a workspace of a tenant, of about 150 bytes: 3 MB in all.
const MAX_ENTRIES = 20_000;
const MAX_IDENTIFIER_LENGTH = 64;
// So many collections tell what share of them are forks. What was read before counts for less and less.
const FORK_SAMPLE = 1_000;

/** Makes the learned sizes of the process: none yet. Those of the tenants that were used least recently are forgotten first. */
export function createLearnedSizes(): LearnedSizes {
  const learnedByKey = new LRUCache<string, Learned>({
    maxSize: MAX_ENTRIES,
    sizeCalculation: ({ workspaces, byWorkspaceId }) => 1 + (workspaces?.length ?? 0) + byWorkspaceId.size,
  });

  return {
    of(keyHash) {
      const learned = learnedByKey.get(keyHash);
      if (!learned) return undefined;
      const { forks, sampledCollections } = learned;
      return { ...learned, forkFraction: sampledCollections === 0 ? undefined : forks / sampledCollections };
    },

    learn(keyHash, observed, sentAtMs) {
      const learned = learnedByKey.get(keyHash) ?? createLearned();
      if (sentAtMs < learned.droppedAtMs) return;
      applySizes(learned, observed);
      // Its size has changed.
      learnedByKey.delete(keyHash);
      learnedByKey.set(keyHash, learned);
    },

    dropKey(keyHash, atMs) {
      if (learnedByKey.has(keyHash)) learnedByKey.set(keyHash, createLearned(atMs));
    },
  };
}

function createLearned(droppedAtMs = Number.NEGATIVE_INFINITY): Learned {
  return {
    workspaces: undefined,
    hasMoreWorkspaces: false,
    overall: {},
    byWorkspaceId: new Map(),
    forks: 0,
    sampledCollections: 0,
    droppedAtMs,
  };
}

function applySizes(learned: Learned, observed: ObservedSizes): void {
  const { workspaces, hasMoreWorkspaces = false, workspaceId, forks } = observed;
  if (workspaces) {
    learned.workspaces = workspaces.filter(
      ({ id, createdBy }) => isShort(id) && (createdBy === null || isShort(createdBy)),
    );
    learned.hasMoreWorkspaces = hasMoreWorkspaces;
  }
  if (forks) {
    const decay = Math.min(1, FORK_SAMPLE / Math.max(1, learned.sampledCollections));
    learned.forks = learned.forks * decay + forks.count;
    learned.sampledCollections = learned.sampledCollections * decay + forks.total;
  }
  const lengths: ListLengths = Object.fromEntries(
    childLists.filter((list) => observed[list] !== undefined).map((list) => [list, observed[list]]),
  );
  if (workspaceId === null) learned.overall = { ...learned.overall, ...lengths };
  else if (workspaceId !== undefined && isShort(workspaceId)) {
    const { byWorkspaceId } = learned;
    const before = byWorkspaceId.get(workspaceId);
    byWorkspaceId.delete(workspaceId);
    byWorkspaceId.set(workspaceId, { ...before, ...lengths });
    const [oldest] = byWorkspaceId.keys();
    if (byWorkspaceId.size > MAX_WORKSPACES && oldest !== undefined) byWorkspaceId.delete(oldest);
  }
}

const isShort = (identifier: string) => identifier.length <= MAX_IDENTIFIER_LENGTH;
