import type { JsonObject } from '../json.ts';
import type { CollectionDocument } from './collection-format.ts';

/** Everything that an API key of the simulated service can read. */
export interface Account {
  readonly user: AccountUser;
  /** The members of the user's team. Absent, or without the user: the key may not list them. */
  readonly team?: readonly TeamMember[];
  /**
   * Usage meters as `GET /me` lists them. `api_usage` is the monthly quota: rate-limit headers announce what remains,
   * and at 0 every call is refused. Absent for guests.
   */
  readonly operations?: readonly UsageMeter[];
  readonly workspaces: readonly StoredWorkspace[];
  /** Documents may be any JSON object: those of exported files are not checked. */
  readonly collections: readonly StoredCollection<JsonObject>[];
  readonly environments: readonly StoredEnvironment[];
  /** Default: none. */
  readonly mocks?: readonly StoredMock[];
}

/** The owner of the API key. */
export interface AccountUser {
  readonly id: number;
  readonly sub: string;
  readonly username: string;
  readonly email: string;
  readonly fullName: string;
  readonly avatar: string | null;
  readonly isPublic: boolean;
  readonly emailVerified: boolean;
  /** 0 without a team. */
  readonly teamId: number;
  readonly teamName?: string;
  readonly teamDomain?: string;
  readonly roles: readonly string[];
}

/** A member of the team, as `GET /users` lists it. */
export interface TeamMember {
  readonly id: number;
  /** The full name. */
  readonly name: string;
  readonly username: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly joinedAt: string;
}

/** What the plan allows of one metered kind of use, such as API calls, and how much of it was used. */
export interface UsageMeter {
  readonly name: string;
  readonly limit: number;
  readonly usage: number;
  readonly overage: number;
}

/** A workspace, with the uids of its elements. A collection or environment may be in several workspaces. */
export interface StoredWorkspace {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly visibility: string;
  readonly about?: string;
  readonly description?: string | null;
  /** User id. */
  readonly createdBy: string;
  /** User id. */
  readonly updatedBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Uids, in the order in which the workspace lists them. */
  readonly collections: readonly string[];
  /** Uids, in the order in which the workspace lists them. */
  readonly environments: readonly string[];
  /** Uids, in the order in which the workspace lists them. Default: none. */
  readonly mocks?: readonly string[];
  /** `StoredVariable`s, or any other values that an exported file has here. */
  readonly globals: readonly unknown[];
}

/** A collection: the fields of its row in lists, and the document of the single read, in Collection Format v2.1. */
export interface StoredCollection<Document extends JsonObject = CollectionDocument> {
  readonly id: string;
  /** User id; the uid is `<owner>-<id>`. */
  readonly owner: string;
  readonly name: string;
  readonly isPublic: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** User id. */
  readonly lastUpdatedBy: string;
  readonly fork?: { readonly label: string; readonly createdAt: string; readonly from: string };
  /** Served unchanged, except the ids and dates of `info`, which come from this record. */
  readonly document: Document;
}

/** An environment with its values. */
export interface StoredEnvironment {
  readonly id: string;
  /** User id; the uid is `<owner>-<id>`. */
  readonly owner: string;
  readonly name: string;
  readonly isPublic: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** `StoredVariable`s, or any other values that an exported file has here. */
  readonly values: readonly unknown[];
}

/** A value of an environment or of a workspace's globals. */
export interface StoredVariable {
  readonly key: string;
  /** Absent if a vault holds the secret. */
  readonly value?: string;
  readonly type: string;
  readonly enabled: boolean;
  readonly description?: string;
  readonly secret?: boolean;
  readonly source?: VaultSource;
}

/** A mock server. */
export interface StoredMock {
  readonly id: string;
  /** User id; the uid is `<owner>-<id>`. */
  readonly owner: string;
  readonly name: string;
  /** Uid of the collection whose examples it serves; that collection may have been deleted. */
  readonly collection: string;
  /** Uid of the environment whose values it substitutes. */
  readonly environment?: string;
  /** Whether it can be called without an API key. */
  readonly isPublic: boolean;
  /** Deactivated mock servers are left out of lists. */
  readonly deactivated: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly config: MockConfig;
}

/** How a mock server selects the response to a call, and when it sends it. */
export interface MockConfig {
  /** Names of the headers that are compared. */
  readonly headers: readonly string[];
  readonly matchBody: boolean;
  readonly matchQueryParams: boolean;
  readonly matchWildcards: boolean;
  /** `preset`: `1` is 2G, `2` is 3G; `duration`: milliseconds. */
  readonly delay: { readonly type: 'fixed'; readonly preset?: '1' | '2'; readonly duration: number } | null;
  /** The server response that is sent for every call; empty or null for none. */
  readonly serverResponseId: string | null;
}

/** Where a vault stores the value of a secret. */
export interface VaultSource {
  readonly provider: 'postman';
  readonly postman: { readonly type: 'cloud'; readonly secretId: string; readonly vaultId: string };
}

/**
 * The uid of an owned element.
 *
 * @returns `<owner>-<id>`.
 */
export function toUid(element: { readonly owner: string; readonly id: string }): string {
  return `${element.owner}-${element.id}`;
}
