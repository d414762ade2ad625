import { toIdOfUid } from './uid.ts';
import type { ChildListName } from './levels.ts';

/**
 * What a dry run supposes of upstream where nothing is cached, as one call sees it: which things exist, and which of them lists have. Routes make their
 * simulated answers of this. A thing has the same identifier in every world of a dry run.
 *
 * Lists are narrowed by `workspaceId`; null: they are of everything the key sees.
 */
export interface SimulatedWorld {
  /** Whether a thing exists that is asked for by its identifier. */
  readonly exists: boolean;
  /** The name of a thing. No two have the same. */
  nameOf(identifier: string): string;
  /** From which thing a copy was made; null: it is no copy. */
  parentOf(uid: string): string | null;
  /** A thing in such a list that another one names; null: it names none. */
  linkOf(uid: string, list: ChildListName): string | null;
  /** Uids in a list that comes whole. */
  uidsIn(list: ChildListName, workspaceId: string | null): readonly string[];
  /** Uids on the page of a list that begins at an offset and has so many items at most, and how many the whole list has. */
  pageOf(list: ChildListName, workspaceId: string | null, offset: number, size: number): SimulatedPage;
  /** Uids of all things of exactly this name. */
  uidsNamed(list: ChildListName, name: string, workspaceId: string | null): readonly string[];
  /** Ids on a page of the list of workspaces of so many items at most, and the cursor of the next page. `cursor` null: the first page. */
  workspacePage(filter: SimulatedFilter, cursor: string | null, size: number): SimulatedWorkspacePage;
  /** Ids of the workspaces that hold a thing. */
  workspacesOf(uid: string): readonly string[];
}

/** One page of a list that is gone through by offsets. */
export interface SimulatedPage {
  readonly uids: readonly string[];
  readonly total: number;
}

/** What a list of workspaces is narrowed by. */
export interface SimulatedFilter {
  readonly visibility?: string;
  readonly createdBy?: string;
}

/** One page of the list of workspaces. */
export interface SimulatedWorkspacePage {
  readonly ids: readonly string[];
  /** null: this is the last page. */
  readonly nextCursor: string | null;
}

/**
 * A thing inside a simulated list. Of thousands of items nearly nothing is ever asked, so that all it says is worked out when it is read. Facts that lead
 * to no call are null.
 */
export class SimulatedItem {
  readonly uid: string;
  readonly #world: SimulatedWorld;

  constructor(uid: string, world: SimulatedWorld) {
    this.uid = uid;
    this.#world = world;
  }

  get id(): string {
    return toIdOfUid(this.uid);
  }

  get name(): string {
    return this.#world.nameOf(this.uid);
  }

  get createdAt(): null {
    return null;
  }

  get updatedAt(): null {
    return null;
  }

  get isPublic(): null {
    return null;
  }

  get fork(): { readonly label: null; readonly createdAt: null; readonly parentUid: string } | null {
    const parentUid = this.#world.parentOf(this.uid);
    return parentUid === null ? null : { label: null, createdAt: null, parentUid };
  }
}

/** Makes the items of a simulated list. */
export function toSimulatedItems(uids: readonly string[], world: SimulatedWorld): readonly SimulatedItem[] {
  return uids.map((uid) => new SimulatedItem(uid, world));
}
