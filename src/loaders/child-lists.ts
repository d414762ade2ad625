import type { ListPage } from '../upstream/postman/resources/child-resource.ts';
import type { ChildType } from '../upstream/postman/levels.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import type { Children } from './child-loader.ts';
import type { UpstreamReads } from './reads.ts';

/** A ref in place of a list item that could not be read. */
export interface UnreadItem extends Ref {
  /** Why it could not be read. */
  readonly failure: unknown;
}

/** A contiguous part of a list. */
export interface Chunk<Item> {
  readonly items: readonly Item[];
  /** Position of the first item in the whole list. */
  readonly offset: number;
  /** Length of the whole list. */
  readonly total: number;
  /** The refs that say which items the list has, if the items come from elsewhere. */
  readonly refs?: readonly Item[];
}

/** A request for part of a list: the children of one type in a workspace, or all of that type that the key sees. */
export interface ChildListRequest<Type extends ChildType = ChildType> {
  readonly type: Type;
  /** null: everything the key sees. */
  readonly workspaceId: string | null;
  /** `ref` if the identifier and name are enough, else `summary`. */
  readonly level: 'ref' | 'summary';
  /** The names of the items are selected, and no single read of them provides the names. */
  readonly needsNames: boolean;
  /** The order or the filter of the list needs dates, so that refs cannot replace items. */
  readonly needsDates: boolean;
  /** Single reads carry all fields selected on the items, so that cached ones can replace the list. */
  readonly isReadEnough: boolean;
  /** Each item will also be read singly. Of two reads that cost the same, prefer one that revalidates cached items. */
  readonly willReadEach: boolean;
  /** Confirm that the workspace exists if the list is empty (one more call): Postman lists nothing for unknown ids. */
  readonly mustConfirm: boolean;
  /** Position of the first requested item. */
  readonly from: number;
  /** Number of requested items. */
  readonly count: number;
}

/** Creates the reader of child lists of all types. */
export function createChildLists(reads: UpstreamReads, children: Readonly<Record<ChildType, Children>>) {
  // Targets requested before in this operation: reading them again costs nothing.
  const requestedTargets = new Set<string>();
  const sizeOf = (type: ChildType) => children[type].resource.paging?.size;
  const pageCallOf = ({ type, workspaceId, from }: ChildListRequest, skip = 0) =>
    children[type].resource.listCall(workspaceId, pageStart(from, sizeOf(type)) + skip);
  // Planning asks about the same request several times.
  const firstCalls = new WeakMap<ChildListRequest, ReturnType<typeof pageCallOf>>();
  const callOf = (request: ChildListRequest) => {
    const known = firstCalls.get(request);
    if (known) return known;
    const call = pageCallOf(request);
    firstCalls.set(request, call);
    return call;
  };

  return {
    /** Whether the first requested page needs no call. */
    needsNoCall(request: ChildListRequest): boolean {
      const call = callOf(request);
      return requestedTargets.has(call.target) || reads.isCached(call);
    },

    /** Whether reading the list counts against the burst limit. */
    isBurst: (request: ChildListRequest): boolean => callOf(request).route.routeClass === 'burst',

    /** Whether the first page of the list has all requested items. */
    isOnFirstPage: ({ type, from, count }: ChildListRequest): boolean =>
      from + count <= (sizeOf(type) ?? Number.POSITIVE_INFINITY),

    /** Reads the pages with the requested items. The chunk may have more items; fewer only at the end of the list. */
    async read(request: ChildListRequest): Promise<Chunk<Ref>> {
      const { type, from, count } = request;
      requestedTargets.add(callOf(request).target);
      const start = pageStart(from, sizeOf(type));
      const items: Ref[] = [];
      let length: number;
      do {
        const { items: more, total } = toPage(
          await reads.list(children[type].listed, pageCallOf(request, items.length)),
        );
        for (const item of more) items.push(item);
        // No total means no paging: the response is the whole list, whatever the offset.
        if (total === null) return { items, offset: 0, total: items.length };
        length = total;
        if (more.length === 0) break;
      } while (start + items.length < Math.min(from + count, length));
      return { items, offset: start, total: length };
    },
  };
}

/** Returns a page as it is, and a list that comes whole as a page without a total. */
export function toPage<Item>(response: readonly Item[] | ListPage<Item>): ListPage<Item> {
  return 'items' in response ? response : { items: response, total: null };
}

/** Returns the offset of the upstream page that contains a position. */
function pageStart(position: number, pageSize: number | undefined): number {
  return pageSize === undefined ? 0 : Math.floor(position / pageSize) * pageSize;
}
