import {
  DirectiveLocation,
  type FragmentDefinitionNode,
  GraphQLBoolean,
  GraphQLDirective,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLString,
  type SelectionNode,
} from 'graphql';

const ifArgument = {
  type: new GraphQLNonNull(GraphQLBoolean),
  defaultValue: true,
  description: 'false: the directive has no effect.',
};
const label = { type: GraphQLString, description: 'Name of the part in the response.' };

/** GraphQL directive `@stream`. */
export const streamDirective = new GraphQLDirective({
  name: 'stream',
  description: 'Delivers the items of a list one by one, in order, as the budget allows the calls they need.',
  locations: [DirectiveLocation.FIELD],
  args: {
    if: ifArgument,
    initialCount: {
      type: GraphQLInt,
      defaultValue: 0,
      description: 'Number of items delivered together with the object that has the list.',
    },
    label,
  },
});

/** GraphQL directive `@defer`. */
export const deferDirective = new GraphQLDirective({
  name: 'defer',
  description:
    'Delivers the fields of a fragment later, once they have been read, so that other fields need not wait for ' +
    'them.',
  locations: [DirectiveLocation.FRAGMENT_SPREAD, DirectiveLocation.INLINE_FRAGMENT],
  args: { if: ifArgument, label },
});

/** GraphQL directives `@defer` and `@stream`, as graphql-yoga executes them (GraphQL's draft of 24 August 2022). */
export const incrementalDirectives: readonly GraphQLDirective[] = [deferDirective, streamDirective];

const names: ReadonlySet<string> = new Set(incrementalDirectives.map(({ name }) => name));

/** Whether a selection may be delivered in parts of its own: it has one of these directives, whatever its `if` says. */
export function mayComeInParts({ directives = [] }: SelectionNode | FragmentDefinitionNode): boolean {
  return directives.some(({ name }) => names.has(name.value));
}
