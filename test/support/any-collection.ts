import {
  type Arbitrary,
  array,
  constant,
  constantFrom,
  double,
  letrec,
  nat,
  oneof,
  record,
  string,
  tuple,
} from 'fast-check';
import { type JsonObject, toText } from '../../src/upstream/collection-format/syntax/json.ts';

type Fields = { readonly [name: string]: Arbitrary<unknown> };

/** Stands in generated values for a word that `toDocument` makes unique. */
const WORD = '@word@';
/** Stands for a number that JSON can express and JavaScript cannot represent. */
const INFINITE = '@infinite@';

/** A value generated as a secret, and the text that no response may then contain. */
export const CANARIES = ['canary-7f3a', '918273645'];

/** Names of the settings of each auth type: those that are credentials, and those that are not. */
export const AUTH_SETTINGS: Readonly<Record<string, { credentials: readonly string[]; others: readonly string[] }>> = {
  apikey: { credentials: ['value'], others: ['key', 'in'] },
  asap: { credentials: ['privateKey'], others: ['alg', 'kid', 'iss', 'exp', 'aud', 'sub', 'claims'] },
  awsv4: {
    credentials: ['accessKey', 'secretKey', 'sessionToken'],
    others: ['region', 'service', 'addAuthDataToQuery'],
  },
  basic: { credentials: ['password'], others: ['username'] },
  bearer: { credentials: ['token'], others: [] },
  digest: {
    credentials: ['password'],
    others: [
      ...['username', 'realm', 'nonce', 'algorithm', 'qop', 'nonceCount', 'clientNonce', 'opaque'],
      'disableRetryRequest',
    ],
  },
  edgegrid: {
    credentials: ['accessToken', 'clientToken', 'clientSecret'],
    others: ['baseURL', 'nonce', 'timestamp', 'headersToSign', 'maxBodySize'],
  },
  hawk: {
    credentials: ['authKey'],
    others: [
      ...['authId', 'algorithm', 'user', 'nonce', 'extraData', 'app', 'delegation', 'timestamp'],
      'includePayloadHash',
    ],
  },
  jwt: {
    credentials: ['secret', 'privateKey'],
    others: [
      ...['algorithm', 'header', 'payload', 'isSecretBase64Encoded', 'addTokenTo', 'headerPrefix'],
      'queryParamKey',
    ],
  },
  noauth: { credentials: [], others: [] },
  ntlm: { credentials: ['password'], others: ['username', 'domain', 'workstation'] },
  oauth1: {
    credentials: ['consumerSecret', 'token', 'tokenSecret', 'privateKey', 'verifier'],
    others: [
      ...['consumerKey', 'signatureMethod', 'callback', 'timestamp', 'nonce', 'version', 'realm', 'includeBodyHash'],
      ...['addParamsToHeader', 'addEmptyParamsToSign', 'disableHeaderEncoding'],
    ],
  },
  oauth2: {
    credentials: [
      ...['accessToken', 'refreshToken', 'clientSecret', 'client_secret', 'password', 'code_verifier', 'code'],
      ...['id_token', 'clientAssertion'],
    ],
    others: [
      ...['addTokenTo', 'tokenType', 'headerPrefix', 'accessTokenUrl', 'authUrl', 'refreshTokenUrl', 'tokenName'],
      ...['clientId', 'scope', 'state', 'username', 'grant_type', 'redirect_uri', 'callbackUrl', 'useBrowser'],
      ...['client_authentication', 'challengeAlgorithm', 'tokenRequestParams', 'audience', 'resource'],
    ],
  },
};

/** Names of headers that hold credentials. */
export const CREDENTIAL_HEADERS = [
  ...['Authorization', 'authorization', 'AUTHORIZATION', 'Proxy-Authorization', 'X-Api-Key', 'x-api-key', 'X-API-KEY'],
  ...['x_api_key', 'apikey', 'Cookie', 'cookie', 'Set-Cookie', 'X-Auth-Token', 'X-Amz-Security-Token', 'Api-Secret'],
];

const ODD_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'valueOf', '0', ''];
const MEMBERS = [
  ...['item', 'request', 'response', 'originalRequest', 'url', 'raw', 'host', 'path', 'query', 'variable', 'header'],
  ...['key', 'value', 'type', 'name', 'id', '_postman_id', 'uid', 'description', 'content', 'disabled', 'enabled'],
  ...['body', 'mode', 'formdata', 'urlencoded', 'file', 'graphql', 'src', 'auth', 'bearer', 'token', 'apikey', 'event'],
  ...['script', 'exec', 'listen', 'code', 'status', 'cookie', 'info', 'variables', 'events', 'responses', 'secret'],
];

