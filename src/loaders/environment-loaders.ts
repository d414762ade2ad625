import {
  type EnvironmentDetail,
  type EnvironmentSummary,
  environmentCall,
  environmentsCall,
} from '../upstream/postman/environments.ts';
import { toOwnerOfUid } from '../upstream/uid.ts';
import type { Level } from '../upstream/postman/levels.ts';
import { createPlannerAfterLists, toGroups } from './planner.ts';
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
  const summaries = reads.listed.environments;
  // Asked for singly already, and so free to ask for again.
  const details = new Set<string>();

  const noteDetails = (requests: readonly EnvironmentRequest[]) => {
    for (const { uid, levels } of requests) if (!levels.includes('summary')) details.add(uid);
  };
  // Lists are searched by uid; a bare id is not one.
  const isListable = (uid: string) =>
    toOwnerOfUid(uid) !== null && !details.has(uid) && !summaries.has(uid) && !reads.isCached(environmentCall(uid));
  const isRenewable = (uid: string) => details.has(uid) && reads.isRenewable(environmentCall(uid));

  const planNow = (requests: readonly EnvironmentRequest[]) => {
    noteDetails(requests);
    const uids = [...toGroups(requests, ({ uid }) => uid).keys()];
    const listable = uids.filter(isListable);
    const keepsList = reads.isCached(environmentsCall(null));
    // A list that is kept has renewed already what it could.
    const renewable = keepsList ? [] : uids.filter(isRenewable);
    const isListWorthIt = listable.length > (keepsList ? 0 : 1) || renewable.length > 1;
    const listed = isListWorthIt ? reads.environments(null) : undefined;

    return async ({ uid, levels }: EnvironmentRequest): Promise<EnvironmentSummary | EnvironmentDetail | null> => {
      if (levels.includes('summary')) {
        if (!summaries.has(uid) && !details.has(uid)) await listed;
        const summary = summaries.get(uid);
        if (summary) return summary;
      }
      details.add(uid);
      // What it shows unchanged needs no call. Should it fail, each is read by itself.
      if (renewable.length > 1 && renewable.includes(uid)) await listed?.catch(() => undefined);
      return reads.environment(uid);
    };
  };

  const mayBeListed = (requests: readonly EnvironmentRequest[]) => {
    noteDetails(requests);
    return new Set(requests.map(({ uid }) => uid).filter((uid) => isListable(uid) || isRenewable(uid)));
  };

  return {
    environmentByUid: createPlannerAfterLists(
      reads.idleTasks,
      summaries,
      mayBeListed,
      planNow,
      ({ uid, levels }) => `${uid} ${levels.join()}`,
    ),
  };
}
