import type { ServerResponse } from 'node:http';
import { createFairCapacity } from '../../upstream/fair-capacity.ts';

// The written data, and either the whole response with it or its compressed form.
const COPIES = 2;

/**
 * Counts the memory of large results that have been written, until their clients have received them.
 *
 * @param maxBytes - For all results together. If a client reads nothing, its result counts until the client is cut off.
 */
export function createWrittenResults(maxBytes: number) {
  const capacity = createFairCapacity(maxBytes);
  return {
    /** Counts `length` bytes until the response is closed. @returns False if there is no memory for them. */
    hold(fairShare: string, length: number, response: ServerResponse): boolean {
      const bytes = length * COPIES;
      // The only result of a fair share always fits, however large.
      if (capacity.usedBy(fairShare) > 0 && !capacity.fits(fairShare, bytes)) return false;
      capacity.add(fairShare, bytes);
      // Not `closed`: Node sets it only for the response that a connection is sending.
      if (response.destroyed) capacity.add(fairShare, -bytes);
      else response.once('close', () => capacity.add(fairShare, -bytes));
      return true;
    },
  };
}
