import type { FromSource, UserSource } from '../../loaders/user-loader.ts';
import type { Level } from '../../upstream/postman/levels.ts';
import { meRoute } from '../../upstream/postman/resources/me.ts';
import { usersRoute } from '../../upstream/postman/resources/users.ts';
import type { Context } from '../context.ts';
import { createCarriedBy, toGet } from '../planning/carried-by.ts';
import { noteForbidden } from '../planning/lookup-user.ts';
import { NodeRef, type UserNode, UserRef } from '../refs.ts';

/** The level at which each source carries users. */
const LEVELS = { me: ['detail'], users: ['summary'], either: ['summary', 'detail'] } as const satisfies Readonly<
  Record<UserSource, readonly Level[]>
>;

const levelCarriedBy = createCarriedBy('User', {
  'summary detail':
    `nothing for the owner of the API key if ${toGet(meRoute)} is made anyway; otherwise one ${toGet(usersRoute)}, ` +
    'shared by all users in the operation',
  summary: `one ${toGet(usersRoute)}, shared by all users in the operation`,
  detail: `one ${toGet(meRoute)}, shared by all users in the operation`,
});

/** Declares which response carries a field: one call serves all users of an operation. */
function carriedBy(source: UserSource, description: string) {
  const { extensions, ...options } = levelCarriedBy(LEVELS[source], description);
  return { ...options, extensions: { ...extensions, oncePerOperation: true } };
}

/** Makes resolvers of fields that a source of users carries; null for a user whom the source does not have. */
function fromSource<Source extends UserSource>(source: Source) {
  return <T>(pick: (user: FromSource<Source>) => T | null) =>
    async ({ id }: UserNode, _args: unknown, context: Context): Promise<T | null> => {
      try {
        const user = await context.loaders.userById({ id, source });
        return user && pick(user);
      } catch (error) {
        if (noteForbidden(error, context)) throw error;
        return null;
      }
    };
}

const either = fromSource('either');
const me = fromSource('me');

UserRef.implement({
  description:
    'A Postman user. `id` is always known. Names are known for the owner of the API key and for members of their ' +
    'team: the fields of everybody else, such as a former member, are null. If the key may not list the team, one ' +
    'error says so for all users in the operation.',
  interfaces: [NodeRef],
  fields: (t) => ({
    id: t.exposeID('id', {
      nullable: false,
      description: 'Id of the user, the same as in `ownerId`, `creatorId` and `updaterId` of other types.',
    }),
    username: t.string({
      nullable: true,
      ...carriedBy('either', 'User name; null when Postman does not say.'),
      resolve: either(({ username }) => username),
    }),
    fullName: t.string({
      nullable: true,
      ...carriedBy('either', 'Full name; null when Postman does not say.'),
      resolve: either(({ fullName }) => fullName),
    }),
    email: t.string({
      nullable: true,
      ...carriedBy('either', 'E-mail address; null when Postman does not say.'),
      resolve: either(({ email }) => email),
    }),
    roles: t.stringList({
      nullable: true,
      ...carriedBy('either', 'Roles in the team, for example `admin`; null when Postman does not say.'),
      resolve: either(({ roles }) => roles && [...roles]),
    }),
    joinedAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy('users', 'When the user joined the team; null when Postman does not say.'),
      resolve: fromSource('users')(({ joinedAt }) => joinedAt),
    }),
    avatarUrl: t.string({
      nullable: true,
      ...carriedBy('me', 'URL of the profile picture of the owner of the API key; null for everybody else.'),
      resolve: me(({ avatarUrl }) => avatarUrl),
    }),
    teamId: t.id({
      nullable: true,
      ...carriedBy('me', 'Id of the team of the owner of the API key; null without a team, and for everybody else.'),
      resolve: me(({ teamId }) => teamId),
    }),
    teamName: t.string({
      nullable: true,
      ...carriedBy('me', 'Name of the team of the owner of the API key; null without a team, and for everybody else.'),
      resolve: me(({ teamName }) => teamName),
    }),
  }),
});

/** Returns the node of a user; null where the object does not name one. */
export function toUser(id: string | null): UserNode | null {
  return id === null ? null : { id };
}
