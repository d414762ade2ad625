import { createHash } from 'node:crypto';

/** A set of uids in the short form that fits into a cursor. */
export interface UidSet {
  has(uid: string): boolean;
}

// With 5,000 uids, two of them have the same digest in one of 22 cases.
const DIGEST_BITS = 28;
const MAX_SALT = 255;
const PAYLOAD_BITS = 7;

/** Returns the digest of a uid, a number of 28 bits. */
const toDigest = (uid: string, salt: number) =>
  createHash('sha256').update(`${salt} ${uid}`).digest().readUInt32BE(0) >>> (32 - DIGEST_BITS);

/**
 * Makes a function that writes which uids of a list are in a set, as base64url. It writes the digests of those that are
 * in it, or of those that are not, whichever are fewer: at most four bytes for each of them.
 *
 * A uid that the list lacks is later found in the set or not, whichever was written. So a list may gain and lose uids,
 * and the others stay what they were.
 *
 * @param list - All uids, without duplicates. At most 5,000, or their digests might not be distinct.
 */
export function createUidSetWriter(list: readonly string[]): (members: ReadonlySet<string>) => string {
  // Made on first use: most pages write one cursor or none.
  let sorted: ReturnType<typeof toSortedDigests> | undefined;
  return (members) => {
    sorted ??= toSortedDigests(list);
    const { salt, digests } = sorted;
    const inside = digests.filter(([, uid]) => members.has(uid));
    const writesOutside = inside.length * 2 > digests.length;
    const written = writesOutside ? digests.filter(([, uid]) => !members.has(uid)) : inside;
    const bytes = [salt, writesOutside ? 1 : 0];
    let before = 0;
    for (const [digest] of written) {
      let left = digest - before;
      while (left >= 1 << PAYLOAD_BITS) {
        bytes.push((left & 0x7f) | 0x80);
        left >>>= PAYLOAD_BITS;
      }
      bytes.push(left);
      before = digest;
    }
    return Buffer.from(bytes).toString('base64url');
  };
}

/** Reads what the writer has written; undefined for any other text. */
export function readUidSet(text: string): UidSet | undefined {
  const [salt, isOutside, ...bytes] = Buffer.from(text, 'base64url');
  if (salt === undefined || (isOutside !== 0 && isOutside !== 1)) return undefined;
  const digests = new Set<number>();
  let digest = 0;
  let shift = 0;
  for (const byte of bytes) {
    digest += (byte & 0x7f) * 2 ** shift;
    if (digest >= 2 ** DIGEST_BITS) return undefined;
    if (byte & 0x80) {
      shift += PAYLOAD_BITS;
      continue;
    }
    digests.add(digest);
    shift = 0;
  }
  if (shift !== 0) return undefined;
  return { has: (uid) => digests.has(toDigest(uid, salt)) !== (isOutside === 1) };
}

/** Returns the uids with their digests, in the order of these, and the first salt with which all are distinct. */
function toSortedDigests(list: readonly string[]) {
  for (let salt = 0; ; salt++) {
    const digests = list.map((uid) => [toDigest(uid, salt), uid] as const).sort(([a], [b]) => a - b);
    const isDistinct = digests.every(([digest], index) => digest !== digests[index + 1]?.[0]);
    if (isDistinct || salt === MAX_SALT) return { salt, digests };
  }
}
