/**
 * Makes room of `maxBytes` that is divided between tenants. A tenant may take as much as it leaves free: alone it has half of the room, the next one a quarter, and whoever comes
 * then finds some.
 */
export function createFairCapacity(maxBytes: number) {
  const bytesByKey = new Map<string, number>();
  let totalBytes = 0;
  const usedBy = (keyHash: string) => bytesByKey.get(keyHash) ?? 0;
  return {
    usedBy,
    /** Whether a tenant may take so much more. */
    fits: (keyHash: string, bytes: number) => usedBy(keyHash) + bytes <= maxBytes - totalBytes - bytes,
    /** Takes room, or gives it back where `bytes` is negative. Whether it fits is for the caller to ask. */
    add(keyHash: string, bytes: number) {
      totalBytes += bytes;
      const usedBytes = usedBy(keyHash) + bytes;
      if (usedBytes > 0) bytesByKey.set(keyHash, usedBytes);
      else bytesByKey.delete(keyHash);
    },
  };
}
