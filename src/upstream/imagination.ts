import { COLLECTION_PAGE_SIZE } from './postman/collections.ts';
import type { ListName } from './postman/levels.ts';

/** What lists are of. */
export type ListedKind = ListName;

/** A place in a list that a client goes on from. */
export interface ListPlace {
  /** Upstream's own cursor of the page; empty for the first page. */
  readonly page: string;
  readonly index: number;
  readonly id: string;
}

/** A place in an imagined list. */
export interface ImaginedPlace {
  readonly list: string;
  /** Different lists have different numbers. */
  readonly listNumber: number;
  readonly index: number;
}

/** A target, taken apart. */
export interface Asked {
  /** The segment after the first, decoded; undefined where there is none. */
  readonly id: string | undefined;
  /** Query parameters, decoded. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Anything that it names is imagined. */
  readonly isImagined: boolean;
  /** Anything that it names is imagined to be kept. */
  readonly isKept: boolean;
}

/** What all scenarios of one simulation imagine alike, so that the same thing has the same identifier in each of them. */
export interface Imagination {
  /** The id of a workspace. */
  idOf(list: string, index: number): string;
  /** The uids of so many collections or environments, from a place of their list on. */
  uidsOf(list: string, from: number, count: number): readonly string[];
  /** From which collection one was forked. */
  parentOf(uid: string): string;
  /** Whether a collection is looked up: a client has named it, or another was forked from it. */
  isSought(uid: string): boolean;
  isImagined(identifier: string): boolean;
  /** Where an imagined thing stands; undefined: it is not imagined. */
  placeOf(identifier: string): ImaginedPlace | undefined;
  /** The uids, or ids, of things of which everything is kept, which no scenario has anywhere but before what it lists. */
  keptOf(kind: ListedKind): readonly string[];
  /** Reads a target, once. */
  read(target: string): Asked;
  readonly places: readonly ListPlace[];
  /** So many items are enough of a list that comes whole. */
  readonly listLength: number;
  /** So many are enough of a page of a list. At most what upstream sends. */
  readonly pageLength: number;
}

/** What is asked of lists. */
export interface ListDemand {
  /** Where lists are gone on from. */
  readonly places: readonly ListPlace[];
  /** The most that is asked of a list at once. */
  readonly longestPage: number;
}

// Beyond that a place in a list is somebody's invention.
const LONGEST_LIST = 2_000;
const ID_LENGTH = 36;
// No identifier that a client can name has it: generation, number of the list, place in the list.
const IMAGINED = /^(?:0-)?~+(\d+)\.(\d+)\.(\d+)$/;
// Unique, because two things of one name would be found by one call.
const NAME_PREFIX = 'imagined ';

const NO_PARAMETERS: Asked['parameters'] = new Map();

/** The name of an imagined thing. */
export const toImaginedName = (identifier: string): string => NAME_PREFIX + identifier;

/** What an imagined thing of that name is called by; undefined: nothing imagined has it. */
export const fromImaginedName = (name: string): string | undefined =>
  name.startsWith(NAME_PREFIX) ? name.slice(NAME_PREFIX.length) : undefined;

/** Imagines, for one simulation, the things that lists have. */
export function createImagination({ places, longestPage }: ListDemand): Imagination {
  const lists = new Map<string, number>();
  const names: string[] = [];
  const numberOf = (list: string): number => {
    const number = lists.get(list) ?? lists.size;
    lists.set(list, number);
    names[number] = list;
    return number;
  };
  const toId = (generation: number, list: number, index: number) =>
    `${generation}.${list}.${index}`.padStart(ID_LENGTH, '~');
  const named = numberOf('named');
  const kept = numberOf('kept');
  const furthest = places.reduce((most, { index }) => Math.max(most, index + 1), 0);
  const listLength = Math.min(LONGEST_LIST, furthest) + longestPage;
  const isImagined = (identifier: string) => IMAGINED.test(identifier);
  const isKept = (identifier: string) => Number(IMAGINED.exec(identifier)?.[2]) === kept;

  const asked = new Map<string, Asked>();
  const take = (target: string): Asked => {
    const queryAt = target.indexOf('?');
    const [, , segment] = (queryAt === -1 ? target : target.slice(0, queryAt)).split('/', 3);
    const id = segment === undefined ? undefined : decodeURIComponent(segment);
    const parameters = queryAt === -1 ? NO_PARAMETERS : toParameters(target.slice(queryAt + 1));
    // Most name nothing that is imagined, which shows at a glance.
    if (!target.includes('~')) return { id, parameters, isImagined: false, isKept: false };
    const identifiers = [id ?? '', ...parameters.values()].map((one) => fromImaginedName(one) ?? one);
    return { id, parameters, isImagined: identifiers.some(isImagined), isKept: identifiers.some(isKept) };
  };

  return {
    idOf: (list, index) => toId(0, numberOf(list), index),
    uidsOf(list, from, count) {
      const number = numberOf(list);
      return Array.from({ length: count }, (_, index) => `0-${toId(0, number, from + index)}`);
    },
    parentOf(uid) {
      const [, generation, list, index] = IMAGINED.exec(uid) ?? [];
      return generation === undefined
        ? `0-${toId(1, named, numberOf(uid))}`
        : `0-${toId(Number(generation) + 1, Number(list), Number(index))}`;
    },
    isSought: (uid) => (IMAGINED.exec(uid)?.[1] ?? '1') !== '0',
    isImagined,
    placeOf(identifier) {
      const [, , number, index] = IMAGINED.exec(identifier) ?? [];
      const listNumber = Number(number);
      return number === undefined ? undefined : { list: names[listNumber] ?? '', listNumber, index: Number(index) };
    },
    // Whoever goes on from a place finds only these, too.
    keptOf: (kind) =>
      Array.from(
        { length: listLength + COLLECTION_PAGE_SIZE },
        (_, index) => `${kind === 'workspaces' ? '' : '0-'}${toId(0, kept, index)}`,
      ),
    read(target) {
      const known = asked.get(target) ?? take(target);
      asked.set(target, known);
      return known;
    },
    places,
    listLength,
    // Where places are named, a page has to end where upstream's does.
    pageLength: places.length === 0 ? longestPage : Number.POSITIVE_INFINITY,
  };
}

function toParameters(query: string): Asked['parameters'] {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    parameters.set(pair.slice(0, equals), decodeURIComponent(pair.slice(equals + 1)));
  }
  return parameters;
}
