import {
  type FileBody,
  type FormBody,
  type FormParameter,
  formParameters,
  type GraphQLBody,
  type RawBody,
  type RequestBody,
} from '../../upstream/collection-format/fields/body.ts';
import { builder } from '../builder.ts';

const RawBodyRef = builder.objectRef<RawBody>('RawBody');
const UrlEncodedBodyRef = builder.objectRef<FormBody>('UrlEncodedBody');
const FormDataBodyRef = builder.objectRef<FormBody>('FormDataBody');
const FileBodyRef = builder.objectRef<FileBody>('FileBody');
const GraphQLBodyRef = builder.objectRef<GraphQLBody>('GraphQLBody');
const FormParameterRef = builder.objectRef<FormParameter>('FormParameter');

const TYPE_NAMES: Readonly<Record<RequestBody['kind'], string>> = {
  raw: 'RawBody',
  urlencoded: 'UrlEncodedBody',
  formdata: 'FormDataBody',
  file: 'FileBody',
  graphql: 'GraphQLBody',
};

const ENABLED = 'Whether the body is enabled. A disabled body is stored but not sent.';

/** GraphQL union `RequestBody`. */
export const RequestBodyRef = builder.unionType('RequestBody', {
  description: 'The body of a request. A body of a kind this schema does not know is returned as `RawBody`.',
  types: [RawBodyRef, UrlEncodedBodyRef, FormDataBodyRef, FileBodyRef, GraphQLBodyRef],
  resolveType: ({ kind }) => TYPE_NAMES[kind],
});

RawBodyRef.implement({
  description: 'A body that is sent exactly as written.',
  fields: (t) => ({
    raw: t.exposeString('raw', {
      nullable: false,
      description: 'The text, with `{{variable}}` references unresolved; empty when there is none.',
    }),
    language: t.exposeString('language', {
      nullable: true,
      description:
        'Language in which the Postman app displays the text, for example `json`, `xml`, `text` or ' +
        '`javascript`; null when none was chosen. Others may appear.',
    }),
    enabled: t.exposeBoolean('enabled', { nullable: false, description: ENABLED }),
  }),
});

const FORMS = [
  [UrlEncodedBodyRef, 'A form sent as `application/x-www-form-urlencoded`.'],
  [FormDataBodyRef, 'A form sent as `multipart/form-data`; its rows may be files.'],
] as const;

for (const [form, description] of FORMS)
  form.implement({
    description,
    fields: (t) => ({
      parameters: t.field({
        type: [FormParameterRef],
        nullable: false,
        description: 'Rows of the form in order, including disabled ones; empty when there are none.',
        resolve: (body, _args, { revealSecrets }) => formParameters(body, revealSecrets),
      }),
      enabled: t.exposeBoolean('enabled', { nullable: false, description: ENABLED }),
    }),
  });

FileBodyRef.implement({
  description: 'A file sent as the whole body.',
  fields: (t) => ({
    src: t.exposeString('src', {
      nullable: true,
      description: 'Path of the file on the machine where the request was saved; null when no file was chosen.',
    }),
    content: t.exposeString('content', {
      nullable: true,
      description: 'Content of the file; null when it was not saved with the request.',
    }),
    enabled: t.exposeBoolean('enabled', { nullable: false, description: ENABLED }),
  }),
});

GraphQLBodyRef.implement({
  description: 'A GraphQL operation that the Postman app sends as JSON.',
  fields: (t) => ({
    query: t.exposeString('query', {
      nullable: false,
      description: 'Text of the operation; empty when there is none.',
    }),
    operationName: t.exposeString('operationName', {
      nullable: true,
      description: 'Name of the operation in `query` to execute; null when none is given.',
    }),
    variables: t.exposeString('variables', {
      nullable: true,
      description:
        'Variables of the operation as JSON text, exactly as written. It may contain `{{variable}}` references ' +
        'and so need not be valid JSON. null when there are none.',
    }),
    enabled: t.exposeBoolean('enabled', { nullable: false, description: ENABLED }),
  }),
});

FormParameterRef.implement({
  description: 'One row of a form. A form may contain the same key twice.',
  fields: (t) => ({
    key: t.exposeString('key', { nullable: true, description: 'Name of the row; null when it has none.' }),
    value: t.exposeString('value', {
      nullable: true,
      description:
        'Text of the row; null when there is none, as for a row of files. A withheld credential reads `******` ' +
        '(see `isMasked`).',
    }),
    isMasked: t.exposeBoolean('isMasked', {
      nullable: false,
      description:
        'Whether this server withholds the value because the name of the row is that of a credential ' +
        '(`password`, `client_secret`, `access_token` …), or withholds credentials of a URL in the value. A ' +
        'value made up only of `{{variable}}` references is not withheld.',
    }),
    src: t.stringList({
      nullable: true,
      description:
        'Paths of the files of the row on the machine where it was saved; empty when no file was chosen, null ' +
        'when the row is text.',
      resolve: ({ src }) => src,
    }),
    contentType: t.exposeString('contentType', {
      nullable: true,
      description: 'Media type with which the row is sent; null when the Postman app chooses it.',
    }),
    enabled: t.exposeBoolean('enabled', {
      nullable: false,
      description: 'Whether the row is enabled. A disabled row is stored but not sent.',
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'Description of the row by its author, usually Markdown; null when there is none.',
    }),
  }),
});
