import type { PostmanCall } from '../postman-call.ts';
import type { Ref } from './ref.ts';

/** One page of a list. */
export interface ListPage<Item> {
  readonly items: readonly Item[];
  /** How many the whole list has; null where upstream did not say, because it sent the whole list. */
  readonly total: number | null;
}

/** What an item of any such list says. */
export interface ChildSummary extends Ref {
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
}

/** How things of one type are read that workspaces hold: by lists, and singly. */
export interface ChildResource<Summary extends ChildSummary = ChildSummary, Detail extends Ref = Ref> {
  /**
   * Asks for a list, or from an offset on for one page of it. An unknown workspace has an empty list.
   *
   * @param workspaceId - null: of everything the key sees.
   */
  listCall(workspaceId: string | null, offset: number): PostmanCall<readonly Summary[] | ListPage<Summary>>;
  /** Asks for one thing. */
  detailCall(uid: string): PostmanCall<Detail, null>;
  /** Asks for one thing without its contents; absent: upstream has no such read. */
  minimalCall?(uid: string): PostmanCall<Detail, null>;
  /** Absent: the list comes whole. */
  readonly paging?: {
    /** Items on one page. */
    readonly size: number;
    /** Asks for all items of exactly this name. */
    byNameCall(name: string, workspaceId: string | null): PostmanCall<ListPage<Summary>>;
  };
}
