/**
 * Divides a capacity of `maxBytes` between API keys. A key may use at most as much as it leaves free: the first key can
 * have half of the capacity, the second a quarter, and so on, so a further key always finds some.
 */
export function createFairCapacity(maxBytes: number) {
  const bytesByKey = new Map<string, number>();
  let totalBytes = 0;
  const usedBy = (keyHash: string) => bytesByKey.get(keyHash) ?? 0;
  return {
    usedBy,
    /** Whether an API key may use `bytes` more. */
    fits: (keyHash: string, bytes: number) => usedBy(keyHash) + bytes <= maxBytes - totalBytes - bytes,
    /** Takes capacity; a negative `bytes` gives it back. It does not check `fits`: that is up to the caller. */
    add(keyHash: string, bytes: number) {
      totalBytes += bytes;
      const usedBytes = usedBy(keyHash) + bytes;
      if (usedBytes > 0) bytesByKey.set(keyHash, usedBytes);
      else bytesByKey.delete(keyHash);
    },
  };
}
