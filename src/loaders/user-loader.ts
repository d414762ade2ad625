import { type KeyOwner, meCall } from '../upstream/postman/resources/me.ts';
import { type TeamMember, usersCall } from '../upstream/postman/resources/users.ts';
import { ANY_USER } from '../upstream/postman/simulated-world.ts';
import { createPlanner } from './planner.ts';
import type { UpstreamReads } from './reads.ts';

/** Loaders for users. */
export interface UserLoaders {
  /** Returns the owner of the API key. */
  keyOwner(): Promise<KeyOwner>;
  /** Returns all members of the team. */
  teamMembers(): Promise<readonly TeamMember[]>;
  /** Returns what a source says of a user; null if it does not have the user. */
  userById<Source extends UserSource>(request: UserRequest<Source>): Promise<FromSource<Source> | null>;
}

/** Which response describes a user: `GET /me` (the key's owner only), `GET /users`, or either of them. */
export type UserSource = 'me' | 'users' | 'either';

/** What a source says of a user. */
export type FromSource<Source extends UserSource> = {
  readonly me: KeyOwner;
  readonly users: TeamMember;
  readonly either: KeyOwner | TeamMember;
}[Source];

/** A request for one user. */
export interface UserRequest<Source extends UserSource = UserSource> {
  readonly id: string;
  readonly source: Source;
}

/**
 * Creates the user loaders of one operation, which makes each of the two calls at most once. A user that either
 * response describes is looked for:
 *
 * 1. in `GET /me`, if that is cached, or read anyway;
 * 2. in `GET /users`. It is read at once if another request needs it, or if two users are requested, of which one
 *    cannot be the key's owner.
 */
export function createUserLoaders(reads: UpstreamReads): UserLoaders {
  let isMeRequested = false;
  let members: Promise<ReadonlyMap<string, TeamMember>> | undefined;
  const keyOwner = () => {
    isMeRequested = true;
    return reads.get(meCall());
  };
  const membersById = () => {
    members ??= reads.get(usersCall()).then((all) => new Map(all.map((member) => [member.id, member])));
    return members;
  };
  const findOwner = async (id: string) => {
    const owner = await keyOwner();
    return owner.id === id || owner.id === ANY_USER ? owner : null;
  };
  const findMember = async (id: string) => {
    const byId = await membersById();
    return byId.get(id) ?? byId.get(ANY_USER) ?? null;
  };

  const plan = (requests: readonly UserRequest[]): readonly Promise<KeyOwner | TeamMember | null>[] => {
    const isMeFree = isMeRequested || requests.some(({ source }) => source === 'me') || reads.isCached(meCall());
    const ids = new Set(requests.flatMap(({ id, source }) => (source === 'me' ? [] : [id])));
    const needsMembers = ids.size > 1 || requests.some(({ source }) => source === 'users');
    // Each request below handles the failure.
    if (needsMembers) membersById().catch(() => undefined);
    return requests.map(async ({ id, source }) => {
      if (source === 'me') return findOwner(id);
      const owner = source === 'either' && isMeFree ? await findOwner(id).catch(() => null) : null;
      return owner ?? findMember(id);
    });
  };
  const userById = createPlanner(plan, ({ id, source }) => `${source} ${id}`);

  return {
    keyOwner,
    teamMembers: () => {
      void membersById().catch(() => undefined);
      return reads.get(usersCall());
    },
    userById: <Source extends UserSource>(request: UserRequest<Source>) =>
      userById(request) as Promise<FromSource<Source> | null>,
  };
}