/** Usually one of these values, sometimes any value. */
const odd = (...usual: Arbitrary<unknown>[]): Arbitrary<unknown> =>
  oneof({ weight: 19, arbitrary: oneof(...usual) }, { weight: 1, arbitrary: anyJson });

const text = oneof(
  { weight: 6, arbitrary: constant(WORD) },
  {
    weight: 3,
    arbitrary: constantFrom(
      ...[
        '',
        ' ',
        '{{a}}',
        '{{a.b/c}}',
        `{{${WORD}}}`,
        `a:b`,
        'a=1&b',
        'https://h:1/p?q#f',
        '/p//q/',
        '{{',
        '}}',
        '{}',
      ],
      ...['[]', '\r\n', '\0', '\uD800', '\uDC00x', 'é漢🚲', '//', '#', '?', 'true', 'null', ...ODD_NAMES],
    ),
  },
  { weight: 1, arbitrary: array(nat(0xffff), { maxLength: 6 }).map((units) => String.fromCharCode(...units)) },
);
const number = oneof(
  nat(999),
  constantFrom(-1, 0, 0.5, 200, 2_147_483_648, 1e21, Number.MAX_VALUE, Number.MIN_VALUE, 12_345_678_901_234_567_000),
  double({ noNaN: true, noDefaultInfinity: true }),
  constant(INFINITE),
);
const flag = constantFrom<unknown>(true, false, null, 'true', 0);
const scalar = oneof({ weight: 5, arbitrary: text }, number, flag);

/** Any JSON value; most of its members have names that the format uses. */
export const anyJson: Arbitrary<unknown> = letrec((tie) => ({
  value: oneof({ depthSize: 'small', withCrossShrink: true }, scalar, tie('list'), tie('object')),
  list: array(tie('value'), { maxLength: 3 }),
  object: array(
    tuple(oneof({ weight: 4, arbitrary: constantFrom(...MEMBERS) }, constantFrom(...ODD_NAMES), text), tie('value')),
    { maxLength: 4 },
  ).map(Object.fromEntries),
})).value;

/** Any JSON object. */
export const anyJsonObject = array(tuple(oneof(constantFrom(...MEMBERS, ...ODD_NAMES), text), anyJson), {
  maxLength: 6,
}).map((entries): JsonObject => Object.fromEntries(entries));

/** An object with any of these members, and sometimes unknown ones. */
function object(fields: Fields, always: Fields = {}): Arbitrary<JsonObject> {
  const unknownMembers = array(tuple(constantFrom(...ODD_NAMES, '_', 'warning'), anyJson), { maxLength: 1 });
  return tuple(
    oneof({ weight: 9, arbitrary: constant([]) }, unknownMembers),
    record({ ...fields, ...always }, { requiredKeys: Object.keys(always), noNullPrototype: true }),
  ).map(([more, known]) => Object.fromEntries([...more, ...Object.entries(known)]));
}

const description = oneof(
  text,
  object({ content: text, type: constant('text/markdown'), version: text }),
  constant(null),
);
const switches = { disabled: flag, enabled: flag };
const pairs = (rows: readonly JsonObject[]) =>
  rows.map(({ key, value }) => `${toText(key)}=${toText(value)}`).join('&');

/** A list of keyed rows, in every form that the format allows. */
function rows(row: Arbitrary<JsonObject>, toText?: (rows: readonly JsonObject[]) => string): Arbitrary<unknown> {
  const list = array(row, { maxLength: 3 });
  const toMap = (entries: readonly JsonObject[]) => Object.fromEntries(entries.map(({ key, value }) => [key, value]));
  return odd(
    list,
    list,
    list.map(toMap),
    row,
    constant(null),
    ...(toText === undefined ? [] : [list.map(toText), list.map((entries) => entries.map((one) => toText([one])))]),
  );
}

/**
 * Generates collections.
 *
 * @param secret - Generates credentials and secrets; used nowhere else.
 */
