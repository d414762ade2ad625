// A UUID has hyphens too, so UID alone would split a bare one.
const BARE_UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const UID = /^([0-9a-z]{1,23})-(.+)$/i;

/**
 * Returns the id inside a uid: the part after the first hyphen, usually a UUID, and 24 hexadecimal digits for GraphQL
 * and gRPC requests. A bare id is returned unchanged.
 */
export function toIdOfUid(uid: string): string {
  return toParts(uid)?.[2] ?? uid;
}

/** Returns the owner inside a uid: the part before the first hyphen, 1 to 23 letters and digits. null for a bare id. */
export function toOwnerOfUid(uid: string): string | null {
  return toParts(uid)?.[1] ?? null;
}

/**
 * Whether two identifiers can name the same object. A bare id matches every uid that contains it. Case is ignored, as
 * Postman does.
 *
 * @param actual - The id or uid in the response.
 * @param requested - The id or uid that was requested.
 */
export function isSameObject(actual: string, requested: string): boolean {
  const [one, other] = [actual.toLowerCase(), requested.toLowerCase()];
  if (one === other) return true;
  const isBare = toOwnerOfUid(one) === null || toOwnerOfUid(other) === null;
  return isBare && toIdOfUid(one) === toIdOfUid(other);
}

/** Whether this is a UUID: the form of a bare id, and of the id of a workspace. */
export function isUuid(id: string): boolean {
  return BARE_UUID.test(id);
}

const toParts = (uid: string) => (BARE_UUID.test(uid) ? null : UID.exec(uid));
