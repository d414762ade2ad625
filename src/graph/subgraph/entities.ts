import { childTypes } from '../../upstream/postman/levels.ts';
import { routesTo } from '../../upstream/postman/routes.ts';
import { meRoute } from '../../upstream/postman/resources/me.ts';
import { usersRoute } from '../../upstream/postman/resources/users.ts';
import { workspaceRoute } from '../../upstream/postman/resources/workspaces.ts';
import { badUserInput } from '../errors/bad-user-input.ts';
import { builder } from '../builder.ts';
import { parseIdentifier } from '../planning/identifiers.ts';
import { lookUpEntity } from '../planning/lookup.ts';
import { lookUpUser, needsOwner } from '../planning/lookup-user.ts';
import { declareRoutes } from '../planning/declare-routes.ts';
import { type ChildNode, childRefs, type UserNode, UserRef, type WorkspaceNode, WorkspaceRef } from '../refs.ts';
import { createSelectionOn } from '../planning/selection.ts';
import { type EntityType, entityKeys, isEntityType } from './entity-keys.ts';

/** Largest number of representations in one operation: ten full pages of a list. Each is looked up by itself. */
export const MAX_REPRESENTATIONS = 1_000;
const SHOWN_NAME_LENGTH = 100;

/** An object that another subgraph refers to. */
interface Reference {
  readonly type: EntityType;
  /** Value of the type's key field. */
  readonly key: string;
}

type Entity = (WorkspaceNode | ChildNode | UserNode) & { readonly __typename: EntityType };

builder.scalarType('_Any', {
  description: 'A representation of an entity: its `__typename` and its key.',
  serialize: (value) => value,
  parseValue: (value) => value,
});

const EntityRef = builder.unionType('_Entity', {
  description: 'The types that other subgraphs can refer to.',
  types: [WorkspaceRef, UserRef, ...Object.values(childRefs)],
  resolveType: (entity) => (entity as Entity).__typename,
});

builder.queryField('_entities', (t) =>
  t.field({
    type: [EntityRef],
    nullable: { list: false, items: true },
    description:
      'The entities that the representations refer to, in the same order; their calls are planned together. null ' +
      'for an entity that does not exist; null with an error for one that cannot be read, and for an invalid ' +
      'representation.',
    ...declareRoutes(meRoute.template, usersRoute.template, workspaceRoute.template, ...childTypes.flatMap(routesTo)),
    args: {
      representations: t.arg({
        type: ['_Any'],
        required: { list: true, items: true },
        description: `Representations of the entities, at most ${MAX_REPRESENTATIONS} in one operation.`,
      }),
    },
    resolve: (_root, { representations }, context, info) => {
      const selectionOn = createSelectionOn(info);
      return representations.map(async (representation, index) => {
        const { type, key } = parseReference(representation);
        const path = { prev: info.path, key: index, typename: undefined };
        const selection = selectionOn(type);
        const node =
          type === 'User'
            ? await lookUpUser(context.at(path), key, needsOwner(selection))
            : await lookUpEntity(type, context, key, { selection, path });
        return node && { ...node, __typename: type };
      });
    },
  }),
);

/**
 * Parses a representation that a gateway sent.
 *
 * @throws {GraphQLError} BAD_USER_INPUT
 */
function parseReference(representation: unknown): Reference {
  const type = valueAt(representation, '__typename');
  if (typeof type !== 'string') throw badUserInput('A representation must be an object with a "__typename".');
  if (!isEntityType(type)) {
    const entities = Object.entries(entityKeys).map(([name, key]) => `${name} by "${key}"`);
    throw badUserInput(
      `"${type.slice(0, SHOWN_NAME_LENGTH)}" is not an entity of this subgraph. Entities: ${entities.join(', ')}.`,
    );
  }
  const keyField = entityKeys[type];
  const key = valueAt(representation, keyField);
  if (typeof key !== 'string') throw badUserInput(`A representation of ${type} must have "${keyField}" as text.`);
  return { type, key: parseIdentifier(key, `${type}.${keyField}`) };
}

function valueAt(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
