import type { ChildResource } from '../upstream/postman/resources/child-resource.ts';
import type { ChildType, Level } from '../upstream/postman/levels.ts';
import { listedBy } from '../upstream/postman/postman-call.ts';
import type { Ref } from '../upstream/postman/resources/ref.ts';
import { toOwnerOfUid } from '../upstream/postman/uid.ts';
import { toPage } from './child-lists.ts';
import type { KnownObjects } from './known-objects.ts';
import type { Listed } from './listed.ts';
import { createPlannerAfterLists, type PlannedLoader, toGroups } from './planner.ts';
import type { UpstreamReads } from './reads.ts';

/** A request for one object at any of the given levels. */
export interface ChildRequest<Type extends ChildType = ChildType> {
  readonly type: Type;
  readonly uid: string;
  /** Levels that provide the selected fields. One of them is enough. */
  readonly levels: readonly Level[];
  /** The object's name, if known: a list can then be searched by name. */
  readonly name?: string | null;
  /** Why the list that has the object could not be read. No call is made for this request alone: it fails, too. */
  readonly failure?: unknown;
}

/** One type of child objects, and the objects of it that lists have shown. */
export interface Children {
  readonly resource: ChildResource;
  readonly listed: Listed<Ref>;
}

type SingleLevel = 'minimal' | 'detail';

/** The pending requests for one object in one tick. */
interface RequestedChild {
  readonly uid: string;
  readonly requests: readonly ChildRequest[];
  /** Level of the single read that some request cannot do without. */
  readonly requiredRead: SingleLevel | undefined;
  /** Whether some request can only be served by a list. */
  readonly needsList: boolean;
}

/**
 * Creates the loader of single objects of one type. It returns null if the object does not exist or no list has it.
 *
 * All requests of one tick are planned together. A request's levels decide its sources. The first that applies wins:
 *
 * - `summary` or a single read, either is enough: a list that has shown the object; the single read that
 *   other requests need or have made; the list of everything, if it is read; the search by name that another request
 *   needs, if the name is known; the cheapest single read.
 * - `summary` alone: a list that has shown the object; the list of everything, if it is read; a search by name.
 * - a single read alone: `minimal` if it is enough and `detail` is neither read nor cached; else `detail`.
 *
 * The list of everything is read for two or more objects (for one, if the list is cached) that only a list can serve,
 * or for which a list is enough and nothing is cached. It is also read for two or more objects whose cached reads are
 * too old, because it revalidates those that it shows unchanged.
 */
