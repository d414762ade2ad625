import type { Call, Route } from './call.ts';
import type { Calls } from './calls.ts';
import type { JsonObject } from './collection-format/json.ts';
import type { CollectionDetail, EnvironmentDetail, WorkspaceDetail } from './models.ts';
import type { Outcome } from './kept-answer.ts';
import type { Operation } from './operation.ts';
import { COLLECTION_PAGE_SIZE } from './postman-api.ts';
import { toNotCached } from './refusals.ts';
import { UpstreamError } from './upstream-error.ts';

/** What upstream would answer where nothing is kept: one of the extremes between which the truth lies. */
export interface Scenario {
  /** Lists are as full as they can be, and single things exist; or lists are empty, and nothing exists. */
  readonly isFull: boolean;
  /** Which of the calls that are out is answered first: the oldest, the newest, or the oldest that asks for a list. */
  readonly answersFirst: 'oldest' | 'newest' | 'lists';
  /** Every collection that exists is in a workspace. */
  readonly hasWorkspaces: boolean;
  /** Lists have these, and nothing else. */
  readonly listed?: Listed;
  /** How many pages the list of all collections has, where that is not known; absent: more than anybody reads. */
  readonly pages?: number;
  /** What is kept of lists does not count: all of them are imagined, at no cost. */
  readonly forgetsLists?: true;
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

/** What lists are of. */
export type ListedKind = 'workspaces' | 'collections' | 'environments';

/** A call that would have been made. */
export interface NotedCall {
  readonly route: Route;
  /** What was asked for singly; null for a list. Equal for both ways to read a collection. */
  readonly single: string | null;
  /** What is asked for is known by imagination alone: a list of an imagined workspace, say. */
  readonly isImagined: boolean;
}

/** Calls that are noted instead of made. */
export interface ImaginedCalls extends Pick<Calls, 'make' | 'kept' | 'isRenewable'> {
  /** By target. */
  readonly noted: ReadonlyMap<string, NotedCall>;
  /** Whether anything was answered from what is kept. */
  readonly usesKept: () => boolean;
  /** Answers nothing more. */
  end(): void;
}

/** A place in a list that a client goes on from. */
export interface ListPlace {
  /** Upstream's own cursor of the page; empty for the first page. */
  readonly page: string;
  readonly index: number;
  readonly id: string;
}

/** What all scenarios of one rehearsal imagine alike, so that the same thing has the same identifier in each of them. */
export interface Imagination {
  /** The id of a workspace. */
  idOf(list: string, index: number): string;
  uidOf(list: string, index: number): string;
  /** From which collection one was forked. */
  parentOf(uid: string): string;
  /** Whether a collection is looked up: a client has named it, or another was forked from it. */
  isSought(uid: string): boolean;
  isImagined(identifier: string): boolean;
  /** The uids, or ids, of things of which everything is kept, which no scenario has anywhere but before what it lists. */
  keptOf(kind: ListedKind): readonly string[];
  isKept(identifier: string): boolean;
  readonly places: readonly ListPlace[];
}

// Of a page and of lists that come whole: no more than that can be asked for at once.
const LIST_LENGTH = 100;
// Beyond that a place in a list is somebody's invention.
const LONGEST_LIST = 2_000;
const MANY_PAGES = 10_000;
const ID_LENGTH = 36;
// No identifier that a client can name has it: generation, number of the list, place in the list.
const IMAGINED = /^(?:0-)?~+(\d+)\.(\d+)\.(\d+)$/;

/** So many are enough for every page that can be asked for. */
const lengthOfLists = (places: readonly ListPlace[]): number =>
  Math.min(LONGEST_LIST, Math.max(-1, ...places.map(({ index }) => index)) + 1) + LIST_LENGTH;

/** @param places - Where lists are gone on from. */
export function createImagination(places: readonly ListPlace[]): Imagination {
  const lists = new Map<string, number>();
  const numberOf = (list: string): number => {
    const number = lists.get(list) ?? lists.size;
    lists.set(list, number);
    return number;
  };
  const toId = (generation: number, list: number, index: number) =>
    `${generation}.${list}.${index}`.padStart(ID_LENGTH, '~');
  const named = numberOf('named');
  const kept = numberOf('kept');
  // Whoever goes on from a place finds only these, too.
  const length = lengthOfLists(places) + COLLECTION_PAGE_SIZE;
  return {
    idOf: (list, index) => toId(0, numberOf(list), index),
    uidOf: (list, index) => `0-${toId(0, numberOf(list), index)}`,
    parentOf(uid) {
      const [, generation, list, index] = IMAGINED.exec(uid) ?? [];
      return generation === undefined
        ? `0-${toId(1, named, numberOf(uid))}`
        : `0-${toId(Number(generation) + 1, Number(list), Number(index))}`;
    },
    isSought: (uid) => (IMAGINED.exec(uid)?.[1] ?? '1') !== '0',
    isImagined: (identifier) => IMAGINED.test(identifier),
    keptOf: (kind) =>
      Array.from({ length }, (_, index) => `${kind === 'workspaces' ? '' : '0-'}${toId(0, kept, index)}`),
    isKept: (identifier) => Number(IMAGINED.exec(identifier)?.[2]) === kept,
    places,
  };
}

/** What calls are imagined with. */
export interface ImaginedCallsOptions {
  readonly scenario: Scenario;
  readonly imagination: Imagination;
  /** Knows what is kept; nothing else is asked of it. */
  readonly calls: Pick<Calls, 'kept' | 'isRenewable'>;
  readonly maxNoted: number;
  /** Is told when one call more would be noted than that. Nothing is answered any more then. */
  readonly onTooMany: () => void;
}

/**
 * Makes calls that never leave the process: what is kept answers them, and a scenario where nothing is. Each imagined answer comes in a turn
 * of the event loop of its own, as real ones do, so that what is kept always comes before what is not.
 */
export function createImaginedCalls(options: ImaginedCallsOptions): ImaginedCalls {
  const { scenario, imagination, calls, maxNoted, onTooMany } = options;
  const noted = new Map<string, NotedCall>();
  const shownLists = new Set<string>();
  const waiting: { readonly isList: boolean; readonly answer: () => void }[] = [];
  let usesKept = false;
  let isOver = false;

  const answerNext = () => {
    if (isOver) return;
    const firstList = scenario.answersFirst === 'lists' ? waiting.findIndex(({ isList }) => isList) : -1;
    const [next] = scenario.answersFirst === 'newest' ? waiting.splice(-1) : waiting.splice(Math.max(0, firstList), 1);
    next?.answer();
  };
  const turn = (isList: boolean) =>
    new Promise<void>((answer) => {
      waiting.push({ isList, answer });
      setImmediate(answerNext);
    });

  const imagine = ({ route, target, parse }: Call<unknown>): Outcome => {
    const { listed, ...rest } = scenario;
    const here = listed && (listed.target ?? target) === target ? { ...rest, listed } : rest;
    const body = toBody(toAsked(target), route.template, here, imagination);
    if (body !== null) return { value: parse(body) };
    return { error: new UpstreamError('notFound', 'Nothing is imagined here.', { route: route.template }) };
  };

  /** What a call says of what is imagined to be kept: that it exists, and has nothing. */
  const imagineKept = ({ route: { template }, target, parse }: Call<unknown>): Outcome => {
    const asked = toAsked(target);
    const isFull = toSingle(asked, template) !== null;
    const body = toBody(asked, template, { isFull, answersFirst: 'oldest', hasWorkspaces: false }, imagination);
    return { value: withoutLists(parse(body), template) };
  };

  /** What is kept of a call, as far as it is to be known; undefined where the call would be made. */
  const recall = (call: Call<unknown>, operation: Operation): Outcome | undefined => {
    const { route, target } = call;
    if (identifiersIn(target).some(imagination.isKept)) return imagineKept(call);
    const kept = calls.kept(call, operation);
    if (!kept) {
      // A list can show that an answer which is too old is still true: here each does.
      const isRenewed =
        scenario.listed && shownLists.has(listRouteOf(route.template)) && calls.isRenewable(call, operation);
      return isRenewed ? imagine(call) : undefined;
    }
    usesKept = true;
    if ('error' in kept) return kept;
    if (!scenario.forgetsLists) return { value: withoutContents(kept.value, route.template) };
    if (toSingle(toAsked(target), route.template) === null) return imagine(call);
    return { value: withoutLists(withoutContents(kept.value, route.template), route.template) };
  };

  return {
    noted,
    usesKept: () => usesKept,
    end() {
      isOver = true;
    },
    kept: recall,
    isRenewable: (call, operation) => recall(call, operation) === undefined && calls.isRenewable(call, operation),
    async make<T>(call: Call<T>, operation: Operation): Promise<T> {
      const { route, target } = call;
      let outcome = recall(call, operation);
      if (!outcome) {
        if (operation.directives.onlyIfCached) throw toNotCached(route);
        if (!noted.has(target) && noted.size >= maxNoted) {
          isOver = true;
          onTooMany();
          return new Promise<T>(() => {});
        }
        const asked = toAsked(target);
        const single = toSingle(asked, route.template);
        const isImagined = identifiersIn(target).some(imagination.isImagined);
        noted.set(target, { route, single, isImagined });
        await turn(single === null);
        outcome = imagine(call);
        shownLists.add(route.template);
      }
      if ('error' in outcome) throw outcome.error;
      return outcome.value as T;
    },
  };
}

const listRouteOf = (template: string) => template.slice(0, template.indexOf('/', 1));

/** A target, taken apart. */
interface Asked {
  /** The segment after the first; undefined where there is none. */
  readonly id: string | undefined;
  readonly query: URLSearchParams;
}

function toAsked(target: string): Asked {
  const [path = '', query = ''] = target.split('?');
  const id = path.split('/')[2];
  return { id: id === undefined ? undefined : decodeURIComponent(id), query: new URLSearchParams(query) };
}

/** Whatever a target names, by its id or by a name of our own making. */
function identifiersIn(target: string): readonly string[] {
  const { id = '', query } = toAsked(target);
  return [id, ...query.values()].map((one) => one.replace(NAME_PREFIX, ''));
}

function toSingle({ id }: Asked, template: string): string | null {
  if (template === '/me') return template;
  return id === undefined ? null : `${template} ${id}`;
}

/** What nobody needs to know the calls. Everything is small then, and no tree has to be walked. */
function withoutContents(value: unknown, template: string): unknown {
  if (template === '/environments/{uid}') return { ...(value as EnvironmentDetail), values: [] };
  if (template !== '/collections/{uid}') return value;
  return { ...(value as CollectionDetail), description: null, document: {} } satisfies CollectionDetail;
}

function withoutLists(value: unknown, template: string): unknown {
  if (template !== '/workspaces/{id}') return value;
  return { ...(value as WorkspaceDetail), collections: [], environments: [] } satisfies WorkspaceDetail;
}

/** The imagined answer of a route; null: there is no such thing. */
function toBody(
  { id = '', query }: Asked,
  template: string,
  scenario: Scenario,
  imagination: Imagination,
): JsonObject | null {
  const { isFull, listed } = scenario;
  const workspace = query.get('workspace') ?? '*';
  const toWholeList = (kind: 'collections' | 'environments', list: string) =>
    listed
      ? idsIn(listed, kind, imagination)
      : toUids(imagination, list, 0, isFull ? lengthOfLists(imagination.places) : 0);
  switch (template) {
    case '/me':
      return { user: { id: 1 } };
    case '/workspaces':
      return toWorkspacePage(query, scenario, imagination);
    case '/workspaces/{id}':
      if (!isFull) return null;
      return {
        workspace: {
          ...toWorkspace(id),
          collections: toWholeList('collections', `collections of ${id}`).map(toNamed),
          environments: toWholeList('environments', `environments of ${id}`).map(toNamed),
        },
      };
    case '/workspaces/{id}/global-variables':
      return isFull ? { values: [{ key: toName(id) }] } : null;
    case '/collections': {
      const name = query.get('name');
      if (name === null) return toCollectionPage(query, scenario, imagination);
      // A name of our own making is that of one collection.
      const uid = isFull && name.startsWith(NAME_PREFIX) ? name.slice(NAME_PREFIX.length) : undefined;
      const uids = uid === undefined ? toWholeList('collections', `collections ${name} of ${workspace}`) : [uid];
      return { collections: uids.map(toForked(imagination)) };
    }
    case '/collections/{uid}':
      return isFull ? { collection: { info: { ...toForked(imagination)(id), uid: undefined } } } : null;
    case '/environments':
      return { environments: toWholeList('environments', `environments of ${workspace}`).map(toNamed) };
    case '/environments/{uid}':
      return isFull ? { environment: { name: toName(id) } } : null;
    default:
      throw new TypeError(`Nothing is imagined for ${template}`);
  }
}

// Unique, because two things of one name would be found by one call.
const NAME_PREFIX = 'imagined ';
const toName = (identifier: string) => NAME_PREFIX + identifier;
const toWorkspace = (id: string) => ({ id, name: toName(id) });
const toNamed = (uid: string) => ({ uid, name: toName(uid) });
const toForked =
  ({ parentOf }: Imagination) =>
  (uid: string) => ({ ...toNamed(uid), fork: { from: parentOf(uid) } });

const toUids = ({ uidOf }: Imagination, list: string, from: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => uidOf(list, from + index));

const idsIn = ({ ids, isBehindKept }: Listed, kind: ListedKind, { keptOf }: Imagination): readonly string[] =>
  isBehindKept ? [...keptOf(kind), ...ids[kind]] : ids[kind];

function toWorkspacePage(
  query: URLSearchParams,
  { isFull, hasWorkspaces, listed }: Scenario,
  imagination: Imagination,
): JsonObject {
  const { idOf, places } = imagination;
  const asked = query.toString();
  if (query.has('elementId')) return { workspaces: isFull && hasWorkspaces ? [toWorkspace(idOf(asked, 0))] : [] };
  if (listed) return { workspaces: idsIn(listed, 'workspaces', imagination).map(toWorkspace) };
  if (!isFull) return { workspaces: [] };
  const page = query.get('cursor') ?? '';
  const items = Array.from({ length: LIST_LENGTH }, (_, index) => {
    // Whoever goes on from there gets everything after it, and not it again.
    const place = places.find((candidate) => candidate.page === page && candidate.index === index);
    return toWorkspace(place?.id ?? idOf(asked, index));
  });
  return { workspaces: items, meta: { nextCursor: idOf(`after ${asked}`, 0) } };
}

function toCollectionPage(
  query: URLSearchParams,
  { isFull, listed, pages }: Scenario,
  imagination: Imagination,
): JsonObject {
  const workspace = query.get('workspace') ?? '*';
  const offset = Number(query.get('offset'));
  const end = offset + COLLECTION_PAGE_SIZE;
  // A loader that looks for several things goes on as long as few pages are left: let there always be one left, up to the last.
  const pagesLeft = pages === undefined || workspace !== '*' ? MANY_PAGES : end < pages * COLLECTION_PAGE_SIZE ? 1 : 0;
  const uids = listed
    ? idsIn(listed, 'collections', imagination)
    : toUids(imagination, `collections of ${workspace}`, offset, isFull ? COLLECTION_PAGE_SIZE : 0);
  return {
    collections: uids.map(toForked(imagination)),
    meta: { total: isFull ? end + pagesLeft * COLLECTION_PAGE_SIZE : uids.length },
  };
}
