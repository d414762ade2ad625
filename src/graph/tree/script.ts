import type { Script } from '../../upstream/collection-format/fields/scripts.ts';
import { builder } from '../builder.ts';

/** GraphQL type `Script`. */
export const ScriptRef = builder.objectRef<Script>('Script');

ScriptRef.implement({
  description:
    'A script that the Postman app runs before or after a request. Scripts of collections and folders run for ' +
    'every request below them.',
  fields: (t) => ({
    listen: t.exposeString('listen', {
      nullable: false,
      description:
        'When the script runs: `prerequest` is before the request is sent, `test` after the response has ' +
        'arrived. Empty when Postman does not say.',
    }),
    language: t.exposeString('language', {
      nullable: true,
      description: 'Media type of the source, nearly always `text/javascript`; null when Postman does not say.',
    }),
    source: t.exposeString('source', {
      nullable: false,
      description: 'Text of the script, its lines separated by line feeds; empty when there is none.',
    }),
    enabled: t.exposeBoolean('enabled', { nullable: false, description: 'Whether the script is enabled.' }),
  }),
});
