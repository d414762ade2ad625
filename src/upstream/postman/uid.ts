// A UUID has hyphens too, so one that stands alone would be taken apart.
const BARE_UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const UID = /^([0-9a-z]{1,23})-(.+)$/i;

/**
 * The id inside a uid: what stands after the first hyphen, usually a UUID, of GraphQL and gRPC requests 24 hexadecimal digits. A
 * bare id stays as it is.
 */
export function toIdOfUid(uid: string): string {
  return toParts(uid)?.[2] ?? uid;
}

/** The owner inside a uid: what stands before the first hyphen, 1 to 23 letters and digits. null for a bare id. */
export function toOwnerOfUid(uid: string): string | null {
  return toParts(uid)?.[1] ?? null;
}

/**
 * Whether an answer is of the thing that was asked for. A bare id that was asked for is that of every uid with this id. Postman takes
 * identifiers without regard to case.
 *
 * @param actual - Id or uid by which the answer names itself.
 * @param requested - Id or uid that was asked for.
 */
export function isSameObject(actual: string, requested: string): boolean {
  const [one, other] = [actual.toLowerCase(), requested.toLowerCase()];
  if (one === other) return true;
  const isBare = toOwnerOfUid(one) === null || toOwnerOfUid(other) === null;
  return isBare && toIdOfUid(one) === toIdOfUid(other);
}

const toParts = (uid: string) => (BARE_UUID.test(uid) ? null : UID.exec(uid));
