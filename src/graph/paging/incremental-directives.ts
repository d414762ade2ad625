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

const on = {
  type: new GraphQLNonNull(GraphQLBoolean),
  defaultValue: true,
  description: 'false: as if the directive were not there.',
};
const label = { type: GraphQLString, description: 'Name under which the part is delivered.' };

/** GraphQL directive `@stream`. */
export const streamDirective = new GraphQLDirective({
  name: 'stream',
  description: 'Delivers the items of a list one by one, in order, as the budget serves the calls they need.',
  locations: [DirectiveLocation.FIELD],
  args: {
    if: on,
    initialCount: {
      type: GraphQLInt,
      defaultValue: 0,
      description: 'So many items come with what they are part of.',
    },
    label,
  },
});

/** GraphQL directives `@defer` and `@stream`, as graphql-yoga executes them (GraphQL's draft of 24 August 2022). */
export const incrementalDirectives: readonly GraphQLDirective[] = [
  new GraphQLDirective({
    name: 'defer',
    description: 'Delivers the fields of a fragment later, when they are there, and does not hold up what is known.',
    locations: [DirectiveLocation.FRAGMENT_SPREAD, DirectiveLocation.INLINE_FRAGMENT],
    args: { if: on, label },
  }),
  streamDirective,
];

const names: ReadonlySet<string> = new Set(incrementalDirectives.map(({ name }) => name));

/** Whether a field or fragment may come in a part of its own: it has one of these directives, switched off or not. */
export function mayComeInParts({ directives = [] }: SelectionNode | FragmentDefinitionNode): boolean {
  return directives.some(({ name }) => names.has(name.value));
}