export function createChildLoader(
  reads: UpstreamReads,
  { resource, listed }: Children,
  known: KnownObjects,
): PlannedLoader<ChildRequest, Ref | null> {
  const singles = createSingleReads(reads, resource);
  const { cheapest } = singles;
  const { listMany, listOne } = createListSearch(reads, { resource, listed });

  const { toRequestedChildren, isListable, isReadSingly, isRenewable } = createAnalysis(listed, singles);

  const list = listedBy(resource.listCall(null, 0).route);
  /** Reads cached lists, from which nothing else is needed, for the objects that they show. */
  const readCachedLists = (requested: readonly RequestedChild[]): ReadonlyMap<string, Promise<unknown>> =>
    new Map(
      requested.filter(isListable).flatMap(({ uid }) => {
        const page = list && known.listWith<Ref>(list, uid);
        return page ? [[uid, reads.list(listed, page).catch(() => undefined)] as const] : [];
      }),
    );

  const planNow = (requests: readonly ChildRequest[]): ((request: ChildRequest) => Promise<Ref | null>) => {
    const requested = toRequestedChildren(requests);
    const loading = requested.some(isListable) ? known.load() : undefined;
    if (!loading) return planLoaded(requested);
    const planned = loading.then(() => planLoaded(toRequestedChildren(requests)));
    return async (request) => (await planned)(request);
  };

  const planLoaded = (requested: readonly RequestedChild[]): ((request: ChildRequest) => Promise<Ref | null>) => {
    const byUid = new Map(requested.map((one) => [one.uid, one]));
    const isListCached = reads.isCached(resource.listCall(null, 0));
    const shown = readCachedLists(requested);
    const listable = requested.filter((one) => !shown.has(one.uid) && isListable(one));
    // A cached list has already revalidated what it could.
    const renewable = isListCached ? [] : requested.filter(isRenewable);
    const isListWorthIt = listable.length > (isListCached ? 0 : 1) || renewable.length > 1;
    const listing = isListWorthIt
      ? listMany([...new Set([...listable, ...renewable].map(({ uid }) => uid))])
      : undefined;
    const mayBeRenewed = new Set(renewable.length > 1 ? renewable.map(({ uid }) => uid) : []);

    const findListed = async ({ uid, name }: ChildRequest): Promise<Ref | null> => {
      if (listing && isSearchable(uid)) {
        const isComplete = await listing.catch((error: unknown) => {
          // Earlier pages may have shown it.
          if (!listed.has(uid)) throw error;
        });
        const item = listed.get(uid);
        if (item || isComplete) return item ?? null;
      }
      if (name != null && isSearchable(uid)) return listOne(uid, name);
      const single = await singles.read(uid, byUid.get(uid)?.requiredRead ?? cheapest);
      return single && listOne(single.uid, single.name ?? null);
    };

    return async (request) => {
      const { uid, name, levels, failure } = request;
      const { requiredRead, needsList, requests: others = [] } = byUid.get(uid) ?? {};
      if (failure !== undefined && others.length === 0 && !listed.has(uid) && !isReadSingly(request)) throw failure;
      if (levels.includes('summary')) {
        if (shown.has(uid)) await shown.get(uid);
        const item = listed.get(uid);
        if (item) return item;
        if (isOnlyListed(levels)) return findListed(request);
        const isSearched = needsList && name != null && isSearchable(uid) && !singles.isCached(uid);
        if ((listing || isSearched) && requiredRead === undefined && !singles.has(uid)) {
          await (isSearched ? findListed(request) : listing)?.catch(() => undefined);
          const found = listed.get(uid);
          if (found) return found;
        }
      }
      // An object that the list shows unchanged needs no call. If the list fails, each object is read by itself.
      if (mayBeRenewed.has(uid)) await listing?.catch(() => undefined);
      return singles.read(uid, levels.includes(cheapest) ? (requiredRead ?? cheapest) : 'detail');
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
    ({ uid, levels, failure }) => `${uid} ${levels.join()}${failure === undefined ? '' : ' unread'}`,
  );
}

/** Creates the analysis of the requests of one tick. */
function createAnalysis(listed: Listed<Ref>, singles: ReturnType<typeof createSingleReads>) {
  const { cheapest } = singles;

  const toRequestedChild = (uid: string, requests: readonly ChildRequest[]): RequestedChild => {
    const pending = requests.filter(
      ({ levels, failure }) => failure === undefined && !(listed.has(uid) && levels.includes('summary')),
    );
    const strict = pending.filter(({ levels }) => !levels.includes('summary'));
    const needsDetail = strict.some(({ levels }) => !levels.includes(cheapest));
    return {
      uid,
      requests: pending,
      needsList: pending.some(({ levels }) => isOnlyListed(levels)),
      requiredRead: needsDetail ? 'detail' : strict.length > 0 ? cheapest : undefined,
    };
  };

  const isListable = ({ uid, requests, needsList, requiredRead }: RequestedChild) =>
    requests.length > 0 &&
    isSearchable(uid) &&
    (needsList || (requiredRead === undefined && !singles.has(uid) && !singles.isCached(uid)));
  /** Whether a single read serves the request without a call, or with one that is made anyway. */
  const isReadSingly = ({ uid, levels }: ChildRequest) =>
    !isOnlyListed(levels) && (singles.has(uid) || singles.isCached(uid) || singles.isRenewable(uid, cheapest));
  const isRenewable = ({ uid, requiredRead }: RequestedChild) =>
    requiredRead !== undefined && isSearchable(uid) && !listed.has(uid) && singles.isRenewable(uid, requiredRead);

  const toRequestedChildren = (requests: readonly ChildRequest[]): readonly RequestedChild[] =>
    [...toGroups(requests, ({ uid }) => uid)].map(([uid, ofUid]) => toRequestedChild(uid, ofUid));

  return { toRequestedChildren, isListable, isReadSingly, isRenewable };
}

// Lists are searched by uid, so an object requested by its bare id is not found.
const isSearchable = (uid: string) => toOwnerOfUid(uid) !== null;

const isOnlyListed = (levels: readonly Level[]) => !levels.includes('minimal') && !levels.includes('detail');

/** Creates the single reads of one type. */
function createSingleReads(reads: UpstreamReads, { detailCall, minimalCall }: ChildResource) {
  // Requested before in this operation: reading them again costs nothing.
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
      // The detail read has everything that the minimal read has.
      const prefersDetail = details.has(uid) || (isDetailCached(uid) && !isMinimalCached(uid));
      const call = level === 'detail' || prefersDetail ? undefined : minimalCall?.(uid);
      (call ? minimals : details).add(uid);
      return reads.get(call ?? detailCall(uid));
    },
  };
}

/** Creates the search in lists of one type. */
function createListSearch(reads: UpstreamReads, { resource, listed }: Children) {
  return {
    /**
     * Reads pages of the list of everything while that is cheaper than reading the missing objects singly.
     *
     * @returns Whether the list was read to its end, so that objects not seen are not in it.
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

    /** Finds the list item of one object: by name if upstream can filter by it, else in the list of everything. */
    async listOne(uid: string, name: string | null): Promise<Ref | null> {
      if (name === null) return null;
      // Other lists may have been started while the name was read.
      await listed.expected([uid]);
      const item = listed.get(uid);
      if (item) return item;
      const call = resource.paging?.byNameCall(name, null) ?? resource.listCall(null, 0);
      return toPage(await reads.list(listed, call)).items.find((one) => one.uid === uid) ?? null;
    },
  };
}
