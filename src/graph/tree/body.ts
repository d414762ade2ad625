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

const ENABLED = 'Whether the body is switched on. One that is switched off is kept but not sent.';

/** GraphQL union `RequestBody`. */
export const RequestBodyRef = builder.unionType('RequestBody', {
  description: 'What a request carries. A body of a kind this schema does not know is answered as `RawBody`.',
  types: [RawBodyRef, UrlEncodedBodyRef, FormDataBodyRef, FileBodyRef, GraphQLBodyRef],
  resolveType: ({ kind }) => TYPE_NAMES[kind],
});

RawBodyRef.implement({
  description: 'A body sent exactly as it is written.',
  fields: (t) => ({
    raw: t.exposeString('raw', {
      nullable: false,
      description: 'The text, with `{{variable}}` references not filled in; empty when there is none.',
    }),
    language: t.exposeString('language', {
      nullable: true,
      description:
        'Language the Postman app shows it in, for example `json`, `xml`, `text` or `javascript`; null when none was chosen. Others may appear.',
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
        description: 'Rows of the form in order, those switched off too; empty when there are none.',
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
      description: 'Path of the file on the machine of whoever saved the request; null when no file was chosen.',
    }),
    content: t.exposeString('content', {
      nullable: true,
      description: 'Content of the file, where it was saved with the request; null when it was not.',
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
      description: 'Which operation of the text is meant; null when it is not said.',
    }),
    variables: t.exposeString('variables', {
      nullable: true,
      description:
        'Variables of the operation as JSON text, as it was written: with `{{variable}}` references in it, it need not be valid JSON. null when there are none.',
    }),
    enabled: t.exposeBoolean('enabled', { nullable: false, description: ENABLED }),
  }),
});

FormParameterRef.implement({
  description: 'One row of a form. A form may hold the same key twice.',
  fields: (t) => ({
    key: t.exposeString('key', { nullable: true, description: 'Name of the row; null when it has none.' }),
    value: t.exposeString('value', {
      nullable: true,
      description:
        'Text of the row; null when there is none, as for a row of files. That of a credential reads `******` when it is withheld (see `isMasked`).',
    }),
    isMasked: t.exposeBoolean('isMasked', {
      nullable: false,
      description:
        'Whether this server withholds the value because the name of the row is that of a credential (`password`, `client_secret`, `access_token` …), or credentials of a URL in it. A value that consists of `{{variable}}` references only is not withheld.',
    }),
    src: t.stringList({
      nullable: true,
      description:
        'Paths of the files of the row on the machine of whoever saved it; empty when no file was chosen, null when it is a row of text.',
      resolve: ({ src }) => src,
    }),
    contentType: t.exposeString('contentType', {
      nullable: true,
      description: 'Media type the row is sent with; null when it is left to the Postman app.',
    }),
    enabled: t.exposeBoolean('enabled', {
      nullable: false,
      description: 'Whether the row is switched on. One that is switched off is kept but not sent.',
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'What its author wrote about the row, usually Markdown; null when nothing.',
    }),
  }),
});
