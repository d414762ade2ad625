/** How many operations may be open at once whose answers come in parts. */
export interface StreamBounds {
  /** Of all keys together. */
  readonly maxStreams: number;
  readonly maxStreamsPerKey: number;
}

/** Which bound leaves no room for one more: that of its key, or that of the process. */
export type FullBound = 'key' | 'process';

/** The operations that are open and whose answers come in parts: each can wait for minutes, and takes memory as long. */
export interface OpenStreams {
  /** Opens one more, unless there is no room for it. */
  open(tenant: string): FullBound | undefined;
  /** One has ended. */
  close(tenant: string): void;
}

/**
 * Makes the count of a process: none is open yet.
 *
 * A key may have as many open as there are left for others, at most: one key takes half of all, two take a third each, and a key that has none
 * finds room whatever a few others do.
 */
export function createOpenStreams({ maxStreams, maxStreamsPerKey }: StreamBounds): OpenStreams {
  const ofTenants = new Map<string, number>();
  let count = 0;
  return {
    open(tenant) {
      const own = ofTenants.get(tenant) ?? 0;
      if (own >= maxStreamsPerKey) return 'key';
      if (own >= maxStreams - count) return 'process';
      ofTenants.set(tenant, own + 1);
      count++;
      return undefined;
    },
    close(tenant) {
      const left = (ofTenants.get(tenant) ?? 0) - 1;
      if (left > 0) ofTenants.set(tenant, left);
      else ofTenants.delete(tenant);
      count--;
    },
  };
}
