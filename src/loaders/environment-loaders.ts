import { type EnvironmentDetail, type EnvironmentSummary, toOwnerOfUid } from '../upstream/models.ts';
import type { Level } from './levels.ts';
import { createPlanner, toGroups } from './planner.ts';
import type { Reads } from './reads.ts';

/** One environment, and the levels of which any will do. */
export interface EnvironmentRequest {
  readonly uid: string;
  readonly levels: readonly Level[];
}

/** What is read about single environments, by the fewest calls. */
export interface EnvironmentLoaders {
  /** The environment at one of the levels asked for. null: there is no such environment. */
  environmentByUid(request: EnvironmentRequest): Promise<EnvironmentSummary | EnvironmentDetail | null>;
}

/**
 * Makes the environment loaders of one operation.
 *
 * All requests of one tick are planned together: where summary fields of several environments are wanted, one list answers
 * them, and single reads those the list lacks.
 */
export function createEnvironmentLoaders(reads: Reads): EnvironmentLoaders {
  const summaries = reads.seen.environments;
  // Asked for singly already, and so free to ask for again.
  const details = new Set<string>();

  const plan = (requests: readonly EnvironmentRequest[]) => {
    for (const { uid, levels } of requests) if (!levels.includes('summary')) details.add(uid);
    const listable = [...toGroups(requests, ({ uid }) => uid).keys()].filter(
      // Lists are searched by uid; a bare id is not one.
      (uid) => toOwnerOfUid(uid) !== null && !details.has(uid) && !summaries.has(uid),
    );
    const listed = listable.length > 1 ? reads.environments(null) : undefined;

    return requests.map(async ({ uid, levels }) => {
      if (levels.includes('summary')) {
        if (!summaries.has(uid) && !details.has(uid)) await listed;
        const summary = summaries.get(uid);
        if (summary) return summary;
      }
      details.add(uid);
      return reads.environment(uid);
    });
  };

  return { environmentByUid: createPlanner(plan, ({ uid, levels }) => `${uid} ${levels.join()}`) };
}
