import type { Header } from '../../upstream/collection-format/fields/headers.ts';
import { builder } from '../builder.ts';

/** GraphQL type `Header`. */
export const HeaderRef = builder.objectRef<Header>('Header');

HeaderRef.implement({
  description: 'One header of a request or response. A list may contain the same header twice.',
  fields: (t) => ({
    key: t.exposeString('key', {
      nullable: false,
      description: 'Name of the header, in upper and lower case as written; empty when it has none.',
    }),
    value: t.exposeString('value', {
      nullable: true,
      description:
        'Value of the header, several values joined by a comma; null when there is none. If this server ' +
        'withholds secrets, `******` replaces the value of a header whose name suggests credentials ' +
        '(`Authorization`, `Cookie`, `Set-Cookie`, `X-Api-Key`, anything with `token` or `secret` …), and the ' +
        'credentials of a URL in any header. A value made up only of `{{variable}}` references, possibly after ' +
        'a scheme as in `Bearer {{token}}`, is not replaced.',
    }),
    enabled: t.exposeBoolean('enabled', {
      nullable: false,
      description: 'Whether the header is enabled. A disabled header is stored but not sent.',
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'Description of the header by its author, usually Markdown; null when there is none.',
    }),
  }),
});
