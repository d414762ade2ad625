import { type Asked, fromImaginedName, type Imagination, type ListedKind, toImaginedName } from './imagination.ts';
import type { LikelyAccount } from './likely-account.ts';
import { ImaginedCollection, ImaginedEnvironment, ImaginedRef } from './imagined-things.ts';
import { COLLECTION_PAGE_SIZE, type CollectionDetail, type CollectionPage } from './postman/collections.ts';
import type { EnvironmentDetail } from './postman/environments.ts';
import type { User } from './postman/me.ts';
import type { Ref } from './postman/ref.ts';
import {
  WORKSPACE_PAGE_SIZE,
  type WorkspaceDetail,
  type WorkspacePage,
  type WorkspaceSummary,
} from './postman/workspaces.ts';
import { toIdOfUid } from './uid.ts';
import type { Work } from './work.ts';

/** What upstream would answer where nothing is kept: one of the extremes between which the truth lies, or what is likely. */
export interface Scenario {
  /** Lists are as full as they can be, and single things exist; or lists are empty, and nothing exists. */
  readonly isFull: boolean;
  /** Which of the calls that are out is answered first: the oldest, the newest, or the oldest that asks for a list. */
  readonly answersFirst: 'oldest' | 'newest' | 'lists';
  /** Lists have these, and nothing else. */
  readonly listed?: Listed;
  /** Lists of collections and environments have what places name that clients go on from, and of that nothing is kept. */
  readonly hasPlaces?: true;
  /** How many pages the list of all collections has, where that is not known; absent: more than anybody reads. */
  readonly pages?: number;
  /** What is kept of lists does not count: all of them are imagined, at no cost. */
  readonly forgetsLists?: true;
  /** Lists have what this account has, and are as long; what is kept counts, too, as what a call is likely to be answered with. */
  readonly account?: LikelyAccount;
}

/** What is found in lists. */
export interface Listed {
  /** Uids, or ids, by what they are of. */
  readonly ids: Readonly<Record<ListedKind, readonly string[]>>;
  /** Only the list of this target has them; absent: every one that can. */
  readonly target?: string;
  /** Before them come as many others as a client can ask for, and all there is to know of those is kept. */
  readonly isBehindKept?: true;
}

const MANY_PAGES = 10_000;
const WHOLE = { listLength: Number.POSITIVE_INFINITY, pageLength: Number.POSITIVE_INFINITY } as const;
// To make an item of a list, and to take note of it.
const ITEM_STEPS = 1 / 2;
const NO_DATES = { createdAt: null, updatedAt: null } as const;
const USER: User = {
  id: '1',
  username: null,
  fullName: null,
  email: null,
  avatarUrl: null,
  teamId: null,
  teamName: null,
  roles: null,
};

/**
 * Makes the imagined answers of one scenario, of the types that the routes are read as.
 *
 * @returns A function that returns null where there is no such thing.
 */
