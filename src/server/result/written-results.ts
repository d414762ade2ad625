import type { ServerResponse } from 'node:http';
import { createFairCapacity } from '../../upstream/fair-capacity.ts';

// As it is written, and put together with what stands around it, or compressed.
const COPIES = 2;

/**
 * Makes the count of large answers that have been written, until their clients have taken them.
 *
 * @param maxBytes - Over all answers. A client that takes none of its answer holds it until it is cut off.
 */
export function createWrittenResults(maxBytes: number) {
  const capacity = createFairCapacity(maxBytes);
  return {
    /** Holds an answer of so many bytes until its response is closed. @returns Whether there is memory for it. */
    hold(fairShare: string, length: number, response: ServerResponse): boolean {
      const bytes = length * COPIES;
      // One alone always has room, however large.
      if (capacity.usedBy(fairShare) > 0 && !capacity.fits(fairShare, bytes)) return false;
      capacity.add(fairShare, bytes);
      if (response.closed) capacity.add(fairShare, -bytes);
      else response.once('close', () => capacity.add(fairShare, -bytes));
      return true;
    },
  };
}
