/* eslint-disable */
import * as types from './graphql.js';



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
    "\n  query Requests($uid: ID!, $after: String) {\n    collection(uid: $uid) {\n      requests(first: 5, after: $after) {\n        totalCount\n        nodes {\n          method\n          name\n          path\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n": typeof types.RequestsDocument,
    "\n  query Dashboard {\n    personal: workspaces(visibility: PERSONAL) {\n      totalCount\n    }\n    team: workspaces(visibility: TEAM) {\n      totalCount\n    }\n    workspaces {\n      nodes {\n        name\n        description\n        collections {\n          nodes {\n            name\n          }\n        }\n      }\n    }\n  }\n": typeof types.DashboardDocument,
    "\n  query StreamedRows {\n    collections(first: 50) {\n      nodes @stream {\n        name\n        description\n      }\n    }\n  }\n": typeof types.StreamedRowsDocument,
    "\n  query FirstWorkspace {\n    workspaces(first: 1) {\n      nodes {\n        name\n        collections {\n          nodes {\n            uid\n            name\n          }\n        }\n        environments {\n          nodes {\n            name\n          }\n        }\n      }\n    }\n  }\n": typeof types.FirstWorkspaceDocument,
};
const documents: Documents = {
    "\n  query Requests($uid: ID!, $after: String) {\n    collection(uid: $uid) {\n      requests(first: 5, after: $after) {\n        totalCount\n        nodes {\n          method\n          name\n          path\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n": types.RequestsDocument,
    "\n  query Dashboard {\n    personal: workspaces(visibility: PERSONAL) {\n      totalCount\n    }\n    team: workspaces(visibility: TEAM) {\n      totalCount\n    }\n    workspaces {\n      nodes {\n        name\n        description\n        collections {\n          nodes {\n            name\n          }\n        }\n      }\n    }\n  }\n": types.DashboardDocument,
    "\n  query StreamedRows {\n    collections(first: 50) {\n      nodes @stream {\n        name\n        description\n      }\n    }\n  }\n": types.StreamedRowsDocument,
    "\n  query FirstWorkspace {\n    workspaces(first: 1) {\n      nodes {\n        name\n        collections {\n          nodes {\n            uid\n            name\n          }\n        }\n        environments {\n          nodes {\n            name\n          }\n        }\n      }\n    }\n  }\n": types.FirstWorkspaceDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Requests($uid: ID!, $after: String) {\n    collection(uid: $uid) {\n      requests(first: 5, after: $after) {\n        totalCount\n        nodes {\n          method\n          name\n          path\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.js').RequestsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Dashboard {\n    personal: workspaces(visibility: PERSONAL) {\n      totalCount\n    }\n    team: workspaces(visibility: TEAM) {\n      totalCount\n    }\n    workspaces {\n      nodes {\n        name\n        description\n        collections {\n          nodes {\n            name\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.js').DashboardDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query StreamedRows {\n    collections(first: 50) {\n      nodes @stream {\n        name\n        description\n      }\n    }\n  }\n"): typeof import('./graphql.js').StreamedRowsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query FirstWorkspace {\n    workspaces(first: 1) {\n      nodes {\n        name\n        collections {\n          nodes {\n            uid\n            name\n          }\n        }\n        environments {\n          nodes {\n            name\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.js').FirstWorkspaceDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
