/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type RequestsQueryVariables = Exact<{
  uid: string | number;
  after?: string | null | undefined;
}>;


export type RequestsQuery = { collection: { requests: { totalCount: number | null, nodes: Array<{ method: string, name: string | null, path: Array<string> }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type DashboardQueryVariables = Exact<{ [key: string]: never; }>;


export type DashboardQuery = { personal: { totalCount: number | null } | null, team: { totalCount: number | null } | null, workspaces: { nodes: Array<{ name: string | null, description: string | null, collections: { nodes: Array<{ name: string | null }> } | null }> } | null };

export type StreamedRowsQueryVariables = Exact<{ [key: string]: never; }>;


export type StreamedRowsQuery = { collections: { nodes: Array<{ name: string | null, description: string | null }> } | null };

export type FirstWorkspaceQueryVariables = Exact<{ [key: string]: never; }>;


export type FirstWorkspaceQuery = { workspaces: { nodes: Array<{ name: string | null, collections: { nodes: Array<{ uid: string, name: string | null }> } | null, environments: { nodes: Array<{ name: string | null }> } | null }> } | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const RequestsDocument = new TypedDocumentString(`
    query Requests($uid: ID!, $after: String) {
  collection(uid: $uid) {
    requests(first: 5, after: $after) {
      totalCount
      nodes {
        method
        name
        path
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
    `, {"hash":"sha256:43ffa38c839ad2e73ff281811030e9f86fdeee657c8e7824a549a42fe23ccf55"}) as unknown as TypedDocumentString<RequestsQuery, RequestsQueryVariables>;
export const DashboardDocument = new TypedDocumentString(`
    query Dashboard {
  personal: workspaces(visibility: PERSONAL) {
    totalCount
  }
  team: workspaces(visibility: TEAM) {
    totalCount
  }
  workspaces {
    nodes {
      name
      description
      collections {
        nodes {
          name
        }
      }
    }
  }
}
    `, {"hash":"sha256:a3c26626480e3e5a961f79b1175b8826df733527bd803858438f0046afc2f961"}) as unknown as TypedDocumentString<DashboardQuery, DashboardQueryVariables>;
export const StreamedRowsDocument = new TypedDocumentString(`
    query StreamedRows {
  collections(first: 50) {
    nodes @stream {
      name
      description
    }
  }
}
    `, {"hash":"sha256:2acbba74e2ab9a9519a1deb5a2fb5244679f3d5e12aafc966038e3fb03d85b38"}) as unknown as TypedDocumentString<StreamedRowsQuery, StreamedRowsQueryVariables>;
export const FirstWorkspaceDocument = new TypedDocumentString(`
    query FirstWorkspace {
  workspaces(first: 1) {
    nodes {
      name
      collections {
        nodes {
          uid
          name
        }
      }
      environments {
        nodes {
          name
        }
      }
    }
  }
}
    `, {"hash":"sha256:14f177b688a756145d01529e13d8c7e01293592ff8d1bc1b2d4d5e0ecb0eda9f"}) as unknown as TypedDocumentString<FirstWorkspaceQuery, FirstWorkspaceQueryVariables>;