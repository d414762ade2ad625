import { toBody, toDataText } from '../../upstream/collection-format/fields/body.ts';
import { exampleCode, originalRequestOf } from '../../upstream/collection-format/fields/example.ts';
import { toHeaders } from '../../upstream/collection-format/fields/headers.ts';
import { type JsonObject, toId, toNumber, toText } from '../../upstream/collection-format/syntax/json.ts';
import { methodOf } from '../../upstream/collection-format/fields/request-definition.ts';
import { toUrl } from '../../upstream/collection-format/fields/url.ts';
import type { ExampleItem } from '../../upstream/collection-format/tree/examples.ts';
import { builder } from '../builder.ts';
import { toNodeId } from '../node-id.ts';
import { NodeRef } from '../refs.ts';
import { RequestBodyRef } from './body.ts';
import { HeaderRef } from './header.ts';
import { UrlRef } from './url.ts';

/** Wraps Postman's JSON: if that has a `then` member, the executor would take the bare object for a promise. */
interface JsonParent {
  readonly json: JsonObject;
}

const ExampleRequestRef = builder.objectRef<JsonParent>('ExampleRequest');
/** GraphQL type `Example`. */
export const ExampleRef = builder.objectRef<ExampleItem>('Example');

ExampleRef.implement({
  description: 'A response that was saved with a request as an example.',
  interfaces: [NodeRef],
  fields: (t) => ({
    id: t.id({
      nullable: false,
      description:
        'Id for caches and `node`, unique across all types: `Example:`, the uid of the collection, `/`, the ' +
        '`itemId` of the request, `/` and `exampleId`. An example that has no `exampleId`, or that of an earlier ' +
        'one, has `#` and its position instead, from 0.',
      resolve: ({ request: { tree, id }, key }) =>
        toNodeId({ type: 'Example', collectionUid: tree.uid, itemId: id, exampleKey: key }),
    }),
    exampleId: t.id({
      nullable: true,
      description: 'Id that Postman gave the example, usually a UUID; null when it was saved without one.',
      resolve: ({ json }) => toId(json.id) ?? toId(json._postman_id),
    }),
    uid: t.id({
      nullable: true,
      description: 'Unique id across all of Postman: `<ownerId>-<id>`. null when Postman gives none.',
      resolve: ({ json }) => toId(json.uid),
    }),
    name: t.string({
      nullable: true,
      description: 'Name of the example; null when it has none.',
      resolve: ({ json }) => toText(json.name),
    }),
    status: t.string({
      nullable: true,
      description: 'Reason phrase of the response, for example `Created`; null when it was saved without one.',
      resolve: ({ json }) => toText(json.status),
    }),
    code: t.int({
      nullable: true,
      description: 'HTTP status code of the response, for example 201; null when it was saved without one.',
      resolve: ({ json }) => exampleCode(json),
    }),
    headers: t.field({
      type: [HeaderRef],
      nullable: false,
      description: 'Headers of the response; empty when none were saved.',
      resolve: ({ json }, _args, { revealSecrets }) => toHeaders(json.header, revealSecrets),
    }),
    body: t.string({
      nullable: true,
      description: 'Body of the response as text; null when none was saved. It can be megabytes long.',
      resolve: ({ json }, _args, { revealSecrets }) => toDataText(json.body, revealSecrets),
    }),
    language: t.string({
      nullable: true,
      description:
        'Language in which the Postman app displays the body, for example `json`, `xml`, `html` or `text`; ' +
        'null when none is given. Others may appear.',
      resolve: ({ json }) => toText(json._postman_previewlanguage),
    }),
    responseTimeMs: t.float({
      nullable: true,
      description: 'How long the response took, in milliseconds; null when that was not saved.',
      resolve: ({ json }) => toNumber(json.responseTime),
    }),
    originalRequest: t.field({
      type: ExampleRequestRef,
      nullable: true,
      description:
        'The request that got this response, as it was at that time; the request that holds the example may ' +
        'have changed since. null when it was not saved.',
      resolve: ({ json }) => {
        const request = originalRequestOf(json);
        return request && { json: request };
      },
    }),
  }),
});

ExampleRequestRef.implement({
  description: 'The request that got a saved response, as it was when the response was saved.',
  fields: (t) => ({
    method: t.string({
      nullable: false,
      description: 'HTTP method in capitals; `GET` when none was given. It may be any word.',
      resolve: ({ json }) => methodOf(json),
    }),
    url: t.field({
      type: UrlRef,
      nullable: true,
      description: 'URL of the request; null when it had none.',
      resolve: ({ json }, _args, { revealSecrets }) => toUrl(json.url, revealSecrets),
    }),
    headers: t.field({
      type: [HeaderRef],
      nullable: false,
      description: 'Headers in order, including disabled ones; empty when there are none.',
      resolve: ({ json }, _args, { revealSecrets }) => toHeaders(json.header, revealSecrets),
    }),
    body: t.field({
      type: RequestBodyRef,
      nullable: true,
      description: 'Body of the request; null when it had none.',
      resolve: ({ json }, _args, { revealSecrets }) => toBody(json.body, revealSecrets),
    }),
  }),
});
