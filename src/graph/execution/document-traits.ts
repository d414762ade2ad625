import { type DocumentNode, GraphQLIncludeDirective, GraphQLSkipDirective, Kind, visit } from 'graphql';

/** Counts the nodes of a document, and finds whether `@skip` or `@include` depends on a variable in it. */
export function toDocumentTraits(document: DocumentNode) {
  let nodeCount = 0;
  let hasConditions = false;
  visit(document, {
    enter(node) {
      nodeCount++;
      if (node.kind !== Kind.DIRECTIVE) return;
      const { name, arguments: given = [] } = node;
      const isCondition = name.value === GraphQLSkipDirective.name || name.value === GraphQLIncludeDirective.name;
      hasConditions ||= isCondition && given.some(({ value }) => value.kind === Kind.VARIABLE);
    },
  });
  return { nodeCount, hasConditions };
}
