import { toText } from '../../upstream/collection-format/syntax/json.ts';
import { toShownVariable, type Variable } from '../../upstream/collection-format/fields/variables.ts';
import { builder } from '../builder.ts';
import { toIsMasked, toJsonValue } from './json-field.ts';

/** GraphQL type `Variable`. */
export const VariableRef = builder.objectRef<Variable>('Variable');

VariableRef.implement({
  description:
    'A named value that requests refer to as `{{key}}`, or a path variable that a URL refers to as `:key`. Variables belong to collections, folders, requests, URLs, environments and the globals of a workspace.',
  fields: (t) => ({
    key: t.exposeString('key', {
      nullable: true,
      description: 'Name of the variable. It may be empty, and occur twice in a list; null when it has none.',
    }),
    value: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'The value, in the JSON type it was saved with: usually text, sometimes a number, boolean or object. null when there is none, as for a secret held in a vault, and when it is withheld (see `isMasked`).',
      resolve: (variable, _args, { revealSecrets }) =>
        toJsonValue(() => toShownVariable(variable, revealSecrets).value),
    }),
    text: t.string({
      nullable: true,
      description:
        'The value as text: numbers and booleans in digits and words, lists and objects as compact JSON. null when `value` is null.',
      resolve: (variable, _args, { revealSecrets }) =>
        toText(variable.value) === null ? null : toText(toShownVariable(variable, revealSecrets).value),
    }),
    type: t.exposeString('type', {
      nullable: true,
      description:
        'What kind of value the Postman app takes it for, for example `default`, `secret`, `string` or `any`; null when it is not said. New kinds may appear.',
    }),
    enabled: t.exposeBoolean('enabled', {
      nullable: false,
      description:
        'Whether the variable is switched on. One that is switched off is not put in when a request is sent.',
    }),
    isSecret: t.exposeBoolean('isSecret', {
      nullable: false,
      description:
        'Whether the variable is declared a secret: it is of type `secret` or `password`, or its value is held in a vault.',
    }),
    isMasked: t.boolean({
      nullable: false,
      description:
        'Whether this server withholds the value, or credentials inside a URL, list or object: that of a secret, or of a variable with the name of a credential (`password`, `apiKey`, `client_secret` …). One that is empty, or that consists of `{{variable}}` references only, is not withheld.',
      resolve: (variable, _args, { revealSecrets }) =>
        toIsMasked(() => toShownVariable(variable, revealSecrets).isMasked),
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'What its author wrote about the variable, usually Markdown; null when nothing.',
    }),
  }),
});
