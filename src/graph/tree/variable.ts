import { toText } from '../../upstream/collection-format/syntax/json.ts';
import { toShownVariable, type Variable } from '../../upstream/collection-format/fields/variables.ts';
import { builder } from '../builder.ts';
import { toIsMasked, toJsonValue } from './json-field.ts';

/** GraphQL type `Variable`. */
export const VariableRef = builder.objectRef<Variable>('Variable');

VariableRef.implement({
  description:
    'A named value that requests refer to as `{{key}}`, or a path variable that a URL refers to as `:key`. ' +
    'Variables belong to collections, folders, requests, URLs, environments and the globals of a workspace.',
  fields: (t) => ({
    key: t.exposeString('key', {
      nullable: true,
      description: 'Name of the variable; null when it has none. It may be empty, and it may occur twice in a list.',
    }),
    value: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'The value, in the JSON type it was saved with: usually text, sometimes a number, boolean or object. ' +
        'null when there is none, as for a secret stored in a vault, and when it is withheld (see `isMasked`).',
      resolve: (variable, _args, { revealSecrets }) =>
        toJsonValue(() => toShownVariable(variable, revealSecrets).value),
    }),
    text: t.string({
      nullable: true,
      description:
        'The value as text: numbers as digits, booleans as `true` or `false`, lists and objects as compact ' +
        'JSON. null when `value` is null.',
      resolve: (variable, _args, { revealSecrets }) =>
        toText(variable.value) === null ? null : toText(toShownVariable(variable, revealSecrets).value),
    }),
    type: t.exposeString('type', {
      nullable: true,
      description:
        'Kind of the value in the Postman app, for example `default`, `secret`, `string` or `any`; null when ' +
        'Postman does not say. New kinds may appear.',
    }),
    enabled: t.exposeBoolean('enabled', {
      nullable: false,
      description: 'Whether the variable is enabled. A disabled variable is not filled in when a request is sent.',
    }),
    isSecret: t.exposeBoolean('isSecret', {
      nullable: false,
      description:
        'Whether the variable is declared a secret: its type is `secret` or `password`, or its value is stored ' +
        'in a vault.',
    }),
    isMasked: t.boolean({
      nullable: false,
      description:
        'Whether this server withholds the value because the variable is a secret or has the name of a ' +
        'credential (`password`, `apiKey`, `client_secret` …), or withholds credentials in a URL, list or ' +
        'object inside the value. An empty value, or one made up only of `{{variable}}` references, is not ' +
        'withheld.',
      resolve: (variable, _args, { revealSecrets }) =>
        toIsMasked(() => toShownVariable(variable, revealSecrets).isMasked),
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'Description of the variable by its author, usually Markdown; null when there is none.',
    }),
  }),
});
