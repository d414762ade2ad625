import type { ListPage } from '../upstream/postman/resources/child-resource.ts';
import type { ChildType } from '../upstream/postman/levels.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import type { Children } from './child-loader.ts';
import type { UpstreamReads } from './reads.ts';

/** A stretch of a list. */
export interface Chunk<Item> {
  readonly items: readonly Item[];
  /** Position of the first item in the whole list. */
  readonly offset: number;
  /** Length of the whole list. */
  readonly total: number;
}

/** The part that is wanted of a list: of what a workspace holds of one type, or of everything the key sees. */
export interface ChildListRequest<Type extends ChildType = ChildType> {
  readonly type: Type;
  /** null: everything the key sees. */
  readonly workspaceId: string | null;
  /** `ref` if the identifier and name are enough, else `summary`. */
  readonly level: 'ref' | 'summary';
  /** The names of the items are asked for, and nothing that is read singly has them. */
  readonly needsNames: boolean;
  /** Each item will be read singly, too: of two reads at the same price the one that can renew cached items is better. */
  readonly willReadEach: boolean;
  /** Upstream has an empty list for a workspace that does not exist: true has an empty list confirmed by one more call. */
  readonly mustConfirm: boolean;
  /** Position of the first item wanted. */
  readonly from: number;
  /** How many are wanted. */
  readonly count: number;
}

/** Makes what reads the lists of all types. */
export function createChildLists(reads: UpstreamReads, children: Readonly<Record<ChildType, Children>>) {
  // Asked for already, and so free to ask for again.
  const begun = new Set<string>();
  const sizeOf = (type: ChildType) => children[type].resource.paging?.size;
  const callOf = ({ type, workspaceId, from }: ChildListRequest, skip = 0) =>
    children[type].resource.listCall(workspaceId, pageStart(from, sizeOf(type)) + skip);

  return {
    /** Whether the first page that is wanted needs no call. */
    needsNoCall(request: ChildListRequest): boolean {
      const call = callOf(request);
      return begun.has(call.target) || reads.isCached(call);
    },

    /** Whether reading the list counts for the limit of the burst class. */
    isBurst: (request: ChildListRequest): boolean => callOf(request).route.routeClass === 'burst',

    isOnFirstPage: ({ type, from, count }: ChildListRequest): boolean =>
      from + count <= (sizeOf(type) ?? Number.POSITIVE_INFINITY),

    /** Reads the pages that hold what is wanted. The chunk has at least that, as far as the list goes. */
    async read(request: ChildListRequest): Promise<Chunk<Ref>> {
      const { type, from, count } = request;
      begun.add(callOf(request).target);
      const start = pageStart(from, sizeOf(type));
      let items: readonly Ref[] = [];
      let length: number;
      do {
        const { items: more, total } = toPage(await reads.list(children[type].listed, callOf(request, items.length)));
        items = items.length === 0 ? more : [...items, ...more];
        // Without a total upstream does not page: this was the whole list, whatever offset was asked for.
        if (total === null) return { items, offset: 0, total: items.length };
        length = total;
        if (more.length === 0) break;
      } while (start + items.length < Math.min(from + count, length));
      return { items, offset: start, total: length };
    },
  };
}

/** Reads a list that comes whole as its one page. */
export function toPage<Item>(response: readonly Item[] | ListPage<Item>): ListPage<Item> {
  return 'items' in response ? response : { items: response, total: null };
}

/** Where the page of upstream begins that holds this position. */
function pageStart(position: number, pageSize: number | undefined): number {
  return pageSize === undefined ? 0 : Math.floor(position / pageSize) * pageSize;
}
