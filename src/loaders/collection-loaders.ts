import {
  COLLECTION_PAGE_SIZE,
  type CollectionDetail,
  type CollectionSummary,
  collectionCall,
  collectionMinimalCall,
  collectionsCall,
} from '../upstream/postman/collections.ts';
import { toOwnerOfUid } from '../upstream/uid.ts';
import type { Level } from '../upstream/postman/levels.ts';
import { createPlannerAfterLists, toGroups } from './planner.ts';
import type { Reads } from './reads.ts';

/** One collection, and the levels of which any will do. */
export interface CollectionRequest {
  readonly uid: string;
  /** Levels that carry what is wanted. */
  readonly levels: readonly Level[];
  /** The name, where it is known: one more way to find the collection in a list. */
  readonly name?: string | null;
}

/** What is read about single collections, by the fewest calls. */
export interface CollectionLoaders {
  /** The collection at one of the levels asked for. null: there is no such collection, or no list has it. */
  collectionByUid(request: CollectionRequest): Promise<CollectionSummary | CollectionDetail | null>;
}

type Found = CollectionSummary | CollectionDetail | null;

/** What the requests of one tick want of one collection. */
interface Wanted {
  readonly uid: string;
  readonly requests: readonly CollectionRequest[];
  /** The single read its requests cannot do without. */
  readonly read: 'minimal' | 'detail' | undefined;
  /** Whether a request can only be answered by a list. */
  readonly needsList: boolean;
}

/**
 * Makes the collection loaders of one operation.
 *
 * All requests of one tick are planned together: per collection the cheapest read that carries everything asked of it, and
 * one list for many collections of which only summary fields are wanted, with single reads for those the list lacks; also for
 * many whose kept reads are too old, because a list renews those it shows unchanged.
 */
