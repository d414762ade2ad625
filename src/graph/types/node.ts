import type { GraphQLResolveInfo, ResponsePath } from 'graphql';
import type { CollectionItem } from '../../upstream/collection-format/tree/collection-tree.ts';
import { toExamples } from '../../upstream/collection-format/tree/examples.ts';
import { childTypes, type LeveledType } from '../../upstream/postman/levels.ts';
import { meRoute } from '../../upstream/postman/resources/me.ts';
import { usersRoute } from '../../upstream/postman/resources/users.ts';
import { workspaceRoute } from '../../upstream/postman/resources/workspaces.ts';
import { routesTo } from '../../upstream/postman/routes.ts';
import { builder } from '../builder.ts';
import type { Context } from '../context.ts';
import { badUserInput } from '../errors/bad-user-input.ts';
import { NODE_ID_FORMS, type NodeKey, parseNodeId } from '../node-id.ts';
import { declareRoutes } from '../planning/declare-routes.ts';
import { isIdentifier } from '../planning/identifiers.ts';
import { lookUpEntity } from '../planning/lookup.ts';
import { createSelectionOn } from '../planning/selection.ts';
import { type AnyNode, NodeRef } from '../refs.ts';
import { lookUpUser } from '../planning/lookup-user.ts';

/** Largest number of `ids` of one field `nodes`: each is looked up by itself. */
const MAX_NODES = 100;
const SHOWN_LENGTH = 100;
// Comparing these takes less than a tenth of a millisecond.
const ITEMS_PER_STEP = 10_000;

const routes = declareRoutes(
  meRoute.template,
  usersRoute.template,
  workspaceRoute.template,
  ...childTypes.flatMap(routesTo),
);

builder.queryFields((t) => ({
  node: t.field({
    type: NodeRef,
    nullable: true,
    description:
      'One object by its `id`; null when it does not exist or the key may not see it.\n' +
      'Cost: that of the root field of its type, such as `collection`, depending on the fields selected; one ' +
      '`GET /me` for a user, and one `GET /users` if they are not the owner of the API key; one `GET /collections/{uid}` for a folder, request or example.',
    ...routes,
    args: { id: t.arg.id({ required: true, description: `Id of the object: ${NODE_ID_FORMS}.` }) },
    resolve: (_root, { id }, context, info) => createLookup(context, info)(id, info.path),
  }),
  nodes: t.field({
    type: [NodeRef],
    nullable: { list: false, items: true },
    description:
      'Objects by their `id`s, in the same order; null for one that does not exist or that the key may not see. ' +
      'Their calls are planned together.\n' +
      'Cost: that of `node` for each, without the calls that they share.',
    ...routes,
    args: {
      ids: t.arg.idList({
        required: true,
        description: `Ids of the objects, at most ${MAX_NODES}, and 1,000 in one operation; see \`node\`.`,
      }),
    },
    resolve: (_root, { ids }, context, info) => {
      if (ids.length > MAX_NODES) throw badUserInput(`"ids" has ${ids.length} items; it may have ${MAX_NODES}.`);
      const lookUp = createLookup(context, info);
      return ids.map((id, index) => lookUp(id, { prev: info.path, key: index, typename: undefined }));
    },
  }),
}));

/** Makes the function that looks up one object by its `id`, and reads what is selected on it. */
function createLookup(context: Context, info: GraphQLResolveInfo) {
  const selectionOn = createSelectionOn(info);
  return async (id: string, path: ResponsePath): Promise<AnyNode | null> => {
    const key = toKey(id);
    const findEntity = async (type: LeveledType, identifier: string) => {
      const node = await lookUpEntity(type, context, identifier, { selection: selectionOn(type), path });
      return node && { ...node, __typename: type };
    };
    switch (key.type) {
      case 'User':
        return findUser(key.id, context.at(path));
      case 'Workspace':
        return findEntity(key.type, key.id);
      case 'Folder':
      case 'Request':
      case 'Example':
        return findItem(key, context.at(path));
      default:
        return findEntity(key.type, key.uid);
    }
  };
}

type ItemKey = Extract<NodeKey, { readonly itemId: string }>;

/** @throws {GraphQLError} BAD_USER_INPUT */
function toKey(id: string): NodeKey {
  const key = parseNodeId(id);
  if (key && isIdentifier('uid' in key ? key.uid : 'id' in key ? key.id : key.collectionUid)) return key;
  throw badUserInput(`"${id.slice(0, SHOWN_LENGTH)}" is not the \`id\` of an object. Its forms: ${NODE_ID_FORMS}.`);
}

/** Finds the owner of the key, who may have no team that could be listed, or else a member of the team. */
async function findUser(id: string, context: Context): Promise<AnyNode | null> {
  const user = await lookUpUser(context, id, true);
  return user && { ...user, __typename: 'User' };
}

async function findItem(key: ItemKey, context: Context): Promise<AnyNode | null> {
  const { loaders, resultSize, slices, treeOf, isSimulation } = context;
  const collection = await loaders.childByUid({ type: 'Collection', uid: key.collectionUid, levels: ['detail'] });
  if (!collection || !('document' in collection)) return null;
  // Parsing a large collection blocks the event loop, so other work gets one round of the loop first.
  await slices.pause();
  const { folders, requests } = await treeOf(collection);
  const items = key.type === 'Folder' ? folders : requests;
  // Each of the simulated items can stand for the one that is looked up, and a simulation resolves lists anywhere.
  if (isSimulation) return (key.type === 'Example' ? requests.flatMap(toExamples) : items) as unknown as AnyNode;
  resultSize.search(items.length);
  const item = await slices.run(findIn(items, ({ id }) => id === key.itemId));
  if (key.type !== 'Example' || item?.kind !== 'request') return item ?? null;
  return toExamples(item).find((example) => example.key === key.exampleKey) ?? null;
}

function* findIn(items: readonly CollectionItem[], matches: (item: CollectionItem) => boolean) {
  for (let start = 0; start < items.length; start += ITEMS_PER_STEP) {
    const found = items.slice(start, start + ITEMS_PER_STEP).find(matches);
    if (found) return found;
    yield;
  }
  return undefined;
}