export function collections(secret: Arbitrary<unknown> = scalar): Arbitrary<JsonObject> {
  const secretOf = (secretRow: JsonObject, value: unknown) => ({ ...secretRow, value });
  const credentialRow = tuple(
    constantFrom('password', 'client_secret', 'access_token', 'api_key'),
    secret,
    object({ description, disabled: flag }),
  ).map(([key, value, more]) => ({ ...more, key, value }));
  const variable = oneof(
    {
      weight: 3,
      arbitrary: object({ value: scalar, type: text, name: text, description, ...switches }, { key: text }),
    },
    object({ id: text, value: anyJson }),
    tuple(
      object({ description, ...switches }, { key: text, type: constantFrom('secret', 'Secret', 'SECRET') }),
      secret,
    ).map(([row, value]) => secretOf(row, value)),
    tuple(
      object({ description }, { key: text, type: constantFrom('secret', 'password') }),
      constantFrom('initial', 'current', 'sessionValue', 'default', 'later'),
      secret,
    ).map(([row, member, value]) => ({ ...row, [member]: value })),
    credentialRow,
    tuple(object({ type: constant('default') }, { key: text, secret: constant(true) }), secret).map(([row, value]) =>
      secretOf(row, value),
    ),
  );
  const variables = odd(array(variable, { maxLength: 3 }), variable, constant(null));

  const credentialHeader = tuple(
    constantFrom(...CREDENTIAL_HEADERS),
    secret,
    object({ description, disabled: flag, type: text }),
  ).map(([key, value, more]) => ({ ...more, key, value }));
  const header: Arbitrary<JsonObject> = oneof<Arbitrary<JsonObject>[]>(
    object({ description, type: text, name: text, ...switches }, { key: text, value: scalar }),
    object({ value: oneof(scalar, array(scalar, { maxLength: 2 })) }, { key: constantFrom('Accept', 'Vary', 'X-Id') }),
    credentialHeader,
    credentialHeader.map(({ key, ...more }) => ({ ...more, name: key })),
  );
  // A line cannot contain line ends.
  const toLine = (value: unknown) => (toText(value) ?? '').replaceAll(/[\r\n]/g, ' ');
  const headerText = (entries: readonly JsonObject[]) =>
    entries.map(({ key, name, value }) => `${toLine(key ?? name)}: ${toLine(value)}`).join('\r\n');
  const mappedHeader = header.map(({ key, name, value }) => ({ key: key ?? name, value }));
  const headers = oneof(rows(mappedHeader, headerText), odd(array(header, { maxLength: 3 }), header));

  const auth = oneof(
    {
      weight: 6,
      arbitrary: constantFrom(...Object.keys(AUTH_SETTINGS)).chain((type) => {
        const { credentials = [], others = [] } = AUTH_SETTINGS[type] ?? {};
        const setting = oneof(
          ...(credentials.length === 0 ? [] : [tuple(constantFrom(...credentials), secret)]),
          ...(others.length === 0 ? [tuple(constant('x'), scalar)] : [tuple(constantFrom(...others), odd(scalar))]),
        );
        const settings = oneof(
          array(setting, { maxLength: 4 }).map((pairs) =>
            pairs.map(([key, value]) => ({ key, value, type: typeof value === 'string' ? 'string' : 'any' })),
          ),
          array(setting, { maxLength: 4 }).map(Object.fromEntries),
          constant(null),
        );
        return record({ type: constant(type), [type]: settings }, { requiredKeys: ['type'], noNullPrototype: true });
      }),
    },
    secret.map((token) => ({ bearer: { token } })),
    secret.map((pin) => ({ type: 'oauth3', oauth3: { pin }, vaultauth: [{ key: 'k', value: pin }] })),
    secret.map((value) => ({ type: 'apikey', apikey: { key: 'X-Key', value } })),
    secret.map((client_secret) => ({
      type: 'oauth2',
      oauth2: [{ key: 'tokenRequestParams', value: [{ key: 'client_secret', value: client_secret }] }],
    })),
    tuple(text, anyJson).map(([type, block]) => ({ type, [type]: block })),
    anyJson,
  );

  const plainQuery = object(
    { value: oneof(text, constant(null)), equals: flag, description, ...switches },
    { key: oneof(text, constant(null)) },
  );
  const query: Arbitrary<JsonObject> = oneof({ weight: 3, arbitrary: plainQuery }, credentialRow);
  const segments = odd(
    array(oneof(text, object({ type: constant('string') }, { value: text }), constant(null)), { maxLength: 4 }),
    text,
  );
  const url = odd(
    text,
    object({
      raw: odd(text, text, constant(null)),
      protocol: odd(constantFrom('https', 'http', '{{p}}', '')),
      host: segments,
      port: odd(constantFrom<unknown>('80', 8080, '{{port}}', '')),
      path: segments,
      query: rows(query, pairs),
      hash: odd(text),
      variable: variables,
      auth: secret.map((password) => ({ user: 'ann', password })),
    }),
  );

  const plainFormRow = object(
    {
      value: scalar,
      type: constantFrom('text', 'file', 'default'),
      src: odd(text, array(text, { maxLength: 2 }), constant(null)),
      contentType: text,
      description,
      ...switches,
    },
    { key: oneof(text, constant(null)) },
  );
  const formRow: Arbitrary<JsonObject> = oneof({ weight: 3, arbitrary: plainFormRow }, credentialRow);
  const form = rows(formRow, pairs);
  const file = odd(object({ src: odd(text, constant(null), array(text)), content: text }), text);
  const graphql = odd(
    object({
      query: odd(text),
      operationName: odd(text),
      variables: odd(text, constant(null), anyJsonObject),
    }),
    text,
  );
  const options = odd(object({ raw: odd(object({ language: odd(constantFrom('json', 'xml')) })) }));
  const data = { raw: odd(text), urlencoded: form, formdata: form, file, graphql };
  const modes = ['raw', 'urlencoded', 'formdata', 'file', 'graphql', 'unknown', 'none', '', 'constructor', null];
  const body = odd(
    constant(null),
    text,
    object({}),
    constantFrom(...modes).chain((mode) =>
      object({
        mode: constant(mode),
        options,
        disabled: flag,
        ...(typeof mode === 'string' && Object.hasOwn(data, mode) ? { [mode]: data[mode as keyof typeof data] } : data),
      }),
    ),
  );

  const exec = odd(array(oneof(text, constant(null)), { maxLength: 3 }), text, constant(null));
  const script = odd(object({ id: text, type: constant('text/javascript'), exec }), exec);
  const event = object({ listen: odd(constantFrom('test', 'prerequest')), script, disabled: flag });
  const events = odd(array(event, { maxLength: 2 }), event, constant(null));

  const network = {
    certificate: secret.map((passphrase) => ({ name: 'c', key: { src: '/k' }, passphrase })),
    proxy: secret.map((password) => ({ host: 'p', port: 8080, username: 'ann', password })),
  };
  const definition = odd(
    object(
      {
        method: odd(constantFrom('GET', 'post', 'Purge', '', '   '), constant(null)),
        header: headers,
        body,
        auth,
        description,
        name: text,
        ...network,
      },
      { url },
    ),
    text,
  );
  const cookie = object({ name: text, domain: text, expires: scalar, httpOnly: flag }, { value: secret });
  const example = object({
    id: oneof(text, number),
    uid: odd(text),
    name: odd(text),
    originalRequest: definition,
    status: odd(text),
    code: odd(number, constantFrom('404', null)),
    header: headers,
    cookie: oneof(array(cookie, { maxLength: 2 }), constant(null)),
    body: odd(text, constant(null)),
    responseTime: odd(number, constantFrom('12', '', null)),
    _postman_previewlanguage: odd(constantFrom('json', 'Text', '', null)),
  });
  const examples = odd(array(oneof({ weight: 9, arbitrary: example }, anyJson), { maxLength: 2 }), constant(null));
  const naming = {
    id: odd(constantFrom('a', 'b', 'c', '', null, 7), text, string({ minLength: 30, maxLength: 36 })),
    _postman_id: odd(constantFrom('a', 'd')),
    uid: odd(text),
    name: odd(text),
    description: odd(description),
  };
  const shared = {
    variable: variables,
    variables,
    event: events,
    events,
    protocolProfileBehavior: odd(object({ followRedirects: flag })),
  };
  const request = object({ ...naming, ...shared, response: examples, responses: examples }, { request: definition });
  const items = letrec<{ list: unknown; folder: unknown }>((tie) => ({
    list: array(
      oneof(
        { depthSize: 'xsmall', withCrossShrink: true },
        { weight: 6, arbitrary: request },
        { weight: 1, arbitrary: object({ ...naming, ...shared }) },
        { weight: 1, arbitrary: anyJson },
        { weight: 3, arbitrary: tie('folder') },
      ),
      { maxLength: 3 },
    ),
    folder: object({ ...naming, ...shared, auth }, { item: tie('list') }),
  })).list;
  const info = odd(
    object({ name: text, _postman_id: text, description, version: odd(text, object({ major: number })), schema: text }),
  );
  // Folders nested far deeper than in real collections.
  const deep = tuple(items, oneof({ weight: 19, arbitrary: constant(0) }, nat(30))).map(([list, depth]) =>
    Array.from({ length: depth }).reduce((inner: unknown) => [{ name: 'deep', item: inner }], list),
  );
  return object({ ...shared, auth }, { info, item: deep });
}

