import { createHash } from 'node:crypto';
import { badUserInput } from '../errors/bad-user-input.ts';
import { readUidSet, type UidSet } from './uid-set.ts';

/** A collection whose items have been searched up to one of them. */
export interface PartlySearched {
  readonly uid: string;
  /** Position of that item in the collection, starting at 0. */
  readonly index: number;
  /** Id of that item, to find it again when positions have changed. */
  readonly id: string;
}

/** How far a search has come: what its cursors say. */
export interface SearchProgress {
  /** Collections that have been searched to their end. */
  readonly finished: UidSet;
  /** Collections that have been searched in part: usually the one of the cursor's node. */
  readonly partials: readonly PartlySearched[];
  /** Number of matches so far. */
  readonly matchCount: number;
}

/** The fields of `Query` that search collections. */
export const searchKinds = ['requests', 'folders'] as const;

/** What is searched. A cursor of one search is an error in another. */
export interface SearchIdentity {
  readonly kind: (typeof searchKinds)[number];
  readonly workspaceId: string | null;
  /** Conditions; null and missing ones are equal. */
  readonly filter: Readonly<Record<string, unknown>>;
}

/** The progress of a search that has not begun. */
export const NO_PROGRESS: SearchProgress = { finished: { has: () => false }, partials: [], matchCount: 0 };

// Four bytes for each of 2,500 collections, in base64, and the partials.
const MAX_CURSOR_LENGTH = 16_384;
// Only a collection that fails again and again while it is searched in part adds one.
const MAX_PARTIALS = 8;
const MAX_ID_LENGTH = 200;

/**
 * Writes a cursor. It is valid as long as the items stay the same, also when more collections are cached by then, when
 * collections are added or removed, and after a restart.
 *
 * @param finished - Collections that have been searched to their end, as a `createUidSetWriter` writes them.
 */
export function writeSearchCursor(
  identity: SearchIdentity,
  finished: string,
  { partials, matchCount }: Omit<SearchProgress, 'finished'>,
): string {
  const parts = partials
    .slice(-MAX_PARTIALS)
    .map(({ uid, index, id }) => [uid, index, id.length > MAX_ID_LENGTH ? '' : id]);
  const head = JSON.stringify([toDigest(identity), matchCount, parts]);
  return `${Buffer.from(head).toString('base64url')}.${finished}`;
}

/**
 * Reads the `after` argument of a search.
 *
 * @throws {GraphQLError} BAD_USER_INPUT for text that is not a cursor of this search.
 */
export function readSearchCursor(identity: SearchIdentity, text: string): SearchProgress {
  const progress = text.length <= MAX_CURSOR_LENGTH ? read(identity, text) : undefined;
  if (progress) return progress;
  throw badUserInput(
    '"after" is not a cursor of this search: pass an endCursor, or the cursor of an edge, unchanged, with the same ' +
      'filter and workspaceId.',
  );
}

function read(identity: SearchIdentity, text: string): SearchProgress | undefined {
  const [head = '', set, ...rest] = text.split('.');
  const finished = set === undefined || rest.length > 0 ? undefined : readUidSet(set);
  if (!finished) return undefined;
  try {
    const parts: unknown = JSON.parse(Buffer.from(head, 'base64url').toString());
    if (!Array.isArray(parts) || parts.length !== 3) return undefined;
    const [digest, matchCount, partials] = parts as unknown[];
    if (digest !== toDigest(identity) || !isPosition(matchCount)) return undefined;
    if (!Array.isArray(partials) || partials.length > MAX_PARTIALS) return undefined;
    return { finished, matchCount, partials: partials.map(toPartlySearched) };
  } catch {
    // Not JSON, or JSON of another shape.
    return undefined;
  }
}

/** @throws {TypeError} */
function toPartlySearched(value: unknown): PartlySearched {
  const [uid, index, id] = Array.isArray(value) ? (value as unknown[]) : [];
  if (typeof uid !== 'string' || !isPosition(index) || typeof id !== 'string')
    throw new TypeError('The cursor names no position');
  return { uid, index, id };
}

const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function toDigest({ kind, workspaceId, filter }: SearchIdentity): string {
  const conditions = Object.entries(filter)
    .filter(([, value]) => value != null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([kind, workspaceId, conditions]))
    .digest('base64url')
    .slice(0, 10);
}
