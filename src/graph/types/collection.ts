import { collectionAuth } from '../../upstream/collection-format/tree/item.ts';
import { toDescription } from '../../upstream/collection-format/syntax/description.ts';
import { scriptsOf } from '../../upstream/collection-format/fields/scripts.ts';
import { variablesOf } from '../../upstream/collection-format/fields/variables.ts';
import { type Fork, collectionRoute, collectionsRoute } from '../../upstream/postman/resources/collections.ts';
import { routesTo } from '../../upstream/postman/routes.ts';
import { workspaceRoute, workspacesRoute } from '../../upstream/postman/resources/workspaces.ts';
import { builder } from '../builder.ts';
import { createCarriedBy, toGet } from '../planning/carried-by.ts';
import { addChildType, fromRead, fromSummary } from './child-type.ts';
import { connectionType } from '../paging/connection.ts';
import { orderInput } from '../paging/list-order.ts';
import { lookUpChild, toLookupRequest, workspaceOf } from '../planning/lookup.ts';
import { declareRoutes } from '../planning/declare-routes.ts';
import { childRefs, WorkspaceRef, NodeRef, UserRef } from '../refs.ts';
import { AuthRef } from '../tree/auth.ts';
import { ScriptRef } from '../tree/script.ts';
import { VariableRef } from '../tree/variable.ts';
import { toUser } from './user.ts';

const listCost = `in a list, one ${toGet(collectionsRoute)} for every 99`;
const minimalGet = toGet(collectionRoute, '?model=minimal');

/** Declares which upstream responses carry a field of `Collection`. */
export const carriedBy = createCarriedBy('Collection', {
  summary: `${listCost}; for a single collection, one more call to find it in a list`,
  'summary minimal detail':
    'nothing if another selected field already has the list or the collection read; ' +
    `otherwise, ${listCost}, and for a single collection one ${minimalGet}`,
  'minimal detail': `one ${minimalGet} per collection, shared by all such fields; nothing if the tree is selected too`,
  detail: `one ${toGet(collectionRoute)} per collection, shared by all fields of the collection`,
});

const notInRefs = ['summary', 'minimal', 'detail'] as const;
const inReads = ['minimal', 'detail'] as const;
const summary = fromSummary('Collection', notInRefs);
const read = fromRead('Collection', inReads);

const ForkInfoRef = builder.objectRef<Fork>('ForkInfo').implement({
  description: 'Where a forked collection came from.',
  fields: (t) => ({
    label: t.exposeString('label', {
      nullable: true,
      description: 'Label given to the fork when it was created; null when Postman does not say.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the fork was created; null when Postman does not say.',
    }),
    parentUid: t.exposeID('parentUid', {
      nullable: true,
      description: 'Uid of the collection it was forked from; null when Postman does not say.',
    }),
    parent: t.field({
      type: childRefs.Collection,
      nullable: true,
      description:
        'The collection it was forked from; null when it no longer exists or the key may not see it.\n' +
        'Cost: as for `Query.collection`, depending on the fields selected.',
      ...declareRoutes(...routesTo('Collection')),
      resolve: ({ parentUid }, _args, context, info) =>
        parentUid === null ? null : lookUpChild('Collection', context, parentUid, toLookupRequest(info)),
    }),
  }),
});

childRefs.Collection.implement({
  description: 'A Postman collection: requests in folders, with saved examples, scripts, variables and authorization.',
  interfaces: [NodeRef],
  fields: (t) => ({
    description: t.string({
      nullable: true,
      ...carriedBy(inReads, 'Description, usually Markdown; null when it has none.'),
      resolve: read(({ description }) => toDescription(description)),
    }),
    isPublic: t.boolean({
      nullable: true,
      ...carriedBy(
        ['summary'],
        'Whether everyone can see the collection. Only lists say so: null when no list that the key can read ' +
          'contains the collection.',
      ),
      resolve: fromSummary('Collection', ['summary'])(({ isPublic }) => isPublic ?? null),
    }),
    updaterId: t.id({
      nullable: true,
      ...carriedBy(inReads, 'Id of the user who last changed the collection; null when Postman does not say.'),
      resolve: read(({ lastUpdatedBy }) => lastUpdatedBy),
    }),
    updater: t.field({
      type: UserRef,
      nullable: true,
      ...carriedBy(inReads, 'The user who last changed the collection; null when Postman does not say.'),
      resolve: read(({ lastUpdatedBy }) => toUser(lastUpdatedBy)),
    }),
    fork: t.field({
      type: ForkInfoRef,
      nullable: true,
      ...carriedBy(notInRefs, 'Where the collection was forked from; null when it is not a fork.'),
      resolve: summary(({ fork }) => fork),
    }),
    variables: t.field({
      type: [VariableRef],
      nullable: true,
      ...carriedBy(
        inReads,
        'Variables of the collection; null only when the collection cannot be read. Values of secrets are ' +
          'withheld unless the server is configured to reveal them.',
      ),
      resolve: read(({ document }) => variablesOf(document)),
    }),
    auth: t.field({
      type: AuthRef,
      nullable: true,
      ...carriedBy(
        inReads,
        'Authorization of every request that has none itself or in a folder above it; null when the collection ' +
          'has none.',
      ),
      resolve: read(({ document }) => collectionAuth(document)),
    }),
    scripts: t.field({
      type: [ScriptRef],
      nullable: true,
      ...carriedBy(
        inReads,
        'Scripts that run before or after every request of the collection; null only when the collection ' +
          'cannot be read.',
      ),
      resolve: read(({ document }) => scriptsOf(document)),
    }),
    workspace: t.field({
      type: WorkspaceRef,
      nullable: true,
      ...carriedBy(
        ['dedicated'],
        'The workspace that holds the collection. If several do, the first that Postman lists. null when the ' +
          'key sees no such workspace.\n' +
          'Cost: nothing if the contents of the workspaces are known; otherwise, one ' +
          '`GET /workspaces?elementType=collection&elementId=` per collection, or for several collections one ' +
          '`GET /workspaces` and one `GET /workspaces/{id}` per workspace, if that is less.',
        [workspacesRoute.template, workspaceRoute.template],
      ),
      resolve: workspaceOf('Collection'),
    }),
  }),
});

addChildType('Collection', {
  noun: 'collection',
  carriedBy,
  changing: 'anything in the collection',
  lookUpCost:
    `one ${toGet(collectionRoute)}, as \`model=minimal\` unless fields of the tree are selected; ` +
    'one more list for `isPublic`',
});

/** GraphQL type `CollectionConnection`. */
export const CollectionConnection = connectionType('Collection', childRefs.Collection, 'collections');

/** GraphQL input `CollectionOrder`. */
export const CollectionOrder = orderInput('Collection', 'collections');
