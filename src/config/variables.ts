import { connectionVariables } from './connection-variables.ts';
import type { Rule } from './rule.ts';
import { serverVariables } from './server-variables.ts';
import { upstreamVariables } from './upstream-variables.ts';

/** The rule of every environment variable by name, in the order of the documentation. */
export const table = { ...connectionVariables, ...upstreamVariables, ...serverVariables };

/** The name of a variable. */
export type Name = keyof typeof table;

/** The same rules as a list, for documents and messages. `default` is empty if there is none. */
export const variables = Object.entries<Rule>(table).map(([name, rule]) => ({
  ...rule,
  name,
  default: rule.default ?? '',
}));
