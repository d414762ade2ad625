import type { Header } from '../../upstream/collection-format/fields/headers.ts';
import { builder } from '../builder.ts';

/** GraphQL type `Header`. */
export const HeaderRef = builder.objectRef<Header>('Header');

HeaderRef.implement({
  description: 'One header line of a request or response. A list may hold the same header twice.',
  fields: (t) => ({
    key: t.exposeString('key', {
      nullable: false,
      description: 'Name of the header, in the case it was written; empty when it has none.',
    }),
    value: t.exposeString('value', {
      nullable: true,
      description:
        'Value of the header; several values in one are joined by a comma. null when there is none. The value of a header whose name speaks of credentials (`Authorization`, `Cookie`, `Set-Cookie`, `X-Api-Key`, anything with `token` or `secret` …) reads `******` when this server withholds secrets, unless it consists of `{{variable}}` references only, also behind a scheme as in `Bearer {{token}}`. So do credentials of a URL in any header.',
    }),
    enabled: t.exposeBoolean('enabled', {
      nullable: false,
      description: 'Whether the header is switched on. One that is switched off is kept but not sent.',
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'What its author wrote about the header, usually Markdown; null when nothing.',
    }),
  }),
});
