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

/** What can be said of a folder besides its name and items. */
export type FolderMore = Omit<NodeBase, 'name'> & { auth?: Auth };

/** A folder of the tree. */
export function folder(name: string, item: CollectionNode[], more: FolderMore = {}): FolderNode {
  return { name, ...more, item };
}

/** What can be said of a request besides its name, method and URL. */
export type RequestMore = Pick<NodeBase, 'event' | 'variable' | 'protocolProfileBehavior'> & {
  description?: Description;
  header?: HeaderRow[];
  body?: Body | null;
  auth?: Auth | null;
  /** Values and descriptions of the path's `:names`. */
  pathVariables?: PathVariable[];
  /** Rows by key, in place of what the URL says of them; rows of other keys are added, which is how disabled ones come in. */
  query?: QueryRow[];
  /** Saved responses; each gets this request as its original one. */
  examples?: ExampleNode[];
};

/**
 * A request written the way one reads it.
 *
 * @param line - Method and URL: `GET {{baseUrl}}/stations/:stationId?near=&full`. Parameters without `=` have the value null.
 */
export function request(name: string, line: `${string} ${string}`, more: RequestMore = {}): RequestNode {
  const [method = '', raw = ''] = line.split(' ');
  const { event, variable, protocolProfileBehavior, header = [], pathVariables, query, examples = [], ...rest } = more;
  const document: RequestDocument = { method, header, url: url(raw, pathVariables, query), ...rest };
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

/** A saved response with a JSON body. */
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

/** Authorization of a type, with its parameters in order. */
export function auth(type: string, parameters: Readonly<Record<string, unknown>> = {}): Auth {
  const rows: AuthRow[] = Object.entries(parameters).map(([key, value]) => ({
    key,
    value,
    type: typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'boolean' : 'any',
  }));
  return rows.length === 0 ? { type } : { type, [type]: rows };
}

/** A script before the request (`prerequest`) or after the response (`test`). */
export function script(listen: 'prerequest' | 'test', source: string): ScriptEvent {
  return { listen, script: { type: 'text/javascript', exec: source.trim().split('\n'), packages: {} } };
}

/** A raw body of JSON. */
export function jsonBody(value: unknown): Body {
  return rawBody('json', JSON.stringify(value, undefined, 2));
}

/** A raw body in some language of the editor. */
export function rawBody(language: string, raw: string): Body {
  return { mode: 'raw', raw, options: { raw: { language } } };
}

/** A GraphQL body; variables are kept as JSON text. */
export function graphqlBody(query: string, variables: unknown = {}): Body {
  return { mode: 'graphql', graphql: { query: query.trim(), variables: JSON.stringify(variables, undefined, 2) } };
}

/** A body of URL-encoded form rows. */
export function urlencodedBody(rows: FormRow[]): Body {
  return { mode: 'urlencoded', urlencoded: rows };
}

/** A multipart form body. */
export function formdataBody(rows: FormRow[]): Body {
  return { mode: 'formdata', formdata: rows };
}

/** A markdown description in its object form. */
export function markdown(content: string): Description {
  return { content, type: 'text/markdown' };
}

function url(raw: string, pathVariables?: PathVariable[], rows: QueryRow[] = []): UrlDocument {
  const [, protocol, address = '', search, hash] =
    /^(?:(https?):\/\/)?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(raw) ?? [];
  const [hostAndPort = '', ...path] = address.split('/');
  // A port is digits; the colon of a {{variable}} or of a :name in the path is none.
  const [, hostText = '', port] = /^(.*?)(?::(\d+))?$/.exec(hostAndPort) ?? [];
  const written = search === undefined ? [] : search.split('&').map((part) => queryRow(part, rows));
  const added = rows.filter(({ key }) => !written.some((row) => row.key === key));
  const names = path.filter((segment) => segment.startsWith(':')).map((segment) => segment.slice(1));
  return {
    raw,
    ...(protocol && { protocol }),
    host: hostText.startsWith('{{') ? [hostText] : hostText.split('.'),
    ...(port && { port }),
    ...(path.length > 0 && { path }),
    ...(written.length + added.length > 0 && { query: [...written, ...added] }),
    ...(hash && { hash }),
    ...(names.length > 0 && {
      variable: names.map((key) => pathVariables?.find((row) => row.key === key) ?? { key, value: '' }),
    }),
  };
}

function queryRow(part: string, rows: QueryRow[]): QueryRow {
  const [, key = '', value] = /^([^=]*)(?:=(.*))?$/.exec(part) ?? [];
  return rows.find((row) => row.key === key) ?? { key, value: value ?? null };
}
