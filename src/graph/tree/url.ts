import type { RequestItem } from '../../upstream/collection-format/tree/collection-tree.ts';
import {
  isUrlJson,
  type QueryParam,
  Url,
  urlHash,
  urlHost,
  urlPath,
  urlPort,
  urlProtocol,
  urlQuery,
  urlRaw,
  urlVariables,
} from '../../upstream/collection-format/fields/url.ts';
import { builder } from '../builder.ts';
import { VariableRef } from './variable.ts';

/** A URL, and the request that it belongs to, whose variables apply. */
export class UrlOfRequest extends Url {
  readonly request: RequestItem;

  constructor(json: ConstructorParameters<typeof Url>[0], revealSecrets: boolean, request: RequestItem) {
    super(json, revealSecrets);
    this.request = request;
  }
}

/** Reads the URL of a request, or of one of its examples; null for none. */
export function toUrlOf(json: unknown, request: RequestItem, revealSecrets: boolean): UrlOfRequest | null {
  return isUrlJson(json) ? new UrlOfRequest(json, revealSecrets, request) : null;
}

const QueryParamRef = builder.objectRef<QueryParam>('QueryParam');
/** GraphQL type `Url`. */
export const UrlRef = builder.objectRef<UrlOfRequest>('Url');

UrlRef.implement({
  description:
    'URL of a request, whole and in parts. Any part may contain `{{variable}}` references, so it need not be a ' +
    'valid URL. Nothing is decoded.',
  fields: (t) => ({
    raw: t.string({
      nullable: false,
      description:
        'The whole URL as written, with variables unresolved; empty when there is none. If only its parts were ' +
        'saved, it is put together from them, without disabled query parameters. If this server withholds ' +
        'secrets, `******` replaces a password before the host and the values of withheld query parameters ' +
        '(see `QueryParam.isMasked`).',
      resolve: urlRaw,
    }),
    protocol: t.string({
      nullable: true,
      description: 'The part before `://`, for example `https`; null when the URL has none.',
      resolve: urlProtocol,
    }),
    host: t.stringList({
      nullable: false,
      description:
        'Host, split at the dots: `["api", "example", "com"]`, or `["{{baseUrl}}"]`, where the variable may ' +
        'contain protocol, port and path as well. Empty when there is none.',
      resolve: (url) => urlHost(url),
    }),
    port: t.string({
      nullable: true,
      description: 'Port, in digits or as a variable; null when the URL has none.',
      resolve: urlPort,
    }),
    path: t.stringList({
      nullable: false,
      description:
        'Segments of the path, with path variables written as `:name`. A double slash, or a slash at the end, ' +
        'gives an empty segment. Empty when there is no path.',
      resolve: (url) => urlPath(url),
    }),
    query: t.field({
      type: [QueryParamRef],
      nullable: false,
      description: 'Query parameters in order, including disabled ones; empty when there are none.',
      resolve: (url) => urlQuery(url),
    }),
    variables: t.field({
      type: [VariableRef],
      nullable: false,
      description: 'Variables that the path refers to as `:name`, with their values; empty when there are none.',
      resolve: (url) => urlVariables(url),
    }),
    hash: t.string({
      nullable: true,
      description: 'The part after `#`; null when the URL has none.',
      resolve: urlHash,
    }),
  }),
});

QueryParamRef.implement({
  description: 'One query parameter of a URL. A query may contain the same key twice.',
  fields: (t) => ({
    key: t.exposeString('key', { nullable: true, description: 'Name of the parameter; null when it has none.' }),
    value: t.exposeString('value', {
      nullable: true,
      description:
        'Value of the parameter: empty for `?key=`, null for `?key`. A withheld credential reads `******` (see ' +
        '`isMasked`).',
    }),
    isMasked: t.exposeBoolean('isMasked', {
      nullable: false,
      description:
        'Whether this server withholds the value because the name of the parameter is that of a credential ' +
        '(`access_token`, `api_key` …), or withholds credentials of a URL in the value. A value made up only ' +
        'of `{{variable}}` references is not withheld.',
    }),
    enabled: t.exposeBoolean('enabled', {
      nullable: false,
      description: 'Whether the parameter is enabled. A disabled parameter is stored but not sent.',
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'Description of the parameter by its author, usually Markdown; null when there is none.',
    }),
  }),
});
