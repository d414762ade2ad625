/** A collection in Collection Format v2.1. Real documents may have additional keys at every level. */
export type CollectionDocument = {
  info: { name: string; description?: Description; schema?: string; version?: unknown };
  item: CollectionNode[];
  auth?: Auth;
  event?: ScriptEvent[];
  variable?: CollectionVariable[];
  protocolProfileBehavior?: Record<string, unknown>;
};

/** A node of an item list: a folder, a request, or a node that the format cannot express. */
export type CollectionNode = FolderNode | RequestNode | OtherNode;

/** A folder: any node with an item list, even an empty one. */
export type FolderNode = NodeBase & { item: CollectionNode[]; auth?: Auth };

/** A request with its saved responses. */
export type RequestNode = NodeBase & { request: RequestDocument | string; response: ExampleNode[] };

/** A node with neither request nor item list, exported from a kind of request that the format cannot express. */
export type OtherNode = NodeBase & { response?: ExampleNode[] };

/** Members of all nodes of the tree. Ids and dates are absent until `stampDocument` adds them. */
export type NodeBase = {
  id?: string;
  uid?: string;
  createdAt?: string;
  updatedAt?: string;
  name: string;
  description?: Description;
  event?: ScriptEvent[];
  variable?: CollectionVariable[];
  protocolProfileBehavior?: Record<string, unknown>;
};

/** Text, or text with its media type. */
export type Description = string | { content: string; type: string } | null;

/** One HTTP request. */
export type RequestDocument = {
  method: string;
  url?: UrlDocument | string;
  header: HeaderRow[];
  body?: Body | null;
  auth?: Auth | null;
  description?: Description;
};

/** A URL split into its parts, with the original text. */
export type UrlDocument = {
  raw: string;
  protocol?: string;
  host: string[];
  port?: string;
  path?: string[];
  query?: QueryRow[];
  hash?: string;
  variable?: PathVariable[];
};

/** A query parameter. The value null is written `?key`, an empty value `?key=`. */
export type QueryRow = { key: string; value: string | null; disabled?: boolean; description?: Description };

/** The value of a `:name` segment of the path. */
export type PathVariable = { key: string; value: string; description?: Description };

/** A header of a request or of a saved response. */
export type HeaderRow = { key: string; value: string; disabled?: boolean; description?: Description; type?: string };

/** A request body. The payload is under the key that equals `mode`. */
export type Body = {
  mode: 'raw' | 'urlencoded' | 'formdata' | 'file' | 'graphql';
  raw?: string;
  urlencoded?: FormRow[];
  formdata?: FormRow[];
  file?: { src?: string | null; content?: string };
  graphql?: { query: string; operationName?: string; variables?: string };
  options?: { raw: { language: string } };
  disabled?: boolean;
};

/** One row of a form; rows of type file have `src` in place of a value. */
export type FormRow = {
  key: string;
  value?: string;
  type?: 'text' | 'file';
  src?: string | string[] | null;
  contentType?: string;
  disabled?: boolean;
  description?: Description;
};

/** Authorization. The parameters are under the key that equals `type`; `noauth` has none. */
export type Auth = { type: string; [scheme: string]: string | AuthRow[] };

/** One parameter of an authorization. */
export type AuthRow = { key: string; value?: unknown; type: string };

/** A script that runs before a request or after its response. */
export type ScriptEvent = {
  listen: 'prerequest' | 'test';
  script: { id?: string; type: 'text/javascript'; exec: string[]; packages?: Record<string, unknown> };
  disabled?: boolean;
};

/** A variable of a collection or folder. */
export type CollectionVariable = {
  key: string;
  value?: unknown;
  type?: string;
  secret?: boolean;
  description?: Description;
  disabled?: boolean;
};

/** A saved response. */
export type ExampleNode = {
  id?: string;
  uid?: string;
  createdAt?: string;
  updatedAt?: string;
  name: string;
  originalRequest?: RequestDocument | string;
  status?: string;
  code?: number;
  _postman_previewlanguage?: string | null;
  header?: HeaderRow[] | null;
  cookie?: Record<string, unknown>[];
  responseTime?: number | null;
  body?: string | null;
};
