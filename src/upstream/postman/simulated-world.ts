import { toOwnerOfUid } from './uid.ts';
import type { ChildListName } from './levels.ts';

/**
 * What a dry run assumes about Postman where nothing is cached: which objects exist, and which lists contain them.
 * Calls build their simulated values from it. An object has the same identifier in every world of a dry run.
 *
 * `workspaceId` limits a list to one workspace; null: the list of everything the API key can see.
 */
export interface SimulatedWorld {
  /** Whether the object exists that the call requests by its identifier. */
  readonly exists: boolean;
  /** Whether simulated objects are on the requested pages of lists that this server orders or filters. */
  readonly isOnPage: boolean;
  /** The name of an object. No two objects have the same name. */
  nameOf(identifier: string): string;
  /** The uid of the object that a fork was made from; null: it is no fork. */
  parentOf(uid: string): string | null;
  /** The uid of the object in `list` that the object `uid` refers to; null: it refers to none. */
  linkOf(uid: string, list: ChildListName): string | null;
  /** The uids in a list that has no pages. */
  uidsIn(list: ChildListName, workspaceId: string | null): readonly string[];
  /** The uids on one page of a list: up to `size` items from `offset` on. */
  pageOf(list: ChildListName, workspaceId: string | null, offset: number, size: number): SimulatedPage;
  /** The uids of all objects with exactly this name. */
  uidsNamed(list: ChildListName, name: string, workspaceId: string | null): readonly string[];
  /** One page, of up to `size` items, of the list of workspaces. `cursor` null: the first page. */
  workspacePage(filter: SimulatedFilter, cursor: string | null, size: number): SimulatedWorkspacePage;
  /** Id of the owner of the API key. */
  readonly keyOwnerId: string;
  /** Ids of the members of the team. */
  readonly memberIds: readonly string[];
  /** The ids of the workspaces that contain an object. */
  workspacesOf(uid: string): readonly string[];
}

/**
 * Id of a simulated user who is whichever user a request names: anybody can be the key's owner, or of the team. No
 * request can name this id itself.
 */
export const ANY_USER = '*';

/** Id of the simulated owner of an API key whom no request names. */
export const NOBODY_ELSE = '!';

/** Id of the user who owns, made and changed all simulated objects. Simulated uids begin with it. */
export const SIMULATED_OWNER = '0';

/** One page of a list that is paged by offset. */
export interface SimulatedPage {
  readonly uids: readonly string[];
  /** How many items the whole list has. */
  readonly total: number;
}

/** The filters of a list of workspaces. */
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
 * An item of a simulated list. A list can have thousands of items of which few fields are ever read, so every field is
 * computed when it is read. Fields that lead to no further call are null.
 */
export class SimulatedItem {
  readonly uid: string;
  readonly #world: SimulatedWorld;

  /** @param identifier - A uid; or a bare id, which gets an owner, as it does in Postman's response. */
  constructor(identifier: string, world: SimulatedWorld) {
    this.uid = toOwnerOfUid(identifier) === null ? `${SIMULATED_OWNER}-${identifier}` : identifier;
    this.#world = world;
  }

  get name(): string {
    return this.#world.nameOf(this.uid);
  }

  get isOnPage(): boolean {
    return this.#world.isOnPage;
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

/** Creates the items of a simulated list. */
export function toSimulatedItems(uids: readonly string[], world: SimulatedWorld): readonly SimulatedItem[] {
  return uids.map((uid) => new SimulatedItem(uid, world));
}
