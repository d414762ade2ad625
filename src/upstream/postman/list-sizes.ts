import { LRUCache } from 'lru-cache';
import { childLists, type ChildListName } from './levels.ts';

/** Which workspaces a list of all of them has: enough to narrow it as upstream would. */
export interface ListedWorkspace {
  readonly id: string;
  readonly visibility: string | null;
  readonly createdBy: string | null;
}

/** How long lists are, as one answer shows it. */
export interface ShownSizes extends ListLengths {
  /** The first page of the list of all workspaces. */
  readonly workspaces?: readonly ListedWorkspace[];
  /** That list goes on after it. */
  readonly hasMoreWorkspaces?: boolean;
  /** What the lengths below are of; null: of everything the key sees. */
  readonly workspaceId?: string | null;
  /** How many of so many collections are forks. */
  readonly forks?: { readonly count: number; readonly among: number };
}

/** How long the lists of one workspace were when they were last read; undefined: they were not. */
export type ListLengths = { readonly [Name in ChildListName]?: number | undefined };

/** How long the lists of an account were when they were last read. */
export interface AccountSizes {
  /** The first page of the list of all workspaces, in its order; undefined: it was not read. */
  readonly workspaces: readonly ListedWorkspace[] | undefined;
  readonly hasMoreWorkspaces: boolean;
  /** Of everything the key sees. */
  readonly ofAll: ListLengths;
  /** By id of the workspace. */
  readonly ofWorkspaces: ReadonlyMap<string, ListLengths>;
  /** The share of collections that are forks; undefined: no list of collections was read. */
  readonly forkShare: number | undefined;
}

/** Learned sizes of accounts, apart for each tenant. They are counts, and true for longer than the answers they were read off. */
export interface LearnedSizes {
  of(tenant: string): AccountSizes | undefined;
  /**
   * Learns from an answer, unless the tenant was dropped after its call.
   *
   * @param sentAtMs - When the call was sent (monotonic ms).
   */
  learn(tenant: string, shown: ShownSizes, sentAtMs: number): void;
  /** Forgets one tenant: its key is no longer good. */
  dropTenant(tenant: string, atMs: number): void;
}

interface Learned {
  workspaces: readonly ListedWorkspace[] | undefined;
  hasMoreWorkspaces: boolean;
  ofAll: ListLengths;
  readonly ofWorkspaces: Map<string, ListLengths>;
  forks: number;
  amongCollections: number;
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
  const tenants = new LRUCache<string, Learned>({
    maxSize: MAX_ENTRIES,
    sizeCalculation: ({ workspaces, ofWorkspaces }) => 1 + (workspaces?.length ?? 0) + ofWorkspaces.size,
  });

  return {
    of(tenant) {
      const learned = tenants.get(tenant);
      if (!learned) return undefined;
      const { forks, amongCollections } = learned;
      return { ...learned, forkShare: amongCollections === 0 ? undefined : forks / amongCollections };
    },

    learn(tenant, shown, sentAtMs) {
      const learned = tenants.get(tenant) ?? createLearned();
      if (sentAtMs < learned.droppedAtMs) return;
      take(learned, shown);
      // Its size has changed.
      tenants.delete(tenant);
      tenants.set(tenant, learned);
    },

    dropTenant(tenant, atMs) {
      if (tenants.has(tenant)) tenants.set(tenant, createLearned(atMs));
    },
  };
}

function createLearned(droppedAtMs = Number.NEGATIVE_INFINITY): Learned {
  return {
    workspaces: undefined,
    hasMoreWorkspaces: false,
    ofAll: {},
    ofWorkspaces: new Map(),
    forks: 0,
    amongCollections: 0,
    droppedAtMs,
  };
}

function take(learned: Learned, shown: ShownSizes): void {
  const { workspaces, hasMoreWorkspaces = false, workspaceId, forks } = shown;
  if (workspaces) {
    learned.workspaces = workspaces.filter(
      ({ id, createdBy }) => isShort(id) && (createdBy === null || isShort(createdBy)),
    );
    learned.hasMoreWorkspaces = hasMoreWorkspaces;
  }
  if (forks) {
    const kept = Math.min(1, FORK_SAMPLE / Math.max(1, learned.amongCollections));
    learned.forks = learned.forks * kept + forks.count;
    learned.amongCollections = learned.amongCollections * kept + forks.among;
  }
  const lengths: ListLengths = Object.fromEntries(
    childLists.filter((list) => shown[list] !== undefined).map((list) => [list, shown[list]]),
  );
  if (workspaceId === null) learned.ofAll = { ...learned.ofAll, ...lengths };
  else if (workspaceId !== undefined && isShort(workspaceId)) {
    const { ofWorkspaces } = learned;
    const before = ofWorkspaces.get(workspaceId);
    ofWorkspaces.delete(workspaceId);
    ofWorkspaces.set(workspaceId, { ...before, ...lengths });
    const [oldest] = ofWorkspaces.keys();
    if (ofWorkspaces.size > MAX_WORKSPACES && oldest !== undefined) ofWorkspaces.delete(oldest);
  }
}

const isShort = (identifier: string) => identifier.length <= MAX_IDENTIFIER_LENGTH;
