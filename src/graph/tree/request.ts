import { toBody } from '../../upstream/collection-format/fields/body.ts';
import { toHeaders } from '../../upstream/collection-format/fields/headers.ts';
import { authOf, definitionOf, effectiveAuth } from '../../upstream/collection-format/tree/item.ts';
import { toWritableJson } from '../../upstream/collection-format/syntax/json.ts';
import { maskAnything } from '../../upstream/collection-format/masking/mask-secrets.ts';
import { toExamples } from '../../upstream/collection-format/tree/examples.ts';
import { methodOf } from '../../upstream/collection-format/fields/request-definition.ts';
import { scriptsOf } from '../../upstream/collection-format/fields/scripts.ts';
import { toUrl } from '../../upstream/collection-format/fields/url.ts';
import { variablesOf } from '../../upstream/collection-format/fields/variables.ts';
import { AuthRef } from './auth.ts';
import { RequestBodyRef } from './body.ts';
import { ExampleRef } from './example.ts';
import { HeaderRef } from './header.ts';
import { toJsonValue } from './json-field.ts';
import { NodeRef } from '../refs.ts';
import { CollectionItemRef, RequestRef } from './refs.ts';
import { ScriptRef } from './script.ts';
import { UrlRef } from './url.ts';
import { VariableRef } from './variable.ts';

RequestRef.implement({
  description:
    'A request of a collection, as saved: its variables are not resolved, and it is not sent. An item that is ' +
    'neither a folder nor an HTTP request is returned as a request without a URL.',
  interfaces: [NodeRef, CollectionItemRef],
  fields: (t) => ({
    method: t.string({
      nullable: false,
      description: 'HTTP method in capitals; `GET` when none was given. It may be any word.',
      resolve: (request) => methodOf(definitionOf(request)),
    }),
    url: t.field({
      type: UrlRef,
      nullable: true,
      description: 'URL of the request; null when it has none.',
      resolve: (request, _args, { revealSecrets }) => toUrl(definitionOf(request).url, revealSecrets),
    }),
    headers: t.field({
      type: [HeaderRef],
      nullable: false,
      description: 'Headers in order, including disabled ones; empty when there are none.',
      resolve: (request, _args, { revealSecrets }) => toHeaders(definitionOf(request).header, revealSecrets),
    }),
    body: t.field({
      type: RequestBodyRef,
      nullable: true,
      description: 'Body of the request; null when it has none.',
      resolve: (request, _args, { revealSecrets }) => toBody(definitionOf(request).body, revealSecrets),
    }),
    auth: t.field({
      type: AuthRef,
      nullable: true,
      description:
        'Authorization defined on the request itself; null when it has none and inherits (see `effectiveAuth`).',
      resolve: authOf,
    }),
    effectiveAuth: t.field({
      type: AuthRef,
      nullable: true,
      description:
        'Authorization that applies when the request is sent: `auth` of the request, otherwise of the nearest ' +
        'folder above that has one, otherwise of the collection. Type `noauth` ends the search like any other; ' +
        '`definedOn` says where it was found. null when none of them has one.',
      resolve: effectiveAuth,
    }),
    variables: t.field({
      type: [VariableRef],
      nullable: false,
      description: 'Variables of the request itself; empty when there are none. Path variables are on `url`.',
      resolve: ({ json }) => variablesOf(json),
    }),
    scripts: t.field({
      type: [ScriptRef],
      nullable: false,
      description:
        'Scripts of the request itself; empty when there are none. Scripts of the folders above and of the ' +
        'collection run too.',
      resolve: ({ json }) => scriptsOf(json),
    }),
    examples: t.field({
      type: [ExampleRef],
      nullable: false,
      description: 'Responses saved with the request, in order; empty when there are none.',
      resolve: toExamples,
    }),
    settings: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'Settings for sending the request, as saved (`protocolProfileBehavior`), for example ' +
        '`{"followRedirects": false}`; null when all have their defaults.',
      resolve: ({ json: { protocolProfileBehavior } }, _args, { revealSecrets }) =>
        toJsonValue(() =>
          revealSecrets ? toWritableJson(protocolProfileBehavior) : maskAnything(protocolProfileBehavior ?? null),
        ),
    }),
  }),
});
