import { COLLECTION_PAGE_SIZE } from '../upstream/postman/resources/collections.ts';
import type { ListName } from '../upstream/postman/levels.ts';
import type { ListDemand } from './list-demand.ts';

/** A place in a simulated list. */
export interface SimulatedPosition {
  readonly list: string;
  /** Different lists have different numbers. */
  readonly listNumber: number;
  readonly index: number;
}

/** A target, taken apart. */
export interface ParsedTarget {
  /** The segment after the first, decoded; undefined where there is none. */
  readonly id: string | undefined;
  /** Anything that it names is simulated. */
  readonly isSimulated: boolean;
  /** Anything that it names is simulated as cached. */
  readonly isCached: boolean;
}

/** The identifiers of simulated things. The same thing has the same identifier in all runs of one simulation. */
export interface SimulatedIds {
  /** The id of a workspace. */
  idOf(list: string, index: number): string;
  /** The uids of so many things that a workspace holds, from a place of their list on. */
  uidsOf(list: string, from: number, count: number): readonly string[];
  /** From which collection one was forked. */
  parentOf(uid: string): string;
  /** Whether a collection is looked up: a client has named it, or another was forked from it. */
  isLookedUp(uid: string): boolean;
  isSimulated(identifier: string): boolean;
  /** Where a simulated thing stands; undefined: it is not simulated. */
  positionOf(identifier: string): SimulatedPosition | undefined;
  /** Ids, or uids, of simulated things that are fully cached. They appear only in front of the things that a scenario lists. */
  cachedOf(list: ListName): readonly string[];
  /** Parses a target, once. */
  parse(target: string): ParsedTarget;
  /** As in {@link ListDemand}. */
  readonly cursors: ListDemand['cursors'];
  /** So many items are enough of a list that comes whole. */
  readonly listLength: number;
  /** So many are enough of a page of a list. At most what upstream sends. */
  readonly pageLength: number;
}

// A place beyond that is made up by the client.
const LONGEST_LIST = 2_000;
const ID_LENGTH = 36;
// No identifier that a client can name has it: generation, number of the list, place in the list.
const SIMULATED = /^(?:0-)?~+(\d+)\.(\d+)\.(\d+)$/;
// Unique, because one call would find two things of the same name.
const NAME_PREFIX = 'simulated ';

/** The name of a simulated thing. */
export const toSimulatedName = (identifier: string): string => NAME_PREFIX + identifier;

/** The identifier of the simulated thing of that name; undefined: nothing simulated has it. */
export const fromSimulatedName = (name: string): string | undefined =>
  name.startsWith(NAME_PREFIX) ? name.slice(NAME_PREFIX.length) : undefined;

/** Makes the identifiers of one simulation. */
export function createSimulatedIds({ cursors, longestPage }: ListDemand): SimulatedIds {
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
    // Most name nothing that is simulated, which shows at a glance.
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
      return number === undefined ? undefined : { list: names[listNumber] ?? '', listNumber, index: Number(index) };
    },
    // A client that continues after a place finds only these, too.
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
    listLength,
    // Where places are named, a page has to end where upstream's does.
    pageLength: cursors.length === 0 ? longestPage : Number.POSITIVE_INFINITY,
  };
}

/** The values of query parameters, decoded. */
function valuesIn(query = ''): readonly string[] {
  return query.split('&').map((pair) => decodeURIComponent(pair.slice(pair.indexOf('=') + 1)));
}
