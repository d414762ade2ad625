/**
 * Makes room of `maxBytes` that is divided between tenants. A tenant may take as much as it leaves free: alone it has half of the room, the next one a quarter, and whoever comes
 * then finds some.
 */
export function createFairRoom(maxBytes: number) {
  const ofTenants = new Map<string, number>();
  let totalBytes = 0;
  const heldBy = (tenant: string) => ofTenants.get(tenant) ?? 0;
  return {
    heldBy,
    /** Whether a tenant may take so much more. */
    fits: (tenant: string, bytes: number) => heldBy(tenant) + bytes <= maxBytes - totalBytes - bytes,
    /** Takes room, or gives it back where `bytes` is negative. Whether it fits is for the caller to ask. */
    add(tenant: string, bytes: number) {
      totalBytes += bytes;
      const held = heldBy(tenant) + bytes;
      if (held > 0) ofTenants.set(tenant, held);
      else ofTenants.delete(tenant);
    },
  };
}
