import {
  type EffectiveScript,
  effectiveScripts,
  effectiveSettings,
  type EffectiveVariable,
  effectiveVariables,
} from '../../upstream/collection-format/tree/effective.ts';
import { builder } from '../builder.ts';
import type { OperationContext } from '../context.ts';
import { toSettings } from './json-field.ts';
import { CollectionItemRef, RequestRef } from './refs.ts';
import { ScriptRef } from './script.ts';
import { VariableRef } from './variable.ts';

// Number of variables, scripts or settings that can be read in the time it takes to return one value.
const READ_PER_VALUE = 10;
const DEFINED_ON = 'The request or folder that defines it; null when the collection defines it.';

const EffectiveVariableRef = builder.objectRef<EffectiveVariable>('EffectiveVariable').implement({
  description: 'A variable of a collection that applies to a request.',
  fields: (t) => ({
    variable: t.expose('variable', { type: VariableRef, nullable: false, description: 'The variable itself.' }),
    definedOn: t.expose('definedOn', { type: CollectionItemRef, nullable: true, description: DEFINED_ON }),
  }),
});

const EffectiveScriptRef = builder.objectRef<EffectiveScript>('EffectiveScript').implement({
  description: 'A script that runs when a request is sent.',
  fields: (t) => ({
    script: t.expose('script', { type: ScriptRef, nullable: false, description: 'The script itself.' }),
    definedOn: t.expose('definedOn', { type: CollectionItemRef, nullable: true, description: DEFINED_ON }),
  }),
});

/** Counts what is read of the folders above a request: each of 10,000 requests can be in a thousand folders. */
const counter = ({ resultSize }: Pick<OperationContext, 'resultSize'>) => {
  return (count: number) => resultSize.search((1 + count) / READ_PER_VALUE);
};

builder.objectFields(RequestRef, (t) => ({
  effectiveVariables: t.field({
    type: [EffectiveVariableRef],
    nullable: false,
    description:
      'Variables of the collection that apply when the request is sent: of those with one name, that of the request, ' +
      'otherwise of the nearest folder, otherwise of the collection. Disabled ones do not count; of several with one ' +
      'name in a list, the last does. Variables of an environment come before all of these.',
    resolve: (request, _args, context) => effectiveVariables(request, counter(context)),
  }),
  effectiveScripts: t.field({
    type: [EffectiveScriptRef],
    nullable: false,
    description:
      'Enabled scripts in the order in which Postman runs them: `prerequest`, then `test`, and of each those of the ' +
      'collection first, then of the folders, outermost first, then of the request.',
    resolve: (request, _args, context) => effectiveScripts(request, counter(context)),
  }),
  effectiveSettings: t.field({
    type: 'JSON',
    nullable: true,
    description:
      'Settings with which the request is sent (`protocolProfileBehavior`): each is that of the request, otherwise of ' +
      'the nearest folder that has it, otherwise of the collection. null when none of them has any.',
    resolve: (request, _args, context) =>
      toSettings(effectiveSettings(request, counter(context)), context.revealSecrets),
  }),
}));
