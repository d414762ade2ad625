import { type MockMatching, mockRoute, mocksRoute } from '../../upstream/postman/resources/mocks.ts';
import { routesTo } from '../../upstream/postman/routes.ts';
import { builder } from '../builder.ts';
import { createCarriedBy, toGet } from '../planning/carried-by.ts';
import { addChildType, fromSummary } from './child-type.ts';
import { connectionType } from '../paging/connection.ts';
import { orderInput } from '../paging/list-order.ts';
import { lookUpChild, toLookupRequest } from '../planning/lookup.ts';
import { childRefs, NodeRef } from '../refs.ts';

const singleCost = `one ${toGet(mockRoute)}`;
const carriedBy = createCarriedBy('Mock', {
  'summary detail': `in a list, one ${toGet(mocksRoute, '?workspace=')}; for a single mock server ${singleCost}`,
});

const allLevels = ['ref', 'summary', 'detail'] as const;
const notInRefs = ['summary', 'detail'] as const;
const summary = fromSummary('Mock', notInRefs);
const isActive = summary((mock) => mock.isActive);
const collectionUid = summary((mock) => mock.collectionUid);
const environmentUid = summary((mock) => mock.environmentUid);

const MockMatchingRef = builder.objectRef<MockMatching>('MockMatching').implement({
  description: 'How a mock server matches a call to an example, in addition to method and path.',
  fields: (t) => ({
    body: t.exposeBoolean('body', { nullable: false, description: 'Whether the body must be equal.' }),
    headers: t.stringList({
      nullable: false,
      description: 'Names of the headers that must be equal; empty when none is compared.',
      resolve: ({ headers }) => [...headers],
    }),
    queryParams: t.exposeBoolean('queryParams', {
      nullable: false,
      description: 'Whether the query parameters must be equal.',
    }),
    wildcards: t.exposeBoolean('wildcards', {
      nullable: false,
      description: 'Whether wildcards in the path are matched.',
    }),
  }),
});

childRefs.Mock.implement({
  description: 'A Postman mock server. It responds to calls with the examples of a collection.',
  interfaces: [NodeRef],
  fields: (t) => ({
    isActive: t.boolean({
      nullable: true,
      ...carriedBy(allLevels, 'Whether the mock server responds to calls; null only when it cannot be read.'),
      resolve: (node, args, context) =>
        node.known && 'isActive' in node.known ? node.known.isActive : isActive(node, args, context),
    }),
    isPublic: t.boolean({
      nullable: true,
      ...carriedBy(
        notInRefs,
        'Whether everyone can call the mock server without an API key; null when Postman does not say.',
      ),
      resolve: summary(({ isPublic }) => isPublic),
    }),
    url: t.string({
      nullable: true,
      ...carriedBy(notInRefs, 'URL of the mock server; null when Postman does not say.'),
      resolve: summary(({ url }) => url),
    }),
    delayMs: t.int({
      nullable: true,
      ...carriedBy(notInRefs, 'Delay of every response in milliseconds; null when responses are not delayed.'),
      resolve: summary(({ delayMs }) => delayMs),
    }),
    matching: t.field({
      type: MockMatchingRef,
      nullable: true,
      ...carriedBy(notInRefs, 'How a call is matched to an example; null when Postman does not say.'),
      resolve: summary(({ matching }) => matching),
    }),
    collectionUid: t.id({
      nullable: true,
      ...carriedBy(notInRefs, 'Uid of the collection whose examples are served; null when Postman does not say.'),
      resolve: collectionUid,
    }),
    collection: t.field({
      type: childRefs.Collection,
      nullable: true,
      ...carriedBy(
        notInRefs,
        'The collection whose examples are served; null when it no longer exists or the key may not see ' +
          'it.\n' +
          'Cost: that of `collectionUid` plus that of `Query.collection`, depending on the fields selected.',
        routesTo('Collection'),
      ),
      resolve: async (node, args, context, info) => {
        const uid = await collectionUid(node, args, context);
        return uid === null ? null : lookUpChild('Collection', context, uid, toLookupRequest(info));
      },
    }),
    environmentUid: t.id({
      nullable: true,
      ...carriedBy(notInRefs, 'Uid of the environment whose variables are filled in; null when there is none.'),
      resolve: environmentUid,
    }),
    environment: t.field({
      type: childRefs.Environment,
      nullable: true,
      ...carriedBy(
        notInRefs,
        'The environment whose variables are filled in; null when there is none or the key may not see ' +
          'it.\n' +
          'Cost: that of `environmentUid` plus that of `Query.environment`, depending on the fields selected.',
        routesTo('Environment'),
      ),
      resolve: async (node, args, context, info) => {
        const uid = await environmentUid(node, args, context);
        return uid === null ? null : lookUpChild('Environment', context, uid, toLookupRequest(info));
      },
    }),
  }),
});

addChildType('Mock', {
  noun: 'mock server',
  carriedBy,
  lookUpCost: singleCost,
});

/** GraphQL type `MockConnection`. */
export const MockConnection = connectionType('Mock', childRefs.Mock, 'mock servers');

/** GraphQL input `MockOrder`. */
export const MockOrder = orderInput('Mock', 'mock servers');
