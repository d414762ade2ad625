import type { ChildResource } from '../upstream/postman/resources/child-resource.ts';
import type { ChildType, Level } from '../upstream/postman/levels.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import { toOwnerOfUid } from '../upstream/postman/uid.ts';
import { toPage } from './child-lists.ts';
import type { Listed } from './listed.ts';
import { createPlannerAfterLists, toGroups } from './planner.ts';
import type { UpstreamReads } from './reads.ts';

/** One thing, and the levels of which any will do. */
export interface ChildRequest<Type extends ChildType = ChildType> {
  readonly type: Type;
  readonly uid: string;
  /** Levels that carry what is wanted. */
  readonly levels: readonly Level[];
  /** The name, where it is known: one more way to find the thing in a list. */
  readonly name?: string | null;
}

/** One type of things, and those of them that lists have shown. */
export interface Children {
  readonly resource: ChildResource;
  readonly listed: Listed<Ref>;
}

type SingleLevel = 'minimal' | 'detail';

/** What the requests of one tick want of one thing. */
interface RequestedChild {
  readonly uid: string;
  readonly requests: readonly ChildRequest[];
  /** The single read its requests cannot do without. */
  readonly read: SingleLevel | undefined;
  /** Whether a request can only be answered by a list. */
  readonly needsList: boolean;
}

/**
 * Makes the loader of single things of one type, which are null where there is no such thing, or no list has it.
 *
 * All requests of one tick are planned together. By the levels that carry what a request wants, the first of these answers it:
 *
 * | levels | answers |
 * | --- | --- |
 * | `summary` or a single read | a list that has shown it; the single read that others need, or have made; the list of everything, if that is read; the cheapest single read |
 * | `summary` alone | a list that has shown it; the list of everything, if that is read; the list of its name |
 * | a single read alone | `minimal` where that will do, unless `detail` is read or cached; `detail` |
 *
 * The list of everything is read for two things or more (where it is cached, for one) of which nothing but `summary` is needed and nothing
 * is cached; and for two or more whose cached reads are too old, because it renews those it shows unchanged.
 */
export function createChildLoader(
  reads: UpstreamReads,
  { resource, listed }: Children,
): (request: ChildRequest) => Promise<Ref | null> {
  const singles = createSingleReads(reads, resource);
  const { cheapest } = singles;
  const { listMany, listOne } = createListSearch(reads, { resource, listed });

  const toRequestedChild = (uid: string, requests: readonly ChildRequest[]): RequestedChild => {
    const pending = listed.has(uid) ? requests.filter(({ levels }) => !levels.includes('summary')) : requests;
    const strict = pending.filter(({ levels }) => !levels.includes('summary'));
    const needsDetail = strict.some(({ levels }) => !levels.includes(cheapest));
    return {
      uid,
      requests: pending,
      needsList: pending.some(({ levels }) => isOnlyListed(levels)),
      read: needsDetail ? 'detail' : strict.length > 0 ? cheapest : undefined,
    };
  };

  // Lists are searched by uid; a bare id is not one.
  const isSearchable = (uid: string) => toOwnerOfUid(uid) !== null;
  const isListable = ({ uid, requests, needsList, read }: RequestedChild) =>
    requests.length > 0 &&
    isSearchable(uid) &&
    (needsList || (read === undefined && !singles.has(uid) && !singles.isCached(uid)));
  const isRenewable = ({ uid, read }: RequestedChild) =>
    read !== undefined && isSearchable(uid) && !listed.has(uid) && singles.isRenewable(uid, read);

  const toRequestedChildren = (requests: readonly ChildRequest[]): readonly RequestedChild[] =>
    [...toGroups(requests, ({ uid }) => uid)].map(([uid, ofOne]) => toRequestedChild(uid, ofOne));

  const planNow = (requests: readonly ChildRequest[]): ((request: ChildRequest) => Promise<Ref | null>) => {
    const requested = toRequestedChildren(requests);
    const byUid = new Map(requested.map((one) => [one.uid, one]));
    const isListCached = reads.isCached(resource.listCall(null, 0));
    const listable = requested.filter(isListable);
    // A list that is cached has renewed already what it could.
    const renewable = isListCached ? [] : requested.filter(isRenewable);
    const isListWorthIt = listable.length > (isListCached ? 0 : 1) || renewable.length > 1;
    const listing = isListWorthIt
      ? listMany([...new Set([...listable, ...renewable].map(({ uid }) => uid))])
      : undefined;
    const renewed = new Set(renewable.length > 1 ? renewable.map(({ uid }) => uid) : []);

    const findListed = async ({ uid, name }: ChildRequest): Promise<Ref | null> => {
      if (listing && isSearchable(uid)) {
        const isComplete = await listing;
        const item = listed.get(uid);
        if (item || isComplete) return item ?? null;
      }
      if (name != null && isSearchable(uid)) return listOne(uid, name);
      const single = await singles.read(uid, byUid.get(uid)?.read ?? cheapest);
      return single && listOne(single.uid, single.name ?? null);
    };

    return async (request) => {
      const { uid, levels } = request;
      const read = byUid.get(uid)?.read;
      if (levels.includes('summary')) {
        const item = listed.get(uid);
        if (item) return item;
        if (isOnlyListed(levels)) return findListed(request);
        if (listing && read === undefined && !singles.has(uid)) {
          await listing;
          const found = listed.get(uid);
          if (found) return found;
        }
      }
      // What a list shows unchanged needs no call. Should it fail, each is read by itself.
      if (renewed.has(uid)) await listing?.catch(() => undefined);
      return singles.read(uid, levels.includes(cheapest) ? (read ?? cheapest) : 'detail');
    };
  };

  const mayBeListed = (requests: readonly ChildRequest[]) =>
    new Set(
      toRequestedChildren(requests)
        .filter((one) => isListable(one) || isRenewable(one))
        .map(({ uid }) => uid),
    );

  return createPlannerAfterLists(
    reads.idleTasks,
    listed,
    mayBeListed,
    planNow,
    ({ uid, levels }) => `${uid} ${levels.join()}`,
  );
}