export function createCollectionLoaders(reads: Reads): CollectionLoaders {
  const summaries = reads.listed.collections;
  // Asked for already, and so free to ask for again.
  const details = new Set<string>();
  const minimals = new Set<string>();

  /**
   * Reads pages of the list of everything, as long as that is cheaper than asking for the missing ones singly.
   *
   * @returns Whether the list was read to its end: what has not been seen is not in it.
   */
  const listMany = async (uids: readonly string[]): Promise<boolean> => {
    for (let offset = 0; ; offset += COLLECTION_PAGE_SIZE) {
      const page = await reads.collectionPage({ workspaceId: null, offset });
      const missing = uids.filter((uid) => !summaries.has(uid)).length;
      const pagesLeft = Math.ceil(((page.total ?? 0) - offset) / COLLECTION_PAGE_SIZE) - 1;
      if (pagesLeft <= 0 || page.items.length === 0) return true;
      if (pagesLeft >= missing) return false;
    }
  };

  // It has all that the minimal read has.
  const prefersKeptDetail = (uid: string) =>
    reads.isCached(collectionCall(uid)) && !reads.isCached(collectionMinimalCall(uid));
  const isKept = (uid: string) => reads.isCached(collectionCall(uid)) || reads.isCached(collectionMinimalCall(uid));
  const isRenewable = ({ uid, read }: Wanted) =>
    toOwnerOfUid(uid) !== null &&
    !summaries.has(uid) &&
    (read === 'detail'
      ? reads.isRenewable(collectionCall(uid))
      : read === 'minimal' && !reads.isCached(collectionCall(uid)) && reads.isRenewable(collectionMinimalCall(uid)));

  const readSingle = (uid: string, level: 'minimal' | 'detail'): Promise<CollectionDetail | null> => {
    const isDetail = level === 'detail' || details.has(uid) || prefersKeptDetail(uid);
    (isDetail ? details : minimals).add(uid);
    return isDetail ? reads.collection(uid) : reads.collectionMinimal(uid);
  };

  /** Finds the list item of one collection by its name, which upstream can filter by. */
  const listOne = async (uid: string, name: string | null): Promise<CollectionSummary | null> => {
    if (name === null) return null;
    // Lists that were begun while its name was read.
    await summaries.expected([uid]);
    const listed = summaries.get(uid);
    if (listed) return listed;
    return (await reads.collectionsByName({ name, workspaceId: null })).find((item) => item.uid === uid) ?? null;
  };

  const toWanted = (uid: string, requests: readonly CollectionRequest[]): Wanted => {
    const open = summaries.has(uid) ? requests.filter(({ levels }) => !levels.includes('summary')) : requests;
    const needsList = open.some(({ levels }) => !levels.includes('minimal') && !levels.includes('detail'));
    const needsDetail = open.some(({ levels }) => !levels.includes('minimal') && !levels.includes('summary'));
    const needsMinimal = open.some(({ levels }) => levels.includes('minimal') && !levels.includes('summary'));
    return { uid, requests: open, needsList, read: needsDetail ? 'detail' : needsMinimal ? 'minimal' : undefined };
  };

  const isListable = ({ uid, requests, needsList, read }: Wanted) =>
    requests.length > 0 &&
    // Lists are searched by uid; a bare id is not one.
    toOwnerOfUid(uid) !== null &&
    (needsList || (read === undefined && !details.has(uid) && !minimals.has(uid) && !isKept(uid)));

  const allWanted = (requests: readonly CollectionRequest[]): readonly Wanted[] =>
    [...toGroups(requests, ({ uid }) => uid)].map(([uid, ofOne]) => toWanted(uid, ofOne));

  const planNow = (requests: readonly CollectionRequest[]): ((request: CollectionRequest) => Promise<Found>) => {
    const wanted = allWanted(requests);
    const byUid = new Map(wanted.map((one) => [one.uid, one]));
    const listable = wanted.filter(isListable);
    // A list that is kept has renewed already what it could.
    const renewable = reads.isCached(collectionsCall(null, 0)) ? [] : wanted.filter(isRenewable);
    const isListWorthIt = listable.length > (reads.isCached(collectionsCall(null, 0)) ? 0 : 1) || renewable.length > 1;
    const listed = isListWorthIt
      ? listMany([...new Set([...listable, ...renewable].map(({ uid }) => uid))])
      : undefined;
    const renewed = new Set(renewable.length > 1 ? renewable.map(({ uid }) => uid) : []);

    return async (request) => {
      const { uid, levels } = request;
      const one = byUid.get(uid);
      const takesSummary = levels.includes('summary');
      const kept = takesSummary ? summaries.get(uid) : undefined;
      if (kept) return kept;
      const isFlexible = takesSummary && levels.includes('minimal');
      if (takesSummary && !isFlexible) {
        const isBareId = toOwnerOfUid(uid) === null;
        if (listed && !isBareId) {
          const isComplete = await listed;
          const summary = summaries.get(uid);
          if (summary || isComplete) return summary ?? null;
        }
        if (request.name != null && !isBareId) return listOne(uid, request.name);
        const single = await readSingle(uid, one?.read ?? 'minimal');
        return single && listOne(single.uid, single.name ?? null);
      }
      if (isFlexible && listed && one?.read === undefined) {
        await listed;
        const summary = summaries.get(uid);
        if (summary) return summary;
      }
      // What a list shows unchanged needs no call. Should it fail, each is read by itself.
      if (renewed.has(uid)) await listed?.catch(() => undefined);
      return readSingle(uid, levels.includes('minimal') ? (one?.read ?? 'minimal') : 'detail');
    };
  };

  const mayBeListed = (requests: readonly CollectionRequest[]) =>
    new Set(
      allWanted(requests)
        .filter((one) => isListable(one) || isRenewable(one))
        .map(({ uid }) => uid),
    );

  return {
    collectionByUid: createPlannerAfterLists(
      reads.idleTasks,
      summaries,
      mayBeListed,
      planNow,
      ({ uid, levels }) => `${uid} ${levels.join()}`,
    ),
  };
}
