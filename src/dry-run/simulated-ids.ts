import { COLLECTION_PAGE_SIZE } from '../upstream/postman/resources/collections.ts';
import type { ListName } from '../upstream/postman/levels.ts';
import type { ListDemand } from './list-demand.ts';

/** A position in a simulated list. */
export interface SimulatedPosition {
  readonly list: string;
  /** Unique per list. */
  readonly listNumber: number;
  readonly index: number;
}

/** A target, parsed. */
export interface ParsedTarget {
  /** The second path segment, decoded; undefined if there is none. */
  readonly id: string | undefined;
  /** Whether the path or the query has the id of a simulated object. */
  readonly isSimulated: boolean;
  /** Whether the path or the query has the id of an object that is simulated as cached. */
  readonly isCached: boolean;
}

/** The ids of simulated objects. An object has the same id in all runs of one simulation. */
export interface SimulatedIds {
  /** Returns the id of a workspace by its position in a simulated list. */
  idOf(list: string, index: number): string;
  /** Returns the uids of `count` objects of a simulated list, starting at position `from`. */
  uidsOf(list: string, from: number, count: number): readonly string[];
  /** Returns the uid of the collection that this one was forked from. */
  parentOf(uid: string): string;
  /** Whether a collection is looked up by its uid: the client names it, or another collection was forked from it. */
  isLookedUp(uid: string): boolean;
  isSimulated(identifier: string): boolean;
  /** Returns the position of a simulated object; undefined if the object is not simulated. */
  positionOf(identifier: string): SimulatedPosition | undefined;
  /** Ids or uids of simulated objects that are fully cached. They appear only in front of objects a scenario lists. */
  cachedOf(list: ListName): readonly string[];
  /** Parses a target. Repeated calls return the same object. */
  parse(target: string): ParsedTarget;
  /** As in {@link ListDemand}. */
  readonly cursors: ListDemand['cursors'];
  /** As in {@link ListDemand}. */
  readonly ordersLists: boolean;
  /** Length, in items, of simulated lists that come whole: as much as the operation can read of them. */
  readonly listLength: number;
  /** Length, in items, of simulated pages: as much as the operation can read. Upstream's page size also limits it. */
  readonly pageLength: number;
}

// Real lists are shorter: a client that names a position beyond this has made it up.
const LONGEST_LIST = 2_000;
const ID_LENGTH = 36;
// Generation, number of the list, position in the list. The generation is 0 for items of lists, and one more for the
// collection that an object was forked from. No identifier that a client can name matches.
const SIMULATED = /^(?:0-)?~+(\d+)\.(\d+)\.(\d+)$/;
// Names are unique: one search by name would find two objects with the same name.
const NAME_PREFIX = 'simulated ';

/** Returns the name of a simulated object. */
export const toSimulatedName = (identifier: string): string => NAME_PREFIX + identifier;

/** Returns the identifier of the simulated object of this name; undefined if it is no simulated name. */
export const fromSimulatedName = (name: string): string | undefined =>
  name.startsWith(NAME_PREFIX) ? name.slice(NAME_PREFIX.length) : undefined;

/** Creates the ids of one simulation. */
export function createSimulatedIds({ cursors, longestPage, ordersLists }: ListDemand): SimulatedIds {
  const listNumbers = new Map<string, number>();
  const listNames: string[] = [];
  const numberOf = (list: string): number => {
    const number = listNumbers.get(list) ?? listNumbers.size;
    listNumbers.set(list, number);
    listNames[number] = list;
    return number;
  };
  const toId = (generation: number, list: number, index: number) =>
    `${generation}.${list}.${index}`.padStart(ID_LENGTH, '~');
  const named = numberOf('named');
  const cached = numberOf('cached');
  const furthest = cursors.reduce((most, { index }) => Math.max(most, index + 1), 0);
  const listLength = Math.min(LONGEST_LIST, furthest) + longestPage;
  const isSimulated = (identifier: string) => SIMULATED.test(identifier);
  const isCached = (identifier: string) => Number(SIMULATED.exec(identifier)?.[2]) === cached;

  const parsed = new Map<string, ParsedTarget>();
  const parseNow = (target: string): ParsedTarget => {
    const [path = '', query] = target.split('?', 2);
    const [, , segment] = path.split('/', 3);
    const id = segment === undefined ? undefined : decodeURIComponent(segment);
    // Shortcut for most targets: simulated ids have a tilde.
    if (!target.includes('~')) return { id, isSimulated: false, isCached: false };
    const identifiers = [id ?? '', ...valuesIn(query)].map((one) => fromSimulatedName(one) ?? one);
    return { id, isSimulated: identifiers.some(isSimulated), isCached: identifiers.some(isCached) };
  };

  return {
    idOf: (list, index) => toId(0, numberOf(list), index),
    uidsOf(list, from, count) {
      const number = numberOf(list);
      return Array.from({ length: count }, (_, index) => `0-${toId(0, number, from + index)}`);
    },
    parentOf(uid) {
      const [, generation, list, index] = SIMULATED.exec(uid) ?? [];
      return generation === undefined
        ? `0-${toId(1, named, numberOf(uid))}`
        : `0-${toId(Number(generation) + 1, Number(list), Number(index))}`;
    },
    isLookedUp: (uid) => (SIMULATED.exec(uid)?.[1] ?? '1') !== '0',
    isSimulated,
    positionOf(identifier) {
      const [, , number, index] = SIMULATED.exec(identifier) ?? [];
      const listNumber = Number(number);
      return number === undefined ? undefined : { list: listNames[listNumber] ?? '', listNumber, index: Number(index) };
    },
    // Enough of them to fill even a page that starts after a cursor.
    cachedOf: (list) =>
      Array.from(
        { length: listLength + COLLECTION_PAGE_SIZE },
        (_, index) => `${list === 'workspaces' ? '' : '0-'}${toId(0, cached, index)}`,
      ),
    parse(target) {
      const known = parsed.get(target);
      if (known) return known;
      const now = parseNow(target);
      parsed.set(target, now);
      return now;
    },
    cursors,
    ordersLists,
    listLength,
    // Cursors name positions, so a page has to end where upstream's does.
    pageLength: cursors.length === 0 ? longestPage : Number.POSITIVE_INFINITY,
  };
}

/** Returns the decoded values of a query string. */
function valuesIn(query = ''): readonly string[] {
  return query.split('&').map((pair) => decodeURIComponent(pair.slice(pair.indexOf('=') + 1)));
}
