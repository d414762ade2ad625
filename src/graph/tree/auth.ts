import { type AuthParameter, toShownParameter } from '../../upstream/collection-format/fields/auth.ts';
import type { DefinedAuth } from '../../upstream/collection-format/tree/item.ts';
import { builder } from '../builder.ts';
import { toIsMasked, toJsonValue } from './json-field.ts';
import { CollectionItemRef } from './refs.ts';

const AuthParameterRef = builder.objectRef<AuthParameter>('AuthParameter');
/** GraphQL type `Auth`. */
export const AuthRef = builder.objectRef<DefinedAuth>('Auth');

AuthRef.implement({
  description: 'How a request authenticates: a scheme and its settings.',
  fields: (t) => ({
    type: t.exposeString('type', {
      nullable: false,
      description:
        'Name of the scheme, for example `apikey`, `awsv4`, `basic`, `bearer`, `digest`, `hawk`, `jwt`, ' +
        '`ntlm`, `oauth1` or `oauth2`. `noauth` means that no credentials are sent, whatever the folders above ' +
        'define. New schemes may appear.',
    }),
    parameters: t.field({
      type: [AuthParameterRef],
      nullable: false,
      description: 'Settings of the scheme, in the order in which they were saved; empty when there are none.',
      resolve: ({ parameters }) => parameters,
    }),
    definedOn: t.field({
      type: CollectionItemRef,
      nullable: true,
      description: 'The request or folder that defines it; null when the collection defines it.',
      resolve: ({ definedOn }) => definedOn,
    }),
  }),
});

AuthParameterRef.implement({
  description: 'One setting of an authentication scheme.',
  fields: (t) => ({
    key: t.exposeString('key', {
      nullable: false,
      description: 'Name of the setting, for example `token`, `username` or `addTokenTo`; empty when it has none.',
    }),
    value: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'The setting, in the JSON type it was saved with: usually text or a boolean, sometimes a list or ' +
        'object. null when there is none, and when it is a withheld credential (see `isMasked`).',
      resolve: (parameter, _args, { revealSecrets }) =>
        toJsonValue(() => toShownParameter(parameter, revealSecrets).value),
    }),
    isMasked: t.boolean({
      nullable: false,
      description:
        'Whether this server withholds the value, or part of it in a list, object or URL. It withholds every ' +
        'setting except those of known schemes that are not credentials. A value made up only of ' +
        '`{{variable}}` references, possibly after a scheme as in `Bearer {{token}}`, is not withheld.',
      resolve: (parameter, _args, { revealSecrets }) =>
        toIsMasked(() => toShownParameter(parameter, revealSecrets).isMasked),
    }),
  }),
});