export function createImaginedAnswers(
  { isFull, listed, hasPlaces, pages, account }: Scenario,
  imagination: Imagination,
  work: Pick<Work, 'add'>,
) {
  const { idOf, uidsOf, keptOf, places } = imagination;
  // Likely lists come whole: they are short, and who looks for something in them goes by how long they are.
  const { listLength, pageLength } = account ? WHOLE : imagination;
  const { parentOf } = account ?? imagination;

  const toWorkspace = (id: string): WorkspaceSummary => ({
    id,
    name: toImaginedName(id),
    type: null,
    visibility: null,
    about: null,
    ...NO_DATES,
    createdBy: null,
  });
  const toRef = (uid: string) => new ImaginedRef(uid);
  const toCollection = (uid: string) => new ImaginedCollection(uid, parentOf);
  const toEnvironment = (uid: string) => new ImaginedEnvironment(uid);

  const idsIn = ({ ids, isBehindKept }: Listed, kind: ListedKind) =>
    isBehindKept ? [...keptOf(kind), ...ids[kind]] : ids[kind];
  // The same in every list.
  const itemsListed = listed && {
    workspaces: idsIn(listed, 'workspaces').map(toWorkspace),
    collections: idsIn(listed, 'collections').map(toCollection),
    environments: idsIn(listed, 'environments').map(toEnvironment),
  };
  const listedFor = (target: string) =>
    listed && (listed.target === undefined || listed.target === target) ? itemsListed : undefined;

  const namedAt = new Map(
    hasPlaces ? places.filter(({ page }) => page === '').map(({ index, id }) => [index, id]) : [],
  );
  const countNamed = (before: number) => [...namedAt.keys()].filter((index) => index < before).length;
  const toItems = <Item>(list: string, toItem: (uid: string) => Item, from: number, count: number): readonly Item[] => {
    if (!isFull) return [];
    work.add(count * ITEM_STEPS);
    const others = uidsOf(list, from - countNamed(from), count);
    let named = 0;
    return others.map((_, index) => {
      const uid = namedAt.get(from + index);
      if (uid !== undefined) named++;
      return toItem(uid ?? others[index - named] ?? '');
    });
  };

  /** A stretch of a list; `workspace`: `*` for everything. */
  const toStretch = <Item>(
    kind: 'collections' | 'environments',
    workspace: string,
    toItem: (uid: string) => Item,
    from: number,
    count: number,
  ): readonly Item[] => {
    if (!account) return toItems(`${kind} of ${workspace}`, toItem, from, count);
    const uids = account.uidsOf(kind, workspace === '*' ? null : workspace, from, count);
    work.add(uids.length * ITEM_STEPS);
    return uids.map(toItem);
  };

  /** undefined: the account does not say what comes on that page. */
  const toLikelyWorkspaces = ({ parameters }: Asked): WorkspacePage | undefined => {
    if (!account || parameters.has('cursor')) return undefined;
    const element = parameters.get('elementId');
    const home = element === undefined ? undefined : account.homeOf(element);
    if (element !== undefined) return { items: home === undefined ? [] : [toWorkspace(home)], nextCursor: null };
    const ids = account.workspaceIds({ visibility: parameters.get('type'), createdBy: parameters.get('createdBy') });
    work.add(ids.length * ITEM_STEPS);
    return { items: ids.map(toWorkspace), nextCursor: account.hasMoreWorkspaces ? idOf('more workspaces', 0) : null };
  };

  const toWorkspacePage = (target: string, { parameters }: Asked): WorkspacePage => {
    const asked = target.slice(target.indexOf('?') + 1);
    if (parameters.has('elementId')) {
      return { items: isFull ? [toWorkspace(idOf(asked, 0))] : [], nextCursor: null };
    }
    const found = listedFor(target)?.workspaces;
    if (found || !isFull) return { items: found ?? [], nextCursor: null };
    const length = Math.min(WORKSPACE_PAGE_SIZE, pageLength);
    work.add(length * ITEM_STEPS);
    const items = Array.from({ length }, (_, index) => toWorkspace(idOf(asked, index)));
    const page = parameters.get('cursor') ?? '';
    // Whoever goes on from there gets everything after it, and not it again.
    for (const place of places)
      if (place.page === page && place.index < length) items[place.index] = toWorkspace(place.id);
    return { items, nextCursor: idOf(`after ${asked}`, 0) };
  };

  const toCollectionPage = (target: string, { parameters }: Asked): CollectionPage => {
    const workspace = parameters.get('workspace') ?? '*';
    const found = listedFor(target)?.collections;
    const name = parameters.get('name');
    if (name !== undefined) {
      const uid = isFull ? fromImaginedName(name) : undefined;
      const list = `collections ${name} of ${workspace}`;
      // A name of our own making is that of one collection, and any other likely is.
      const items =
        uid === undefined ? (found ?? toItems(list, toCollection, 0, account ? 1 : listLength)) : [toCollection(uid)];
      return { items, total: null };
    }
    const offset = Number(parameters.get('offset'));
    const end = offset + COLLECTION_PAGE_SIZE;
    // A loader that looks for several things goes on as long as few pages are left: let there always be one left, up to the last.
    const pagesLeft =
      pages === undefined || workspace !== '*' ? MANY_PAGES : end < pages * COLLECTION_PAGE_SIZE ? 1 : 0;
    const count = Math.min(COLLECTION_PAGE_SIZE, pageLength);
    const items = found ?? toStretch('collections', workspace, toCollection, offset, count);
    if (account) return { items, total: account.lengthOf('collections', workspace === '*' ? null : workspace) };
    return { items, total: isFull ? end + pagesLeft * COLLECTION_PAGE_SIZE : items.length };
  };

  const toWorkspaceDetail = (id: string): WorkspaceDetail => {
    let collections: readonly Ref[] | undefined;
    let environments: readonly Ref[] | undefined;
    return {
      ...toWorkspace(id),
      description: null,
      updatedBy: null,
      teamId: null,
      // Most of those who ask for the rest do not ask for these.
      get collections() {
        collections ??= toStretch('collections', id, toRef, 0, listLength);
        return collections;
      },
      get environments() {
        environments ??= toStretch('environments', id, toRef, 0, listLength);
        return environments;
      },
    };
  };

  return (target: string, template: string): unknown => {
    const asked = imagination.read(target);
    const { id = '', parameters } = asked;
    switch (template) {
      case '/me':
        return USER;
      case '/workspaces':
        return toLikelyWorkspaces(asked) ?? toWorkspacePage(target, asked);
      case '/workspaces/{id}':
        return isFull ? toWorkspaceDetail(id) : null;
      case '/workspaces/{id}/global-variables':
        return isFull ? [{ key: toImaginedName(id) }] : null;
      case '/collections':
        return toCollectionPage(target, asked);
      case '/collections/{uid}':
        return isFull
          ? ({
              id: toIdOfUid(id),
              uid: id,
              name: toImaginedName(id),
              ...NO_DATES,
              fork: toCollection(id).fork,
              description: null,
              lastUpdatedBy: null,
              document: {},
            } satisfies CollectionDetail)
          : null;
      case '/environments': {
        const workspace = parameters.get('workspace') ?? '*';
        return listedFor(target)?.environments ?? toStretch('environments', workspace, toEnvironment, 0, listLength);
      }
      case '/environments/{uid}':
        return isFull
          ? ({
              id: toIdOfUid(id),
              uid: id,
              name: toImaginedName(id),
              ...NO_DATES,
              isPublic: null,
              values: [],
            } satisfies EnvironmentDetail)
          : null;
      default:
        throw new TypeError(`Nothing is imagined for ${template}`);
    }
  };
}
