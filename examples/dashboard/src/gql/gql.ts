/* eslint-disable */
import * as types from './graphql';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  query Account {\n    me {\n      id\n      fullName\n      teamName\n    }\n  }\n": typeof types.AccountDocument,
    "\n  query Budget {\n    rateLimit {\n      limit\n      remaining\n      queued\n    }\n  }\n": typeof types.BudgetDocument,
    "\n  query Collections {\n    collections(first: 100) {\n      totalCount\n      nodes @stream {\n        id\n        name\n        updatedAt\n        requests(first: 1) {\n          totalCount\n        }\n      }\n    }\n  }\n": typeof types.CollectionsDocument,
    "\n  query CompareEnvironments($left: ID!, $right: ID!) {\n    compareEnvironments(leftUid: $left, rightUid: $right) {\n      left {\n        id\n        name\n      }\n      right {\n        id\n        name\n      }\n      variables {\n        key\n        state\n        left {\n          ...Side\n        }\n        right {\n          ...Side\n        }\n      }\n    }\n  }\n\n  fragment Side on Variable {\n    text\n    enabled\n    isMasked\n  }\n": typeof types.CompareEnvironmentsDocument,
    "\n  query SearchRequests($search: String!, $after: String) {\n    requests(first: 10, after: $after, filter: { search: $search }) {\n      totalCount\n      searchedCollectionCount\n      unsearchedCollectionCount\n      unsearchedCollections {\n        id\n        name\n      }\n      nodes {\n        id\n        method\n        name\n        path\n        collection {\n          id\n          name\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n": typeof types.SearchRequestsDocument,
    "\n  query Workspaces {\n    workspaces(first: 50) {\n      totalCount\n      nodes {\n        id\n        name\n        visibility\n        collections {\n          totalCount\n        }\n        environments {\n          nodes {\n            id\n            uid\n            name\n          }\n        }\n      }\n    }\n  }\n": typeof types.WorkspacesDocument,
};
const documents: Documents = {
    "\n  query Account {\n    me {\n      id\n      fullName\n      teamName\n    }\n  }\n": types.AccountDocument,
    "\n  query Budget {\n    rateLimit {\n      limit\n      remaining\n      queued\n    }\n  }\n": types.BudgetDocument,
    "\n  query Collections {\n    collections(first: 100) {\n      totalCount\n      nodes @stream {\n        id\n        name\n        updatedAt\n        requests(first: 1) {\n          totalCount\n        }\n      }\n    }\n  }\n": types.CollectionsDocument,
    "\n  query CompareEnvironments($left: ID!, $right: ID!) {\n    compareEnvironments(leftUid: $left, rightUid: $right) {\n      left {\n        id\n        name\n      }\n      right {\n        id\n        name\n      }\n      variables {\n        key\n        state\n        left {\n          ...Side\n        }\n        right {\n          ...Side\n        }\n      }\n    }\n  }\n\n  fragment Side on Variable {\n    text\n    enabled\n    isMasked\n  }\n": types.CompareEnvironmentsDocument,
    "\n  query SearchRequests($search: String!, $after: String) {\n    requests(first: 10, after: $after, filter: { search: $search }) {\n      totalCount\n      searchedCollectionCount\n      unsearchedCollectionCount\n      unsearchedCollections {\n        id\n        name\n      }\n      nodes {\n        id\n        method\n        name\n        path\n        collection {\n          id\n          name\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n": types.SearchRequestsDocument,
    "\n  query Workspaces {\n    workspaces(first: 50) {\n      totalCount\n      nodes {\n        id\n        name\n        visibility\n        collections {\n          totalCount\n        }\n        environments {\n          nodes {\n            id\n            uid\n            name\n          }\n        }\n      }\n    }\n  }\n": types.WorkspacesDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Account {\n    me {\n      id\n      fullName\n      teamName\n    }\n  }\n"): (typeof documents)["\n  query Account {\n    me {\n      id\n      fullName\n      teamName\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Budget {\n    rateLimit {\n      limit\n      remaining\n      queued\n    }\n  }\n"): (typeof documents)["\n  query Budget {\n    rateLimit {\n      limit\n      remaining\n      queued\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Collections {\n    collections(first: 100) {\n      totalCount\n      nodes @stream {\n        id\n        name\n        updatedAt\n        requests(first: 1) {\n          totalCount\n        }\n      }\n    }\n  }\n"): (typeof documents)["\n  query Collections {\n    collections(first: 100) {\n      totalCount\n      nodes @stream {\n        id\n        name\n        updatedAt\n        requests(first: 1) {\n          totalCount\n        }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CompareEnvironments($left: ID!, $right: ID!) {\n    compareEnvironments(leftUid: $left, rightUid: $right) {\n      left {\n        id\n        name\n      }\n      right {\n        id\n        name\n      }\n      variables {\n        key\n        state\n        left {\n          ...Side\n        }\n        right {\n          ...Side\n        }\n      }\n    }\n  }\n\n  fragment Side on Variable {\n    text\n    enabled\n    isMasked\n  }\n"): (typeof documents)["\n  query CompareEnvironments($left: ID!, $right: ID!) {\n    compareEnvironments(leftUid: $left, rightUid: $right) {\n      left {\n        id\n        name\n      }\n      right {\n        id\n        name\n      }\n      variables {\n        key\n        state\n        left {\n          ...Side\n        }\n        right {\n          ...Side\n        }\n      }\n    }\n  }\n\n  fragment Side on Variable {\n    text\n    enabled\n    isMasked\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SearchRequests($search: String!, $after: String) {\n    requests(first: 10, after: $after, filter: { search: $search }) {\n      totalCount\n      searchedCollectionCount\n      unsearchedCollectionCount\n      unsearchedCollections {\n        id\n        name\n      }\n      nodes {\n        id\n        method\n        name\n        path\n        collection {\n          id\n          name\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n"): (typeof documents)["\n  query SearchRequests($search: String!, $after: String) {\n    requests(first: 10, after: $after, filter: { search: $search }) {\n      totalCount\n      searchedCollectionCount\n      unsearchedCollectionCount\n      unsearchedCollections {\n        id\n        name\n      }\n      nodes {\n        id\n        method\n        name\n        path\n        collection {\n          id\n          name\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Workspaces {\n    workspaces(first: 50) {\n      totalCount\n      nodes {\n        id\n        name\n        visibility\n        collections {\n          totalCount\n        }\n        environments {\n          nodes {\n            id\n            uid\n            name\n          }\n        }\n      }\n    }\n  }\n"): (typeof documents)["\n  query Workspaces {\n    workspaces(first: 50) {\n      totalCount\n      nodes {\n        id\n        name\n        visibility\n        collections {\n          totalCount\n        }\n        environments {\n          nodes {\n            id\n            uid\n            name\n          }\n        }\n      }\n    }\n  }\n"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;