/** A recognisable secret: alone, after a scheme, inside a list or object, or as a number. */
export const canary: Arbitrary<unknown> = oneof(
  ...['canary-7f3a', 'Bearer canary-7f3a', '{{a}}:canary-7f3a', 'a=canary-7f3a'].map((value) =>
    constant<unknown>(value),
  ),
  constant(['canary-7f3a']),
  constant({ inner: 'canary-7f3a' }),
  constant(918_273_645),
);

/** A reference to a secret, which is not masked; `toDocument` makes each one unique. */
export const reference: Arbitrary<unknown> = constantFrom(`{{kept-${WORD}}}`, `Bearer {{kept-${WORD}}}`);

/** A change of a document at one position, an index into the positions that `mutate` counts. */
export interface Mutation {
  readonly kind: 'replace' | 'delete' | 'repeat' | 'swap' | 'wrap';
  readonly at: number;
  readonly other: number;
  readonly value: unknown;
}

/** A few mutations, for `mutate`. */
export const mutations: Arbitrary<Mutation[]> = array(
  record({
    kind: constantFrom<Mutation['kind'][]>('replace', 'replace', 'delete', 'repeat', 'swap', 'wrap'),
    at: nat(1_000_000),
    other: nat(1_000_000),
    value: anyJson,
  }),
  { minLength: 1, maxLength: 5 },
);

