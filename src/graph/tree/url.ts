import {
  type QueryParam,
  type Url,
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

const QueryParamRef = builder.objectRef<QueryParam>('QueryParam');
/** GraphQL type `Url`. */
export const UrlRef = builder.objectRef<Url>('Url');

UrlRef.implement({
  description:
    'Address of a request, whole and in parts. Any part may hold `{{variable}}` references, so it need not be a valid URL. Nothing is decoded.',
  fields: (t) => ({
    raw: t.string({
      nullable: false,
      description:
        'The whole URL as it was written, with variables not filled in. Where only the parts were saved it is put together from those, without query parameters that are switched off. Where secrets are withheld, `******` stands for a password before the host and for the values of query parameters that are (see `QueryParam.isMasked`). Empty when nothing was written.',
      resolve: urlRaw,
    }),
    protocol: t.string({
      nullable: true,
      description: 'What stands before `://`, for example `https`; null when the URL does not begin with one.',
      resolve: urlProtocol,
    }),
    host: t.stringList({
      nullable: false,
      description:
        'Host, split at its dots: `["api", "example", "com"]`, or `["{{baseUrl}}"]`, where the variable may hold protocol, port and path as well. Empty when there is none.',
      resolve: (url) => urlHost(url),
    }),
    port: t.string({
      nullable: true,
      description: 'Port, in digits or as a variable; null when the URL names none.',
      resolve: urlPort,
    }),
    path: t.stringList({
      nullable: false,
      description:
        'Segments of the path, path variables written as `:name`. An empty segment stands for a doubled slash, or for one at the end. Empty when there is no path.',
      resolve: (url) => urlPath(url),
    }),
    query: t.field({
      type: [QueryParamRef],
      nullable: false,
      description: 'Query parameters in order, those switched off too; empty when there are none.',
      resolve: (url) => urlQuery(url),
    }),
    variables: t.field({
      type: [VariableRef],
      nullable: false,
      description:
        'Variables that the path refers to as `:name`, with the values to be put in; empty when there are none.',
      resolve: (url) => urlVariables(url),
    }),
    hash: t.string({
      nullable: true,
      description: 'What stands behind `#`; null when the URL has none.',
      resolve: urlHash,
    }),
  }),
});

QueryParamRef.implement({
  description: 'One parameter of the query of a URL. A query may hold the same key twice.',
  fields: (t) => ({
    key: t.exposeString('key', { nullable: true, description: 'Name of the parameter; null when it has none.' }),
    value: t.exposeString('value', {
      nullable: true,
      description:
        'Value of the parameter: empty for `?key=`, null for `?key`. That of a credential reads `******` when it is withheld (see `isMasked`).',
    }),
    isMasked: t.exposeBoolean('isMasked', {
      nullable: false,
      description:
        'Whether this server withholds the value because the name of the parameter is that of a credential (`access_token`, `api_key` …), or credentials of a URL in it. A value that consists of `{{variable}}` references only is not withheld.',
    }),
    enabled: t.exposeBoolean('enabled', {
      nullable: false,
      description: 'Whether the parameter is switched on. One that is switched off is kept but not sent.',
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'What its author wrote about the parameter, usually Markdown; null when nothing.',
    }),
  }),
});
