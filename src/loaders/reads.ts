import { listedBy, type PostmanCall } from '../upstream/postman/postman-call.ts';
import type { PostmanSession } from '../upstream/calls/postman-session.ts';
import type { Listed } from './listed.ts';
import { createPlanner } from './planner.ts';
import { createWorkspaceContents, type WorkspaceContents } from './workspace-contents.ts';

/** The GETs of one operation. Repeated GETs share one call. */
export interface UpstreamReads extends PostmanSession {
  /** What the responses so far have shown of the contents of workspaces. */
  readonly contents: WorkspaceContents;
  /** Whether the operation has requested the call before, so that requesting it again costs nothing. */
  isRequested(call: PostmanCall<unknown, null>): boolean;
  /** Whether a list or a workspace is being read. */
  isReadingLists(): boolean;
  /** Resolves with the next response to a read of a list or a workspace, or with its failure. */
  nextList(): Promise<void>;
  /** As `get`, for a list: adds its items to `listed`. */
  list<Item, Page extends readonly Item[] | { readonly items: readonly Item[] }, Missing extends null>(
    listed: Listed<Item>,
    call: PostmanCall<Page, Missing>,
  ): Promise<Page | Missing>;
  /** Drops the response of a GET that was requested once, so that it can be garbage collected. */
  forget(call: PostmanCall<unknown, null>, response: unknown): void;
}

interface Read {
  readonly call: PostmanCall<unknown, null>;
  onResponse?(response: unknown): void;
}

/** Creates the reads of one operation. */
export function createUpstreamReads({
  get,
  isCached,
  isRenewable,
  cachedLists,
  loadLists,
  release,
  idleTasks,
}: PostmanSession): UpstreamReads {
  const contents = createWorkspaceContents();
  const requested = new Set<string>();
  const lists = createListReads();
  const make = async ({ call, onResponse }: Read) => {
    const response = await get(call);
    if (typeof response === 'object' && response !== null)
      for (const shown of call.contents?.(response) ?? []) contents.add(shown, response);
    onResponse?.(response);
    return response;
  };
  const request = (one: Read) => {
    const { call } = one;
    const isList = call.contents !== undefined || listedBy(call.route) !== undefined;
    const isFirst = !requested.has(call.target);
    requested.add(call.target);
    const response = read(one);
    if (isList && isFirst) lists.add(response);
    return response;
  };
  const read = createPlanner(
    (reads: readonly Read[]) => reads.map(make),
    ({ call }) => call.target,
  );
  return {
    idleTasks,
    isCached,
    isRenewable,
    cachedLists,
    loadLists,
    release,
    forget(call, response) {
      if (read.forget({ call })) release(response);
    },
    contents,
    isRequested: ({ target }) => requested.has(target),
    isReadingLists: lists.isReading,
    nextList: lists.next,
    get: <T, Missing extends null>(call: PostmanCall<T, Missing>) => request({ call }) as Promise<T | Missing>,
    list<Item, Page extends readonly Item[] | { readonly items: readonly Item[] }, Missing extends null>(
      listed: Listed<Item>,
      call: PostmanCall<Page, Missing>,
    ) {
      const onResponse = (page: Page | Missing) => {
        if (page) listed.add('items' in page ? page.items : page);
      };
      return listed.expect(request({ call, onResponse }) as Promise<Page | Missing>);
    },
  };
}

/** Creates the count of reads of lists that have no response yet. */
function createListReads() {
  let reading = 0;
  let waiting: (() => void)[] = [];
  const end = () => {
    reading--;
    for (const wake of waiting) wake();
    waiting = [];
  };
  return {
    isReading: () => reading > 0,
    next: () => new Promise<void>((resolve) => waiting.push(resolve)),
    add(response: Promise<unknown>) {
      reading++;
      response.then(end, end);
    },
  };
}