/** Returns the document after the mutations; it is still an object. */
export function mutate(document: JsonObject, changes: readonly Mutation[]): JsonObject {
  const copy = clone(document) as JsonObject;
  for (const { kind, at, other, value } of changes) {
    const positions = positionsIn(copy);
    const position = positions[at % Math.max(positions.length, 1)];
    const otherPosition = positions[other % Math.max(positions.length, 1)];
    if (position === undefined || otherPosition === undefined) continue;
    const { parent, key } = position;
    const copied = clone(memberOf(position));
    if (kind === 'replace') setMember(position, clone(value));
    else if (kind === 'delete') {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete (parent as Record<string, unknown>)[key];
    } else if (kind === 'repeat') {
      if (Array.isArray(parent)) parent.splice(Number(key), 0, copied);
      else setMember({ parent, key: other % 2 === 0 ? `${key}s` : 'item' }, copied);
    } else if (kind === 'wrap') setMember(position, other % 2 === 0 ? [copied] : { [key]: copied });
    else {
      // An earlier mutation may have removed the parent: then the value is written to a detached object.
      setMember(position, clone(memberOf(otherPosition)));
      setMember(otherPosition, copied);
    }
  }
  return copy;
}

/**
 * Makes a document from a generated value, as if parsed from a response: words are unique, some numbers exceed what
 * JavaScript can represent, and everything is frozen, so that code that changes it fails.
 */
export function toDocument(value: unknown): JsonObject {
  let words = 0;
  const json = JSON.stringify(value)
    .replaceAll(WORD, () => `w${(words += 1)}w`)
    .replaceAll(`"${INFINITE}"`, '1e400');
  return freeze(JSON.parse(json)) as JsonObject;
}

/** Reverses the order of members in every object, except in maps, whose order is that of their rows. */
export function reverseKeys(value: unknown, name = '', around = ''): unknown {
  if (Array.isArray(value)) return value.map((element) => reverseKeys(element));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, reverseKeys(member, key, name)] as const);
  return Object.fromEntries(MAPS.has(name) || around === 'auth' ? entries : entries.reverse());
}

const MAPS = new Set(['header', 'query', 'variable', 'variables', 'urlencoded', 'formdata']);

interface Position {
  readonly parent: object;
  readonly key: string;
}

function positionsIn(value: unknown): Position[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [{ parent: value, key }, ...positionsIn(member)]);
}

function memberOf({ parent, key }: Position): unknown {
  return Object.hasOwn(parent, key) ? (parent as Record<string, unknown>)[key] : null;
}

function setMember({ parent, key }: Position, value: unknown): void {
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

function clone(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function freeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
