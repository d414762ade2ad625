import type { PostmanCall } from '../postman-call.ts';
import type { Ref } from './ref.ts';

/** One page of a list. */
export interface ListPage<Item> {
  readonly items: readonly Item[];
  /** How many items the whole list has; null where Postman does not say, because this page is the whole list. */
  readonly total: number | null;
}

/** The fields that items have in every list of workspace content. */
export interface ChildSummary extends Ref {
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
}

/** How objects of one type of workspace content are read: by list, and singly. */
export interface ChildResource<Summary extends ChildSummary = ChildSummary, Detail extends Ref = Ref> {
  /**
   * Requests a list; where it has pages, the page from an offset on. An unknown workspace has an empty list.
   *
   * @param workspaceId - null: everything the API key can see.
   */
  listCall(workspaceId: string | null, offset: number): PostmanCall<readonly Summary[] | ListPage<Summary>>;
  /** Requests one object. */
  detailCall(uid: string): PostmanCall<Detail, null>;
  /** Requests one object without its contents; absent: Postman has no such read. */
  minimalCall?(uid: string): PostmanCall<Detail, null>;
  /** The list of everything has only objects of the key's user. */
  readonly omitsOtherUsers?: true;
  /** Absent: the list has no pages. */
  readonly paging?: {
    /** Items on one page. */
    readonly size: number;
    /** Requests all items with exactly this name. */
    byNameCall(name: string, workspaceId: string | null): PostmanCall<ListPage<Summary>>;
  };
}
