import type { PostmanCall } from '../upstream/postman/postman-call.ts';
import type { PostmanSession } from '../upstream/calls/postman-session.ts';
import type { Listed } from './listed.ts';
import { createPlanner } from './planner.ts';

/** The GETs of one operation. Repeated GETs share one call. */
export interface UpstreamReads extends PostmanSession {
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
export function createUpstreamReads({ get, isCached, isRenewable, release, idleTasks }: PostmanSession): UpstreamReads {
  const make = async ({ call, onResponse }: Read) => {
    const response = await get(call);
    onResponse?.(response);
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
    release,
    forget(call, response) {
      if (read.forget({ call })) release(response);
    },
    get: <T, Missing extends null>(call: PostmanCall<T, Missing>) => read({ call }) as Promise<T | Missing>,
    list<Item, Page extends readonly Item[] | { readonly items: readonly Item[] }, Missing extends null>(
      listed: Listed<Item>,
      call: PostmanCall<Page, Missing>,
    ) {
      const onResponse = (page: Page | Missing) => {
        if (page) listed.add('items' in page ? page.items : page);
      };
      return listed.expect(read({ call, onResponse }) as Promise<Page | Missing>);
    },
  };
}
