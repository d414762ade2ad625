import { toVariables } from '../upstream/collection-format/variables.ts';
import type { EnvironmentDetail, EnvironmentSummary } from '../upstream/postman/environments.ts';
import { toIdOfUid, toOwnerOfUid } from '../upstream/uid.ts';
import { carriedBy } from './carried-by.ts';
import { connectionType } from './connection.ts';
import type { Context } from './context.ts';
import { type EnvironmentNode, EnvironmentRef } from './refs.ts';
import { VariableRef } from './tree/variable.ts';

const inEveryAnswer = ['ref', 'summary', 'detail'] as const;
const notInRefs = ['summary', 'detail'] as const;

function fromSummary<T>(pick: (environment: EnvironmentSummary) => T | null) {
  return ({ uid, known }: EnvironmentNode, _args: unknown, { loaders }: Context): T | null | Promise<T | null> =>
    known && 'updatedAt' in known
      ? pick(known)
      : loaders.environmentByUid({ uid, levels: notInRefs }).then((loaded) => loaded && pick(loaded));
}

/** Its uid, also where it was looked up by its bare id. */
function uidOf({ uid, known }: EnvironmentNode): string {
  return known?.uid ?? uid;
}

EnvironmentRef.implement({
  description: 'A Postman environment: a named set of variables that requests are sent with.',
  fields: (t) => ({
    id: t.id({
      nullable: false,
      ...carriedBy('Environment', inEveryAnswer, 'Id of the environment, a UUID. It is looked up by `uid`.'),
      resolve: ({ uid, known }) => known?.id ?? toIdOfUid(uid),
    }),
    uid: t.id({
      nullable: false,
      ...carriedBy('Environment', inEveryAnswer, 'Unique id across all of Postman: `<ownerId>-<id>`.'),
      resolve: uidOf,
    }),
    name: t.string({
      nullable: true,
      ...carriedBy(
        'Environment',
        inEveryAnswer,
        'Name of the environment, null when it has none. Names are not unique.',
      ),
      resolve: (node, args, context) =>
        node.known?.name !== undefined ? node.known.name : fromSummary(({ name }) => name ?? null)(node, args, context),
    }),
    ownerId: t.id({
      nullable: true,
      ...carriedBy(
        'Environment',
        inEveryAnswer,
        'User id of the owner, read from the uid; null when a bare id took its place.',
      ),
      resolve: (node) => toOwnerOfUid(uidOf(node)),
    }),
    isPublic: t.boolean({
      nullable: true,
      ...carriedBy(
        'Environment',
        notInRefs,
        'Whether everybody can see the environment; null when Postman does not say.',
      ),
      resolve: fromSummary(({ isPublic }) => isPublic),
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy('Environment', notInRefs, 'When the environment was made; null when Postman does not say.'),
      resolve: fromSummary(({ createdAt }) => createdAt),
    }),
    updatedAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy('Environment', notInRefs, 'When the environment was last changed; null when Postman does not say.'),
      resolve: fromSummary(({ updatedAt }) => updatedAt),
    }),
    values: t.field({
      type: [VariableRef],
      nullable: true,
      ...carriedBy(
        'Environment',
        ['detail'],
        'Variables of the environment with their shared values; what a person keeps locally in the Postman app is not there. Values of secrets are withheld unless the server reveals secrets. null only when the environment cannot be read.',
      ),
      resolve: async ({ uid }, _args, { loaders }) => {
        const detail = await loaders.environmentByUid({ uid, levels: ['detail'] });
        return detail && toVariables((detail as EnvironmentDetail).values);
      },
    }),
  }),
});

/** GraphQL type `EnvironmentConnection`. */
export const EnvironmentConnection = connectionType('Environment', EnvironmentRef, 'environments');