const isOnlyListed = (levels: readonly Level[]) => !levels.includes('minimal') && !levels.includes('detail');

/** The single reads of one type. */
function createSingleReads(reads: UpstreamReads, { detailCall, minimalCall }: ChildResource) {
  // Asked for already, and so free to ask for again.
  const details = new Set<string>();
  const minimals = new Set<string>();
  const isDetailCached = (uid: string) => reads.isCached(detailCall(uid));
  const isMinimalCached = (uid: string) => minimalCall !== undefined && reads.isCached(minimalCall(uid));
  const cheapest: SingleLevel = minimalCall ? 'minimal' : 'detail';
  return {
    cheapest,
    has: (uid: string) => details.has(uid) || minimals.has(uid),
    isCached: (uid: string) => isDetailCached(uid) || isMinimalCached(uid),
    isRenewable: (uid: string, level: SingleLevel) =>
      level === 'detail' || !minimalCall
        ? reads.isRenewable(detailCall(uid))
        : !isDetailCached(uid) && reads.isRenewable(minimalCall(uid)),
    read(uid: string, level: SingleLevel): Promise<Ref | null> {
      // It has all that the minimal read has.
      const prefersDetail = details.has(uid) || (isDetailCached(uid) && !isMinimalCached(uid));
      const call = level === 'detail' || prefersDetail ? undefined : minimalCall?.(uid);
      (call ? minimals : details).add(uid);
      return reads.get(call ?? detailCall(uid));
    },
  };
}

/** Searches the lists of one type. */
function createListSearch(reads: UpstreamReads, { resource, listed }: Children) {
  return {
    /**
     * Reads pages of the list of everything, as long as that is cheaper than asking for the missing ones singly.
     *
     * @returns Whether the list was read to its end: what has not been seen is not in it.
     */
    async listMany(uids: readonly string[]): Promise<boolean> {
      const pageSize = resource.paging?.size ?? Number.POSITIVE_INFINITY;
      for (let offset = 0; ; offset += pageSize) {
        const { items, total } = toPage(await reads.list(listed, resource.listCall(null, offset)));
        const missing = uids.filter((uid) => !listed.has(uid)).length;
        const pagesLeft = Math.ceil(((total ?? 0) - offset) / pageSize) - 1;
        if (pagesLeft <= 0 || items.length === 0) return true;
        if (pagesLeft >= missing) return false;
      }
    },

    /** Finds the list item of one thing: by its name, where upstream can filter by that. */
    async listOne(uid: string, name: string | null): Promise<Ref | null> {
      if (name === null) return null;
      // Lists that were begun while its name was read.
      await listed.expected([uid]);
      const item = listed.get(uid);
      if (item) return item;
      const call = resource.paging?.byNameCall(name, null) ?? resource.listCall(null, 0);
      return toPage(await reads.list(listed, call)).items.find((one) => one.uid === uid) ?? null;
    },
  };
}
