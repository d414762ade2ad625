import type {
  Auth,
  AuthRow,
  Body,
  CollectionNode,
  Description,
  ExampleNode,
  FolderNode,
  FormRow,
  HeaderRow,
  NodeBase,
  PathVariable,
  QueryRow,
  RequestDocument,
  RequestNode,
  ScriptEvent,
  UrlDocument,
} from './collection-format.ts';

/** Optional members of a folder. */
export type FolderMore = Omit<NodeBase, 'name'> & { auth?: Auth };

/** Creates a folder. */
export function folder(name: string, item: CollectionNode[], more: FolderMore = {}): FolderNode {
  return { name, ...more, item };
}

/** Optional members of a request. */
export type RequestMore = Pick<NodeBase, 'event' | 'variable' | 'protocolProfileBehavior'> & {
  description?: Description;
  header?: HeaderRow[];
  body?: Body | null;
  auth?: Auth | null;
  /** Values and descriptions of the path variables (`:name`). */
  pathVariables?: PathVariable[];
  /** Rows that replace those of the URL with the same key. Rows with other keys are added: disabled ones, say. */
  query?: QueryRow[];
  /** Saved responses; each gets this request as its `originalRequest`. */
  examples?: ExampleNode[];
};

/**
 * Creates a request from a line of text.
 *
 * @param line - Method and URL: `GET {{baseUrl}}/stations/:stationId?near=&full`. Parameters without `=` have the value
 * null.
 */
export function request(name: string, line: `${string} ${string}`, more: RequestMore = {}): RequestNode {
  const [method = '', raw = ''] = line.split(' ');
  const { event, variable, protocolProfileBehavior, header = [], pathVariables, query, examples = [], ...rest } = more;
  const document: RequestDocument = { method, header, url: toUrl(raw, pathVariables, query), ...rest };
  const { auth: _auth, description: _description, ...original } = document;
  return {
    name,
    ...(event && { event }),
    ...(variable && { variable }),
    ...(protocolProfileBehavior && { protocolProfileBehavior }),
    request: document,
    response: examples.map(({ name: exampleName, ...example }) => ({
      name: exampleName,
      originalRequest: original,
      ...example,
    })),
  };
}

/** Creates a saved response with a JSON body. */
export function example(
  name: string,
  code: number,
  status: string,
  value: unknown,
  more: Partial<ExampleNode> = {},
): ExampleNode {
  return {
    name,
    status,
    code,
    _postman_previewlanguage: 'json',
    header: [{ key: 'Content-Type', value: 'application/json' }],
    cookie: [],
    responseTime: null,
    body: JSON.stringify(value, undefined, 2),
    ...more,
  };
}

/** Creates an authorization. The parameters stay in the given order. */
export function auth(type: string, parameters: Readonly<Record<string, unknown>> = {}): Auth {
  const rows: AuthRow[] = Object.entries(parameters).map(([key, value]) => ({
    key,
    value,
    type: typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'boolean' : 'any',
  }));
  return rows.length === 0 ? { type } : { type, [type]: rows };
}

/** Creates a script that runs before the request (`prerequest`) or after the response (`test`). */
export function script(listen: 'prerequest' | 'test', source: string): ScriptEvent {
  return { listen, script: { type: 'text/javascript', exec: source.trim().split('\n'), packages: {} } };
}

/** Creates a raw JSON body. */
export function jsonBody(value: unknown): Body {
  return rawBody('json', JSON.stringify(value, undefined, 2));
}

/** Creates a raw body in a language of Postman's editor. */
export function rawBody(language: string, raw: string): Body {
  return { mode: 'raw', raw, options: { raw: { language } } };
}

/** Creates a GraphQL body, with the variables as JSON text. */
export function graphqlBody(query: string, variables: unknown = {}): Body {
  return { mode: 'graphql', graphql: { query: query.trim(), variables: JSON.stringify(variables, undefined, 2) } };
}

/** Creates a body of URL-encoded form rows. */
export function urlencodedBody(rows: FormRow[]): Body {
  return { mode: 'urlencoded', urlencoded: rows };
}

/** Creates a multipart form body. */
export function formdataBody(rows: FormRow[]): Body {
  return { mode: 'formdata', formdata: rows };
}

/** Creates a Markdown description in its object form. */
export function markdown(content: string): Description {
  return { content, type: 'text/markdown' };
}

function toUrl(raw: string, pathVariables?: PathVariable[], rows: QueryRow[] = []): UrlDocument {
  const [, protocol, address = '', search, hash] =
    /^(?:(https?):\/\/)?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(raw) ?? [];
  const [hostAndPort = '', ...path] = address.split('/');
  // Digits only: a {{variable}} or a :name of the path may also contain a colon.
  const [, hostText = '', port] = /^(.*?)(?::(\d+))?$/.exec(hostAndPort) ?? [];
  const inUrl = search === undefined ? [] : search.split('&').map((part) => toQueryRow(part, rows));
  const added = rows.filter(({ key }) => !inUrl.some((row) => row.key === key));
  const names = path.filter((segment) => segment.startsWith(':')).map((segment) => segment.slice(1));
  return {
    raw,
    ...(protocol && { protocol }),
    host: hostText.startsWith('{{') ? [hostText] : hostText.split('.'),
    ...(port && { port }),
    ...(path.length > 0 && { path }),
    ...(inUrl.length + added.length > 0 && { query: [...inUrl, ...added] }),
    ...(hash && { hash }),
    ...(names.length > 0 && {
      variable: names.map((key) => pathVariables?.find((row) => row.key === key) ?? { key, value: '' }),
    }),
  };
}

function toQueryRow(part: string, rows: QueryRow[]): QueryRow {
  const [, key = '', value] = /^([^=]*)(?:=(.*))?$/.exec(part) ?? [];
  return rows.find((row) => row.key === key) ?? { key, value: value ?? null };
}
