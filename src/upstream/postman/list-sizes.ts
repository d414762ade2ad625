import { LRUCache } from 'lru-cache';
import { childLists, type ChildListName } from './levels.ts';

/** One workspace of the list of all workspaces: the fields needed to filter that list as Postman would. */
export interface ListedWorkspace {
  readonly id: string;
  readonly visibility: string | null;
  readonly createdBy: string | null;
}

/** The lengths of lists that one response shows. */
export interface ObservedSizes extends ListLengths {
  /** The first page of the list of all workspaces. */
  readonly workspaces?: readonly ListedWorkspace[];
  /** Whether that list has further pages. */
  readonly hasMoreWorkspaces?: boolean;
  /** The workspace whose list lengths these are; null: they count everything the API key can see. */
  readonly workspaceId?: string | null;
  /** `count` of `total` collections are forks. */
  readonly forks?: { readonly count: number; readonly total: number };
}

/** The lengths of a workspace's lists when they were last read; undefined: not read. */
export type ListLengths = { readonly [Name in ChildListName]?: number | undefined };

/** The lengths of an account's lists when they were last read. */
export interface AccountSizes {
  /** The first page of the list of all workspaces, in Postman's order; undefined: not read. */
  readonly workspaces: readonly ListedWorkspace[] | undefined;
  readonly hasMoreWorkspaces: boolean;
  /** Lists of everything the API key can see. */
  readonly overall: ListLengths;
  /** By workspace id. */
  readonly byWorkspaceId: ReadonlyMap<string, ListLengths>;
  /** The fraction of collections that are forks, 0 to 1; undefined: no list of collections was read. */
  readonly forkFraction: number | undefined;
}

/**
 * The list lengths of accounts, learned from responses and separate for each API key. They are only counts, so they
 * stay useful for longer than the responses they come from.
 */
export interface LearnedSizes {
  of(keyHash: string): AccountSizes | undefined;
  /**
   * Learns from a response, unless the API key was dropped after the call was sent.
   *
   * @param sentAtMs - When the call was sent (monotonic ms).
   */
  learn(keyHash: string, observed: ObservedSizes, sentAtMs: number): void;
  /** Forgets everything about an API key that is no longer valid. */
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

// For each API key, the workspaces whose lists were read most recently.
const MAX_WORKSPACES = 200;
// An entry is one workspace of one API key and takes about 150 bytes: 3 MB in all.
const MAX_ENTRIES = 20_000;
const MAX_IDENTIFIER_LENGTH = 64;
// The fraction of forks is an average over about this many collections; older ones count for less and less.
const FORK_SAMPLE = 1_000;

/** Creates the empty store of learned sizes. When it is full, it forgets the least recently used API keys. */
export function createLearnedSizes(): LearnedSizes {
  const learnedByKey = new LRUCache<string, Learned>({
    maxSize: MAX_ENTRIES,
    sizeCalculation: countEntries,
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
      const before = countEntries(learned);
      applySizes(learned, observed);
      if (learnedByKey.has(keyHash) && countEntries(learned) === before) return;
      // The LRU cache does not resize an entry that is set again with the same object.
      learnedByKey.delete(keyHash);
      learnedByKey.set(keyHash, learned);
    },

    dropKey(keyHash, atMs) {
      if (learnedByKey.has(keyHash)) learnedByKey.set(keyHash, createLearned(atMs));
    },
  };
}

const countEntries = ({ workspaces, byWorkspaceId }: Learned) => 1 + (workspaces?.length ?? 0) + byWorkspaceId.size;

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
  const lengths: { [Name in ChildListName]?: number } = {};
  for (const list of childLists) if (observed[list] !== undefined) lengths[list] = observed[list];
  if (workspaceId === null) learned.overall = { ...learned.overall, ...lengths };
  else if (workspaceId !== undefined && isShort(workspaceId)) {
    const { byWorkspaceId } = learned;
    const before = byWorkspaceId.get(workspaceId);
    byWorkspaceId.delete(workspaceId);
    byWorkspaceId.set(workspaceId, Object.assign({}, before, lengths));
    const [oldest] = byWorkspaceId.keys();
    if (byWorkspaceId.size > MAX_WORKSPACES && oldest !== undefined) byWorkspaceId.delete(oldest);
  }
}

const isShort = (identifier: string) => identifier.length <= MAX_IDENTIFIER_LENGTH;
