import type { ChildSummary } from '../../upstream/postman/resources/child-resource.ts';
import type { ChildType, Level } from '../../upstream/postman/levels.ts';
import type { Ref } from '../../upstream/postman/resources/ref.ts';
import { type DetailOf, levelsOf, routesTo, type SummaryOf } from '../../upstream/postman/routes.ts';
import { toOwnerOfUid } from '../../upstream/postman/uid.ts';
import { responseField } from './response-field.ts';
import { builder } from '../builder.ts';
import type { createCarriedBy } from '../planning/carried-by.ts';
import { parseIdentifier } from '../planning/identifiers.ts';
import { toNodeId } from '../node-id.ts';
import { lookUpChild, toLookupRequest } from '../planning/lookup.ts';
import { declareRoutes } from '../planning/declare-routes.ts';
import { type ChildNode, childRefs, UserRef } from '../refs.ts';
import { toUser } from './user.ts';

/** What differs between the types of children of a workspace. */
export interface ChildTypeOptions {
  /** Name of one in descriptions, for example `environment`. */
  readonly noun: string;
  readonly carriedBy: ReturnType<typeof createCarriedBy>;
  /** What has to change for `updatedAt` to change, in its description. Default: the object itself. */
  readonly changing?: string;
  /** `Cost:` line of the root field that looks one up, without the full stop. */
  readonly lookUpCost: string;
}

/** Returns the uid of a child: the one that Postman returned, if it was looked up by its bare id. */
export function uidOf({ uid, known }: ChildNode): string {
  return known?.uid ?? uid;
}

/** Makes resolvers that read the list item the node came with, or else the cheapest response at one of these levels. */
export function fromSummary<Type extends ChildType>(type: Type, levels: readonly Level[]) {
  return responseField<ChildNode<SummaryOf<Type>>, SummaryOf<Type>>(
    ({ known }) => (isSummary(known) ? known : undefined),
    // The cast is safe: these resolvers read only fields that single reads at these levels have too.
    ({ uid, known }, { childByUid }) =>
      childByUid({
        type,
        uid,
        levels,
        ...(known?.name != null && { name: known.name }),
        ...(known && 'failure' in known && { failure: known.failure }),
      }) as Promise<SummaryOf<Type> | null>,
  );
}

/** Makes resolvers that read a single response at one of these levels, which must not include `summary`. */
export function fromRead<Type extends ChildType>(type: Type, levels: readonly Level[]) {
  return responseField<ChildNode<SummaryOf<Type>>, DetailOf<Type>>(
    () => undefined,
    ({ uid }, { childByUid }) => childByUid({ type, uid, levels }) as Promise<DetailOf<Type> | null>,
  );
}

const isSummary = <Summary extends ChildSummary>(known: Ref | Summary | undefined): known is Summary =>
  known !== undefined && 'updatedAt' in known;

/** Adds what all child types have in common: identifying fields, times, and the root field that looks one up. */
export function addChildType(
  type: ChildType,
  { noun, carriedBy, changing = `the ${noun}`, lookUpCost }: ChildTypeOptions,
): void {
  const allLevels = levelsOf(type);
  const notInRefs = allLevels.filter((level) => level !== 'ref');
  const summary = fromSummary(type, notInRefs);
  const nameOf = summary(({ name }) => name ?? null);

  builder.objectFields(childRefs[type], (t) => ({
    id: t.id({
      nullable: false,
      ...carriedBy(allLevels, `Id for caches and \`node\`, unique across all types: \`${type}:\` and \`uid\`.`),
      resolve: (node) => toNodeId({ type, uid: uidOf(node) }),
    }),
    uid: t.id({
      nullable: false,
      ...carriedBy(
        allLevels,
        'Uid that Postman gives it, unique across all of Postman: the id of its owner, `-`, and usually a UUID, which ' +
          'forks and copies can share.',
      ),
      resolve: uidOf,
    }),
    name: t.string({
      nullable: true,
      ...carriedBy(allLevels, `Name of the ${noun}, null when it has none. Names are not unique.`),
      resolve: (node, args, context) =>
        node.known?.name !== undefined ? node.known.name : nameOf(node, args, context),
    }),
    ownerId: t.id({
      nullable: true,
      ...carriedBy(allLevels, 'User id of the owner, taken from the uid; null when only a bare id is known.'),
      resolve: (node) => toOwnerOfUid(uidOf(node)),
    }),
    owner: t.field({
      type: UserRef,
      nullable: true,
      ...carriedBy(allLevels, 'The owner, taken from the uid as `ownerId` is; null when only a bare id is known.'),
      resolve: (node) => toUser(toOwnerOfUid(uidOf(node))),
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy(notInRefs, `When the ${noun} was created; null when Postman does not say.`),
      resolve: summary(({ createdAt }) => createdAt),
    }),
    updatedAt: t.field({
      type: 'DateTime',
      nullable: true,
      ...carriedBy(notInRefs, `When ${changing} was last changed; null when Postman does not say.`),
      resolve: summary(({ updatedAt }) => updatedAt),
    }),
  }));

  builder.queryField(`${type.charAt(0).toLowerCase()}${type.slice(1)}`, (t) =>
    t.field({
      type: childRefs[type],
      nullable: true,
      description: `One ${noun}; null when no ${noun} has this uid or the key may not see it.\nCost: ${lookUpCost}.`,
      ...declareRoutes(...routesTo(type)),
      args: {
        uid: t.arg.id({
          required: true,
          description: `Uid of the ${noun}. A bare id works for ${noun}s of the key's own user.`,
        }),
      },
      resolve: (_root, { uid }, context, info) =>
        lookUpChild(type, context, parseIdentifier(uid, 'uid'), toLookupRequest(info)),
    }),
  );
}
